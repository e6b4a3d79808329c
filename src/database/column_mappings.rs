//! Which headers people have chosen for the columns that their recipes expect.

use super::{Connection, Result};
use crate::domain::ids::UserId;

/// Something that somebody has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMapping {
    /// The header in its normalised form; empty: sheets of the layout do not have the column.
    pub header: String,
    /// The layout; empty: any.
    pub layout: String,
    /// The expected column.
    pub expected: String,
}

/// What an owner has chosen for these columns, the latest last.
///
/// # Errors
/// See [`super::Error`].
pub async fn of(connection: &mut Connection, owner: UserId, expected: &[String]) -> Result<Vec<ColumnMapping>> {
    Ok(sqlx::query_as!(
        ColumnMapping,
        "select header, layout, expected from column_mappings where owner = $1 and expected = any($2)
         order by chosen_at, header, layout, expected",
        owner.0,
        expected,
    )
    .fetch_all(connection)
    .await?)
}

/// Remembers what an owner has chosen; each of it once.
///
/// # Errors
/// See [`super::Error`].
pub async fn remember(connection: &mut Connection, owner: UserId, chosen: &[ColumnMapping]) -> Result<()> {
    let [headers, layouts, expected] = columns(chosen);
    sqlx::query!(
        "insert into column_mappings (owner, header, layout, expected)
         select $1, given.header, given.layout, given.expected
         from unnest($2::text[], $3::text[], $4::text[]) as given (header, layout, expected)
         on conflict on constraint column_mappings_pkey do update set chosen_at = now()",
        owner.0,
        &headers,
        &layouts,
        &expected,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets what an owner has chosen; answers how much of it was there.
///
/// # Errors
/// See [`super::Error`].
pub async fn forget(connection: &mut Connection, owner: UserId, chosen: &[ColumnMapping]) -> Result<u64> {
    let [headers, layouts, expected] = columns(chosen);
    let done = sqlx::query!(
        "delete from column_mappings c
         using unnest($2::text[], $3::text[], $4::text[]) as given (header, layout, expected)
         where c.owner = $1 and c.header = given.header and c.layout = given.layout and c.expected = given.expected",
        owner.0,
        &headers,
        &layouts,
        &expected,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

fn columns(chosen: &[ColumnMapping]) -> [Vec<String>; 3] {
    let of = |part: fn(&ColumnMapping) -> &String| chosen.iter().map(|it| part(it).clone()).collect();
    [of(|it| &it.header), of(|it| &it.layout), of(|it| &it.expected)]
}
