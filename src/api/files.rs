//! Files: received, looked at, followed, removed.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sheetmill_engine::sheets::{HeaderOption, Hidden, IngestOptions, Merged, TextOptions};
use sheetmill_engine::tables::{ColumnKind, ColumnMeta, Issue, TableMeta};
use utoipa::ToSchema;

use super::caller::Bearer;
use super::error::ErrorView;
use super::stream::{Followed, Message, follow, last_seen};
use super::{Api, Error};
use crate::database::{Connection, files, members, tables};
use crate::domain::ids::{FileId, IngestId, RequestId, UserId};
use crate::domain::progress::Progress;
use crate::domain::states::IngestState;
use crate::events::Heard;
use crate::readings::ARCHIVE;
use crate::storage::Key;
use crate::upload::{Form, Received, Sender};

/// What became of a sent file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReceivedView {
    /// Its id; null when it was refused.
    #[schema(value_type = Option<String>, format = Uuid)]
    id: Option<FileId>,
    /// Its name.
    name: String,
    /// Its size.
    bytes: u64,
    /// Its hash, in hex.
    sha256: String,
    /// `received`, `ingesting`, `ready`, `refused` or `failed`.
    state: &'static str,
    /// Why it was refused.
    error: Option<ErrorView>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct FileView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    id: FileId,
    /// Its name.
    name: String,
    /// `xlsx`, `csv`, …: by content.
    format: String,
    /// Its size.
    bytes: i64,
    /// Its hash, in hex.
    sha256: String,
    /// `received`, `ingesting`, `ready`, `refused` or `failed`.
    state: &'static str,
    /// How far the reading has come, while it goes on.
    #[schema(value_type = Option<Object>)]
    progress: Option<Progress>,
    /// Data rows in all its tables.
    rows: i64,
    /// Its tables, once it is ready.
    tables: Vec<TableView>,
    /// Of an archive that is unpacked: what is in it; files of their own, if they can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<MemberView>>,
    /// The archive that it is a member of.
    #[schema(value_type = Option<String>, format = Uuid)]
    archive: Option<FileId>,
    /// Why it was refused or failed.
    error: Option<ErrorView>,
}

/// A member of an archive.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct MemberView {
    /// Its file; null where it is not taken.
    #[schema(value_type = Option<String>, format = Uuid)]
    id: Option<FileId>,
    /// Its name.
    name: String,
    /// Its bytes.
    bytes: i64,
    /// Why it is not taken.
    error: Option<ErrorView>,
}

/// A table: one sheet.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct TableView {
    /// The sheet's name.
    sheet: String,
    /// `visible`, `hidden` or `very_hidden`.
    visibility: String,
    /// Data rows.
    rows: i64,
    /// The rows that hold the header, first and last as Excel numbers them; null where there is none.
    header: Option<(u32, u32)>,
    /// Its columns, in sheet order.
    columns: Vec<ColumnView>,
    /// What is odd in it.
    issues: Vec<IssueView>,
}

/// Something odd in a table.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct IssueView {
    /// A stable word: `formula_without_value`, `merged_cells`, `error_cells`, …
    code: String,
    /// One sentence.
    sentence: String,
    /// How often.
    count: u64,
    /// Up to 20 places: addresses, rows, columns, or lines of a text.
    examples: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct ColumnView {
    /// Its name: the header, or what was made of it.
    name: String,
    /// What its cells are.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: ColumnKind,
}

/// Receives files: a multipart form with fields named `file`.
#[utoipa::path(
    post,
    path = "/api/v1/files",
    tag = "files",
    request_body(content = Object, content_type = "multipart/form-data", description = "The field `file`, repeatable"),
    responses(
        (status = 202, description = "What became of each", body = Vec<ReceivedView>),
        (status = 413, description = "A file is larger than allowed", body = super::error::Problem),
        (status = 422, description = "All of them are refused", body = Vec<ReceivedView>),
    )
)]
pub(super) async fn upload(api: web::Data<Api>, caller: Bearer, form: Form) -> Result<HttpResponse, Error> {
    let sender = Sender {
        user: caller.user,
        request: caller.request,
    };
    let received = api.uploads.receive(sender, &IngestOptions::default(), form).await?;
    let views: Vec<ReceivedView> = received.into_iter().map(|it| of_received(it, caller.request)).collect();
    // What is refused at the door has no id.
    if views.iter().all(|it| it.id.is_none()) {
        return Ok(super::error::all_refused(&views));
    }
    Ok(HttpResponse::Accepted().json(views))
}

fn of_received(received: Received, request: RequestId) -> ReceivedView {
    let error = received.error.map(|it| ErrorView {
        code: it.code,
        sentence: it.sentence,
        reference: Some(request),
    });
    ReceivedView {
        id: received.id,
        name: received.name,
        bytes: received.bytes,
        sha256: received.sha256.to_string(),
        state: received.state.as_str(),
        error,
    }
}

/// Shows a file and its tables.
#[utoipa::path(
    get,
    path = "/api/v1/files/{id}",
    tag = "files",
    params(("id" = String, Path, description = "The file")),
    responses(
        (status = 200, description = "How far its reading has come, and its tables", body = FileView),
        (status = 404, description = "There is no such file", body = super::error::Problem),
    )
)]
pub(super) async fn show(api: web::Data<Api>, caller: Bearer, id: web::Path<FileId>) -> Result<HttpResponse, Error> {
    Ok(HttpResponse::Ok().json(read(&api, caller.user, *id).await?))
}

/// Removes a file; its reading is cancelled where nobody else needs it.
#[utoipa::path(
    delete,
    path = "/api/v1/files/{id}",
    tag = "files",
    params(("id" = String, Path, description = "The file")),
    responses(
        (status = 204, description = "It is removed"),
        (status = 404, description = "There is no such file", body = super::error::Problem),
    )
)]
pub(super) async fn remove(api: web::Data<Api>, caller: Bearer, id: web::Path<FileId>) -> Result<HttpResponse, Error> {
    match api.uploads.remove(caller.user, *id).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(Error::NotFound("file")),
    }
}

/// Follows a file: `progress` and `state`, until its reading has ended.
#[utoipa::path(
    get,
    path = "/api/v1/files/{id}/events",
    tag = "files",
    params(
        ("id" = String, Path, description = "The file"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last `state` seen"),
    ),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream"),
        (status = 204, description = "Its reading has ended, and you have seen that"),
        (status = 404, description = "There is no such file", body = super::error::Problem),
    )
)]
pub(super) async fn events(
    request: HttpRequest,
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<FileId>,
) -> Result<HttpResponse, Error> {
    let followed = FollowedFile {
        owner: caller.user,
        file: *id,
        seen: last_seen(&request),
        shown: None,
        over: false,
    };
    follow(api, caller, followed).await
}

async fn read(api: &Api, owner: UserId, id: FileId) -> Result<FileView, Error> {
    let (file, tables, members) = {
        let mut connection = api.pool.acquire().await?;
        let file = files::find(&mut connection, owner, id)
            .await?
            .ok_or(Error::NotFound("file"))?;
        let ready = file.state == IngestState::Ready;
        let tables = if ready {
            tables::of(&mut connection, file.ingest).await?
        } else {
            Vec::new()
        };
        let members = if ready && file.format == ARCHIVE {
            Some(members_of(&mut connection, owner, &file).await?)
        } else {
            None
        };
        (file, tables, members)
    };
    let mut views = Vec::with_capacity(tables.len());
    for table in tables {
        let position = u32::try_from(table.position).unwrap_or_default();
        let meta = meta(api, file.ingest, position).await?;
        views.push(TableView::of(table, meta));
    }
    Ok(FileView {
        id: file.id,
        name: file.name,
        format: file.format,
        bytes: file.bytes,
        sha256: file.sha256.to_string(),
        state: file.state.as_str(),
        progress: file.progress.map(|it| it.0),
        rows: file.rows,
        tables: views,
        members,
        archive: file.parent,
        error: ErrorView::of(file.code, file.sentence, file.reference.map(RequestId)),
    })
}

/// The files of an archive's members that are still there, and what was not taken.
async fn members_of(
    connection: &mut Connection,
    owner: UserId,
    archive: &files::File,
) -> Result<Vec<MemberView>, Error> {
    let taken = files::of_archive(connection, owner, archive.id).await?;
    let refused = members::of(connection, archive.ingest).await?;
    let taken = taken.into_iter().map(|it| MemberView {
        id: Some(it.id),
        name: it.name,
        bytes: it.bytes,
        error: None,
    });
    let refused = refused.into_iter().filter(|it| it.blob.is_none()).map(|it| MemberView {
        id: None,
        name: it.name,
        bytes: it.bytes,
        error: ErrorView::of(it.code, it.sentence, None),
    });
    Ok(taken.chain(refused).collect())
}

impl TableView {
    fn of(table: tables::Table, meta: TableMeta) -> Self {
        let column = |it: ColumnMeta| ColumnView {
            name: it.name,
            kind: it.kind,
        };
        let issue = |it: Issue| IssueView {
            code: it.code,
            sentence: it.sentence,
            count: it.count,
            examples: it.examples,
        };
        Self {
            sheet: table.sheet,
            visibility: table.visibility,
            rows: table.rows,
            header: meta.header,
            columns: meta.columns.into_iter().map(column).collect(),
            issues: meta.issues.into_iter().map(issue).collect(),
        }
    }
}

/// A table's `table.json`.
async fn meta(api: &Api, ingest: IngestId, position: u32) -> Result<TableMeta, Error> {
    let bytes = api.storage.get(&Key::TableMeta(ingest, position), None).await?;
    let bytes: Vec<u8> = bytes
        .try_fold(Vec::new(), async |mut all, piece| {
            all.extend_from_slice(&piece);
            Ok(all)
        })
        .await?;
    serde_json::from_slice(&bytes).map_err(|cause| Error::Internal(cause.to_string()))
}

/// How a file is read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    /// `"auto"`, `"none"`, or the rows of the header, first and last: `[2, 3]`.
    #[serde(default)]
    #[schema(value_type = Value)]
    header: Option<HeaderRows>,
    /// Whether each cell of a merged area holds the area's value: `keep` (the first one only) or `fill`.
    #[serde(default)]
    #[schema(value_type = String)]
    merged: Merged,
    /// What becomes of rows and columns that do not show: `read` or `leave_out`.
    #[serde(default)]
    #[schema(value_type = String)]
    hidden: Hidden,
    /// A label of the Encoding Standard for plain text; null: found out.
    #[serde(default)]
    encoding: Option<String>,
    /// What separates fields of plain text: one ASCII character; null: found out.
    #[serde(default)]
    delimiter: Option<char>,
}

/// The forms of a header option.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum HeaderRows {
    Word(String),
    Row(u32),
    Rows(u32, u32),
}

impl Options {
    fn into_ingest(self) -> Result<IngestOptions, Error> {
        let wrong = |sentence: &str| Error::invalid("wrong_options", sentence);
        let header = match self.header {
            None => HeaderOption::Auto,
            Some(HeaderRows::Word(word)) if word == "auto" => HeaderOption::Auto,
            Some(HeaderRows::Word(word)) if word == "none" => HeaderOption::None,
            Some(HeaderRows::Word(_)) => {
                return Err(wrong("`header` is \"auto\", \"none\", a row, or two rows: [2, 3]."));
            }
            Some(HeaderRows::Row(row)) => HeaderOption::Rows(row, row),
            Some(HeaderRows::Rows(first, last)) => HeaderOption::Rows(first.min(last), first.max(last)),
        };
        if matches!(header, HeaderOption::Rows(0, _)) {
            return Err(wrong("Rows are counted from 1."));
        }
        if self.delimiter.is_some_and(|it| !it.is_ascii()) {
            return Err(wrong("`delimiter` is one ASCII character."));
        }
        Ok(IngestOptions {
            header,
            merged: self.merged,
            hidden: self.hidden,
            text: TextOptions {
                encoding: self.encoding,
                delimiter: self.delimiter,
            },
        })
    }
}

/// Reads a file again in another way: its tables are others once it is ready.
#[utoipa::path(
    put,
    path = "/api/v1/files/{id}/options",
    tag = "files",
    params(("id" = String, Path, description = "The file")),
    request_body = Options,
    responses(
        (status = 202, description = "It is read under these options from now on", body = FileView),
        (status = 404, description = "There is no such file", body = super::error::Problem),
        (status = 409, description = "A run works on it", body = super::error::Problem),
        (status = 422, description = "What is wrong with the options", body = super::error::Problem),
    )
)]
pub(super) async fn read_again(
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<FileId>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let options: Options = serde_json::from_slice(&body)
        .map_err(|cause| Error::invalid("not_understood", format!("The body is not as described: {cause}.")))?;
    let sender = Sender {
        user: caller.user,
        request: caller.request,
    };
    let state = api.uploads.read_again(sender, *id, &options.into_ingest()?).await?;
    state.ok_or(Error::NotFound("file"))?;
    Ok(HttpResponse::Accepted().json(read(&api, caller.user, *id).await?))
}

/// A file that a client follows.
struct FollowedFile {
    owner: UserId,
    file: FileId,
    /// The step of its life that the client has seen.
    seen: Option<i64>,
    /// What it was told last.
    shown: Option<FileView>,
    over: bool,
}

impl Followed for FollowedFile {
    fn concerns(&self, heard: &Heard) -> bool {
        match heard {
            // Files with the same bytes are read once, and told of under any of their ids.
            Heard::Event(told) => told.event.file.is_some(),
            Heard::Progress(told) => told.run.is_none() && told.files.contains(&self.file),
            Heard::Gap => true,
        }
    }

    async fn look(&mut self, api: &Api) -> Result<Vec<Message>, Error> {
        let view = read(api, self.owner, self.file).await?;
        let state = view
            .state
            .parse::<IngestState>()
            .map_err(|cause| Error::Internal(cause.to_string()))?;
        self.over = state.is_final();
        let step = IngestState::ALL
            .iter()
            .position(|it| *it == state)
            .and_then(|it| i64::try_from(it).ok());
        let mut news = Vec::new();
        if self.seen != step {
            news.push(Message::new("state", step, &view)?);
            self.seen = step;
        } else if self.shown.as_ref().is_none_or(|shown| shown.progress != view.progress) && !self.over {
            news.push(Message::new("progress", None, &view.progress)?);
        }
        self.shown = Some(view);
        Ok(news)
    }

    fn is_over(&self) -> bool {
        self.over
    }
}
