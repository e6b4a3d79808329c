//! How shared words stand in Postgres: ids as uuid, states as text, hashes as bytea. In queries: `id as "id: FileId"`.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};
use uuid::Uuid;

use crate::domain::ids::{
    ArtifactId, BootId, FileId, IngestId, RecipeId, RequestId, RevisionId, RunId, ScheduleId, Sha256, TableId, TaskId,
    TickId, TokenId, UserId,
};
use crate::domain::states::{
    ArtifactKind, AttemptState, IngestState, MissedTicks, Role, RunFileState, RunState, ScheduleKind, TaskKind,
    TaskState,
};

macro_rules! as_uuid {
    ($($name:ident),+ $(,)?) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <Uuid as Type<Postgres>>::type_info()
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <Uuid as Encode<'_, Postgres>>::encode_by_ref(&self.0, buffer)
            }
        }

        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                <Uuid as Decode<'_, Postgres>>::decode(value).map(Self)
            }
        }
    )+};
}

as_uuid!(
    ArtifactId, BootId, FileId, IngestId, RecipeId, RequestId, RevisionId, RunId, ScheduleId, TableId, TaskId, TickId,
    TokenId, UserId
);

macro_rules! as_text {
    ($($name:ident),+ $(,)?) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <str as Type<Postgres>>::type_info()
            }

            fn compatible(ty: &PgTypeInfo) -> bool {
                <str as Type<Postgres>>::compatible(ty)
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <&str as Encode<'_, Postgres>>::encode_by_ref(&self.as_str(), buffer)
            }
        }

        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                Ok(<&str as Decode<'_, Postgres>>::decode(value)?.parse()?)
            }
        }
    )+};
}

as_text!(
    ArtifactKind,
    AttemptState,
    IngestState,
    MissedTicks,
    Role,
    RunFileState,
    RunState,
    ScheduleKind,
    TaskKind,
    TaskState
);

impl Type<Postgres> for Sha256 {
    fn type_info() -> PgTypeInfo {
        <[u8] as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Sha256 {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <&[u8] as Encode<'_, Postgres>>::encode_by_ref(&self.0.as_slice(), buffer)
    }
}

impl Decode<'_, Postgres> for Sha256 {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(<&[u8] as Decode<'_, Postgres>>::decode(value)?.try_into()?))
    }
}
