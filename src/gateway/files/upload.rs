//! An upload, whoever sends it: its bytes go to the disk as they come, in a cluster from there to where all nodes find them, and what is not taken leaves nothing behind.

use super::scan::Scanned;
use super::{Counter, GRAIN_BYTES};
use crate::clock;
use crate::desk::files::{FILE_BYTES_MAX, FileRules};
use crate::desk::ids::{ConversationId, KeyNumber, Principal};
use crate::files::{
    About, Announced, CHUNK_BYTES, Incoming, NotOpened, NotShared, NotTaken, Place, Stored, Whole, name,
};
use crate::gateway::http::asking::Asked;
use crate::gateway::http::desks::Desk;
use crate::gateway::http::idempotency::command_id;
use crate::gateway::http::problem::{Problem, answer};
use crate::gateway::http::query::Query;
use crate::overload::{Purpose, Rung, Weight, disk, memory};
use crate::seal::{self, SealFailed};
use crate::telemetry::catalogue::{FILES_UPLOADING, FILES_UPLOADS_TOTAL};
use crate::wire::error::{Code, More, WireError};
use crate::wire::files::{FileShape, UploadedShape};
use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use bytes::{Buf as _, Bytes};
use futures_util::stream::{Stream, StreamExt as _, try_unfold};
use http::{StatusCode, header};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// What one file under way takes at most: a chunk that is gathered, the same sealed, and what the connection read.
pub(super) const UNDER_WAY_BYTES: usize = 3 * CHUNK_BYTES;
/// A sender may say nothing for so long, beyond what its rate gives it.
const SILENT_MS_MAX: u64 = 10_000;
/// When there may be room again: for one more, on the disk, and for a scan; and when servers of NATS may answer again.
const BUSY_RETRY_MS: u64 = 1_000;
const FULL_RETRY_MS: u64 = 60_000;
const SCAN_RETRY_MS: u64 = 5_000;
pub(super) const SHARED_RETRY_MS: u64 = 2_000;
/// What is refused is read on for so long, since a client that is still sending may never see the answer.
const READ_ON: Duration = Duration::from_secs(5);

/// Who sends a file, and to where; that it may is known.
pub(super) struct Sent {
    pub desk: Arc<dyn Desk>,
    pub principal: Principal,
    /// As the file's id follows from.
    pub sender: String,
    pub conversation: ConversationId,
    pub key: KeyNumber,
}

/// Before anybody is looked up.
///
/// # Errors
/// Memory or disk are short.
pub(super) fn admit() -> Result<(), Problem> {
    memory().admit(Rung::History)?;
    if disk().is_low() { Err(disk().refuse_start().into()) } else { Ok(()) }
}

/// What the request says of the file, before a byte of it is read.
pub(super) struct Head {
    name: String,
    bytes: u64,
    rules: FileRules,
}

impl Head {
    /// # Errors
    /// No files are allowed here; the name is none, the length is missing or too large.
    pub(super) fn of(desk: &dyn Desk, asked: &Asked) -> Result<Self, Problem> {
        let none = || Problem::forbidden("this workspace takes no files");
        let rules = FileRules::in_force(&desk.published().settings.files).cloned().ok_or_else(none)?;
        let query = Query::parse(asked.query.as_deref(), &["name"])?;
        let given = query.text("name").filter(|given| given.len() <= name::NAME_BYTES_MAX);
        let name = given.and_then(name::shown).ok_or_else(|| {
            Problem::bad_request(format!("a name is needed, of 1 to {} bytes", name::NAME_BYTES_MAX)).at("name")
        })?;
        let length = asked.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let bytes: u64 = length.and_then(|length| length.parse().ok()).ok_or_else(|| {
            Problem::new(Code::LengthRequired, "Content-Length is needed: how many bytes the file has")
                .at("Content-Length")
        })?;
        if bytes == 0 {
            return Err(Problem::bad_request("the file is empty").at("body"));
        }
        let most = rules.max_bytes.min(FILE_BYTES_MAX);
        if bytes > most {
            let problem = WireError::new(Code::TooLarge, format!("a file has at most {most} bytes")).at("body");
            return Err(Problem(WireError { more: Some(More::MaxBytes(most)), ..problem }));
        }
        Ok(Self { name, bytes, rules })
    }
}

/// Takes the file, where that may be, and answers.
pub(super) async fn take(
    counter: &Counter,
    sent: Result<(Sent, Head), Problem>,
    asked: &Asked,
    body: Body,
) -> Response {
    let mut body = body.into_data_stream();
    let stored = async {
        let (sent, head) = sent?;
        taken(counter, sent, head, asked, &mut body).await
    };
    match stored.await {
        Ok(shape) => {
            metrics::counter!(FILES_UPLOADS_TOTAL, "result" => "stored").increment(1);
            answer(StatusCode::CREATED, &UploadedShape { file: shape })
        }
        Err(problem) => refused(problem, body).await,
    }
}

/// Answers what is not taken; what still comes is read for a while.
async fn refused(problem: Problem, mut body: BodyDataStream) -> Response {
    use axum::response::IntoResponse;
    metrics::counter!(FILES_UPLOADS_TOTAL, "result" => problem.0.code.name()).increment(1);
    let mut left = FILE_BYTES_MAX as usize;
    let reading_on = async {
        while let Some(Ok(bytes)) = body.next().await {
            left = left.saturating_sub(bytes.len());
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(READ_ON, reading_on).await;
    problem.into_response()
}

async fn taken(
    counter: &Counter,
    sent: Sent,
    head: Head,
    asked: &Asked,
    body: &mut BodyDataStream,
) -> Result<FileShape, Problem> {
    let command = command_id(&asked.headers)?;
    let workspace = sent.desk.name().clone();
    sent.desk.has_storage(head.bytes)?;
    let busy = || Problem(WireError::busy(BUSY_RETRY_MS));
    let begun = counter.senders.begin(&workspace, sent.principal);
    let _under_way = begun.ok_or_else(|| Problem::rate_limited("files", BUSY_RETRY_MS))?;
    let _permit = counter.uploads.try_acquire().map_err(|_| busy())?;
    let _taken = memory().reserve.guard(Purpose::Files, Weight::Ordinary, UNDER_WAY_BYTES)?;
    let _shown = Shown::new();
    if let Principal::Customer(customer) = sent.principal {
        let grains = head.bytes.div_ceil(GRAIN_BYTES).min(counter.bounds.visitor_bytes_per_h / GRAIN_BYTES);
        let had = counter.bytes_of_visitors.take_many((&*workspace, customer), grains, counter.now_ms());
        had.map_err(|retry_after_ms| Problem::rate_limited("file_bytes", retry_after_ms))?;
    }
    let file = counter.files.id_of(&workspace, sent.conversation, &sent.sender, command);
    let announced = Announced {
        place: Place { workspace, conversation: sent.conversation, file },
        key: seal::KeyNumber(sent.key.0),
        name: head.name,
        bytes: head.bytes,
        types: head.rules.types.clone(),
    };
    let (files, types) = (counter.files.clone(), &head.rules.types);
    let incoming = blocking(move || files.begin(announced), types).await?;
    let incoming = receive(incoming, body, head.bytes, counter.bounds.bytes_per_s_min, types).await?;
    let whole = blocking(move || incoming.finish(), types).await?;
    let whole = scanned(counter, whole, types).await?;
    counter.files.share(&whole).await.map_err(|not_taken| problem_of(not_taken, types))?;
    let about = blocking(move || whole.keep(), types).await?;
    let About { name, kind, bytes, width, height, sha256: _ } = about;
    Ok(FileShape { file, name, kind: kind.into(), bytes, width, height })
}

/// How many are under way, for the gauge.
struct Shown;

impl Shown {
    fn new() -> Self {
        metrics::gauge!(FILES_UPLOADING).increment(1.0);
        Self
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        metrics::gauge!(FILES_UPLOADING).decrement(1.0);
    }
}

/// From the socket to the disk, a chunk at a time.
async fn receive(
    mut incoming: Incoming,
    body: &mut BodyDataStream,
    length: u64,
    bytes_per_s_min: u64,
    types: &[Arc<str>],
) -> Result<Incoming, Problem> {
    let began_ms = clock::monotonic_ms();
    let (mut chunk, mut received) = (Vec::with_capacity(CHUNK_BYTES + 64), 0_u64);
    loop {
        let may_take_ms = SILENT_MS_MAX + received.saturating_mul(1_000) / bytes_per_s_min;
        let left_ms = (began_ms + may_take_ms).saturating_sub(clock::monotonic_ms());
        let came = tokio::time::timeout(Duration::from_millis(left_ms), body.next()).await;
        let came = came.map_err(|_| {
            Problem::bad_request(format!("the file came at less than {bytes_per_s_min} bytes a second")).at("body")
        })?;
        let broke_off = || Problem::bad_request("the file broke off").at("body");
        let mut bytes: Bytes = came.ok_or_else(broke_off)?.map_err(|_| broke_off())?;
        received += bytes.len() as u64;
        if received > length {
            return Err(Problem::bad_request("the file is longer than it said").at("body"));
        }
        while !bytes.is_empty() {
            let fits = (CHUNK_BYTES - chunk.len()).min(bytes.len());
            chunk.extend_from_slice(&bytes[..fits]);
            bytes.advance(fits);
            let last = received == length && bytes.is_empty();
            if chunk.len() == CHUNK_BYTES || last {
                let wrote = move || incoming.write(chunk, last).map(|chunk| (incoming, chunk));
                (incoming, chunk) = blocking(wrote, types).await?;
            }
            if last {
                return Ok(incoming);
            }
        }
    }
}

async fn scanned(counter: &Counter, whole: Whole, types: &[Arc<str>]) -> Result<Whole, Problem> {
    let Some(scan) = &counter.scan else { return Ok(whole) };
    let files = counter.files.clone();
    let opened = move || match files.open_whole(&whole) {
        Ok(stored) => Ok((whole, stored)),
        Err(error) => Err(NotTaken::Failed(io::Error::other(error))),
    };
    let (whole, stored) = blocking(opened, types).await?;
    match scan.look_at(&whole, stored).await {
        Scanned::Clean => Ok(whole),
        Scanned::Refused => Err(Problem::new(Code::FileRefused, "the file was looked at and refused")),
        Scanned::Unknown => {
            Err(Problem(WireError::unavailable(SCAN_RETRY_MS, "files cannot be looked at, which is needed here")))
        }
    }
}

/// Where it may wait for the disk. What is dropped in between, for a client that went, is dropped there too.
async fn blocking<T: Send + 'static>(
    on: impl FnOnce() -> Result<T, NotTaken> + Send + 'static,
    types: &[Arc<str>],
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(on).await {
        Ok(done) => done.map_err(|not_taken| problem_of(not_taken, types)),
        Err(_) => Err(Problem::internal()),
    }
}

fn problem_of(not_taken: NotTaken, types: &[Arc<str>]) -> Problem {
    let unavailable = |why| Problem(WireError::unavailable(FULL_RETRY_MS, why));
    match not_taken {
        NotTaken::Kind => {
            let problem =
                WireError::new(Code::BadRequest, "what is in the file is of no kind that is allowed").at("type");
            Problem(WireError { more: Some(More::Allowed(types.to_vec())), ..problem })
        }
        NotTaken::TooManyPixels => Problem::bad_request("the picture is too large to be shown").at("body"),
        NotTaken::Differs => Problem::new(Code::IdReused, "this command id was used with another file"),
        NotTaken::NotCounted => Problem(WireError::unavailable(BUSY_RETRY_MS, "the files are being counted")),
        NotTaken::Full => unavailable("the workspace's files take what they may"),
        NotTaken::Sealed(SealFailed::Erased) => Problem::forbidden("this customer was erased"),
        NotTaken::Sealed(error) => {
            tracing::error!(%error, "a file could not be sealed");
            unavailable("nothing can be sealed")
        }
        NotTaken::Shared(NotShared::NoMemory) => Problem(WireError::busy(BUSY_RETRY_MS)),
        NotTaken::Shared(error @ NotShared::Full(_)) => {
            tracing::error!(%error, "a file could not be shared");
            unavailable("the cluster's files take what they may")
        }
        NotTaken::Shared(error) => {
            tracing::warn!(%error, "a file could not be shared");
            Problem(WireError::unavailable(SHARED_RETRY_MS, "the cluster's files cannot be reached"))
        }
        NotTaken::Failed(error) => {
            tracing::error!(%error, "a file could not be stored");
            unavailable("the file cannot be stored")
        }
    }
}

/// What is in a file, chunk by chunk; whatever is wrong with it breaks it off.
pub(super) fn chunks_of(stored: Stored) -> impl Stream<Item = io::Result<Bytes>> + Send {
    try_unfold(stored, |mut stored| async move {
        let read = tokio::task::spawn_blocking(move || stored.next_chunk().map(|chunk| (chunk, stored)));
        match read.await {
            Ok(Ok((Some(chunk), stored))) => Ok(Some((Bytes::from(chunk), stored))),
            Ok(Ok((None, _))) => Ok(None),
            Ok(Err(error)) => {
                if !matches!(error, NotOpened::None) {
                    tracing::error!(%error, "a file cannot be read");
                }
                Err(io::Error::other(error))
            }
            Err(_) => Err(io::Error::other("a thread ended")),
        }
    })
}
