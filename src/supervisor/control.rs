//! The door to a running supervisor: a socket in the data directory, for whoever owns that directory, and root. One question, then lines of JSON.

use super::child::{Binary, NOT_HANDED_ON};
use super::stand_in::Known;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};

const NAME: &str = "supervisor.sock";
const CONNECTIONS_MAX: usize = 8;
const ASK_BYTES_MAX: u64 = 8 * 1024;
const ASK_WITHIN: Duration = Duration::from_secs(5);
/// Progress is a dozen lines; who does not read them misses some.
const LINES_MAX: usize = 32;
/// How long one question of the preflight may take, and what is read of the answer.
const PREFLIGHT_WITHIN: Duration = Duration::from_secs(30);
const PREFLIGHT_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// An absolute path.
    Upgrade(PathBuf),
    Status,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Progress(String),
    /// The last one of an upgrade. `outcome` is `done`, `rolled_back`, `refused` or `interrupted`.
    Outcome {
        outcome: String,
        why: Option<String>,
    },
    Status(Box<super::facts::Facts>),
}

/// An upgrade that has passed its preflight.
pub(super) struct Wanted {
    pub binary: Binary,
    pub lines: mpsc::Sender<Line>,
}

/// The path of the socket in `dir`, however long that is: through a descriptor of the directory, since an address has room for 107 bytes.
fn through(dir: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{NAME}", dir.as_raw_fd()))
}

/// What a connection needs.
struct Room {
    arguments: Vec<OsString>,
    known: Arc<Known>,
    upgrades: mpsc::Sender<Wanted>,
}

/// Opens the door. To be called while the server holds the data directory's lock: then whoever was there before is gone.
pub(super) fn open(
    dir: &Path,
    arguments: Vec<OsString>,
    known: Arc<Known>,
    upgrades: mpsc::Sender<Wanted>,
) -> io::Result<()> {
    let held = File::open(dir)?;
    let path = through(&held);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let room = Arc::new(Room { arguments, known, upgrades });
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    tokio::spawn(async move {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors: nobody tells when there are some again.
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            };
            let room = room.clone();
            tokio::spawn(async move {
                if let Err(error) = serve(stream, &room).await {
                    tracing::debug!(%error, "a connection to the supervisor ended early");
                }
                drop(place);
            });
        }
    });
    Ok(())
}

/// Takes the socket's name away; best effort, as a name that leads nowhere harms nobody.
pub(super) fn close(dir: &Path) {
    let _ = std::fs::remove_file(dir.join(NAME));
}

async fn serve(mut stream: UnixStream, room: &Room) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    let peer = stream.peer_cred()?.uid();
    if peer != own && peer != 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let (reading, mut writing) = stream.split();
    let mut lines = BufReader::new(reading.take(ASK_BYTES_MAX)).lines();
    let asked = tokio::time::timeout(ASK_WITHIN, lines.next_line()).await??.unwrap_or_default();
    match serde_json::from_str(&asked)? {
        Ask::Status => {
            let facts = Box::new(room.known.facts().clone());
            write(&mut writing, &Line::Status(facts)).await
        }
        Ask::Upgrade(path) => {
            let (lines, mut told) = mpsc::channel(LINES_MAX);
            tokio::join!(upgrade(path, lines, room), async {
                // Who no longer listens changes nothing: the upgrade goes on.
                while let Some(line) = told.recv().await {
                    let _ = write(&mut writing, &line).await;
                }
            });
            Ok(())
        }
    }
}

async fn write(to: &mut (impl AsyncWriteExt + Unpin), line: &Line) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    to.write_all(&bytes).await
}

async fn upgrade(path: PathBuf, lines: mpsc::Sender<Line>, room: &Room) {
    let refused = match preflight(&path, &room.arguments, &lines).await {
        Ok(binary) => match room.upgrades.send(Wanted { binary, lines: lines.clone() }).await {
            Ok(()) => return,
            Err(_) => "the supervisor stops".to_owned(),
        },
        Err(why) => why,
    };
    tracing::warn!(path = %path.display(), why = refused, "an upgrade was refused");
    *room.known.facts().upgrades.entry("refused".to_owned()).or_default() += 1;
    let _ = lines.try_send(Line::Outcome { outcome: "refused".to_owned(), why: Some(refused) });
}

/// Whether the binary can be asked for its version, and finds these settings and this data to be sound. Nothing is changed.
async fn preflight(path: &Path, arguments: &[OsString], lines: &mpsc::Sender<Line>) -> Result<Binary, String> {
    let shown = path.display();
    if !path.is_absolute() {
        return Err(format!("{shown}: the path must be absolute"));
    }
    let said = run(path, &["--version".into()]).await.map_err(|why| format!("{shown} --version: {why}"))?;
    // What follows are facts of its build, for people.
    let Some(version) = said.lines().next().and_then(|line| line.trim().strip_prefix("offhook ")) else {
        return Err(format!("{shown} --version: that is not an offhook"));
    };
    let _ = lines.try_send(Line::Progress(format!("{shown} is version {version}")));
    let mut check = arguments.to_vec();
    check.extend(["check".into(), "--data".into()]);
    run(path, &check).await.map_err(|why| format!("{shown} check --data: {why}"))?;
    let _ = lines.try_send(Line::Progress("it finds the settings and the data to be sound".to_owned()));
    Binary::open(path, version.to_owned()).map_err(|error| format!("{shown}: {error}"))
}

/// What it printed; the error is a sentence with what it said.
async fn run(path: &Path, arguments: &[OsString]) -> Result<String, String> {
    let mut command = tokio::process::Command::new(path);
    for name in NOT_HANDED_ON {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    super::oom::not_spared(child.id());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::join!(text(out), text(err), child.wait()) };
    let Ok((out, err, status)) = tokio::time::timeout(PREFLIGHT_WITHIN, all).await else {
        return Err(format!("no end within {} s", PREFLIGHT_WITHIN.as_secs()));
    };
    let status = status.map_err(|error| error.to_string())?;
    match status.success() {
        true => Ok(out),
        false => Err(format!("{status}: {}", err.trim())),
    }
}

/// Of what is more, the rest is not read, so that the program ends at a closed pipe.
async fn text(from: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let _ = from.take(PREFLIGHT_BYTES_MAX).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The other end, for the command line.
pub struct Conversation {
    lines: Lines<BufReader<UnixStream>>,
}

impl Conversation {
    /// Asks the supervisor whose server has this data directory.
    ///
    /// # Errors
    /// Nobody is there, or it is not ours to ask.
    pub async fn begin(dir: &Path, ask: &Ask) -> io::Result<Self> {
        let held = File::open(dir)?;
        let mut stream = UnixStream::connect(through(&held)).await?;
        let mut bytes = serde_json::to_vec(ask)?;
        bytes.push(b'\n');
        stream.write_all(&bytes).await?;
        Ok(Self { lines: BufReader::new(stream).lines() })
    }

    /// The next line; `None` when the supervisor has no more to say, or is gone.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        match self.lines.next_line().await? {
            Some(line) => Ok(Some(serde_json::from_str(&line)?)),
            None => Ok(None),
        }
    }
}
