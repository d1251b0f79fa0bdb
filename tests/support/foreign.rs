//! Clients in other languages, against the real binary: packages from a lock file, one address whatever port the server has, and
//! a server that is killed when the client says so.

use super::{Options, Server};
use offhook::gateway::auth::agent_token::Role;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

pub const WORKSPACE: &str = "demo";

const CLIENT_MAX: Duration = Duration::from_secs(600);

/// Runs it to its end, which must be a good one.
pub fn must(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {}\n{said}", done.status);
}

/// The interpreter of a venv in `place` that holds what `requirements` names: made once, whichever test comes first.
pub fn python(requirements: &Path, place: &Path) -> PathBuf {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let python = place.join("bin/python3");
    let wanted = std::fs::read_to_string(requirements).expect("requirements.txt");
    let done = place.join("requirements.txt");
    if std::fs::read_to_string(&done).ok().as_deref() != Some(&wanted) {
        must(Command::new("python3").args(["-m", "venv", "--clear"]).arg(place));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        must(Command::new(&python).args(pip).arg(requirements));
        std::fs::write(done, wanted).expect("the venv can be written");
    }
    python
}

/// Copies `files` (and folders) of `from` to `place`, and installs there what its lock file names, unless that is there already.
pub fn npm(from: &Path, files: &[&str], place: &Path) {
    std::fs::create_dir_all(place).expect("the directory can be made");
    let lock = std::fs::read_to_string(from.join("package-lock.json")).expect("package-lock.json");
    assert!(!lock.contains("\"resolved\""), "the lock names a registry: npm install --omit-lockfile-registry-resolved");
    let done = place.join("node_modules/.installed");
    let is_there = std::fs::read_to_string(&done).ok().as_ref() == Some(&lock);
    for file in files {
        copy(&from.join(file), &place.join(file));
    }
    if !is_there {
        must(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(place));
        std::fs::write(done, lock).expect("it can be written");
    }
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        std::fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        return;
    }
    std::fs::create_dir_all(to).expect("the directory can be made");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// Where `OFFHOOK_DOC_PICTURES` names the directory of the documents' pictures, those that a client has made in `place` are taken over: each by
/// its name there, and its name in the documents.
pub fn pictures_for_documents(place: &Path, taken: &[(&str, &str)]) {
    let Some(documents) = std::env::var_os("OFFHOOK_DOC_PICTURES") else { return };
    for (picture, document) in taken {
        let from = place.join("pictures").join(format!("{picture}.png"));
        std::fs::copy(from, Path::new(&documents).join(format!("{document}.png"))).expect("a picture");
    }
}

/// One address for the client, whatever port the server has after it was started again.
pub async fn front(server: SocketAddr) -> (SocketAddr, Arc<Mutex<SocketAddr>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let behind = Arc::new(Mutex::new(server));
    let target = Arc::clone(&behind);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let server = *target.lock().expect("never poisoned");
            tokio::spawn(async move {
                // While it is down, the client's connection ends at once, as it would without us.
                if let Ok(mut server) = TcpStream::connect(server).await {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    (address, behind)
}

/// Runs a client; kills and restarts the server when it says `kill`; it must end with `done`.
pub async fn does_the_job(command: Command) {
    does_the_job_with(Options::default().without_rate_limits(), command).await;
}

/// The same, with a server of these options.
pub async fn does_the_job_with(options: Options, command: Command) {
    does_the_job_within(options, command, CLIENT_MAX).await;
}

/// A client that has not ended after `most` is stuck: it is killed, so that the test says what it said so far instead of never ending.
pub async fn does_the_job_within(options: Options, mut command: Command, most: Duration) {
    let mut server = tokio::task::spawn_blocking(move || Server::start(&options)).await.expect("a server");
    server.workspace(WORKSPACE).await;
    let (address, behind) = front(server.address).await;
    command
        .env("OFFHOOK_URL", format!("http://{address}"))
        .env("OFFHOOK_WORKSPACE", WORKSPACE)
        .env("OFFHOOK_TOKEN", server.agent_token(WORKSPACE, "ada", Role::Agent))
        .env("OFFHOOK_TOKEN_2", server.agent_token(WORKSPACE, "eve", Role::Agent))
        .env("OFFHOOK_SUPERVISOR", server.agent_token(WORKSPACE, "sue", Role::Supervisor))
        .env("OFFHOOK_ADMIN", server.agent_token(WORKSPACE, "boss", Role::Admin))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let run = move || {
        let mut client = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (ended, is_ended) = mpsc::channel::<()>();
        let pid = Pid::from_child(&client);
        let stuck = std::thread::spawn(move || {
            let stuck = is_ended.recv_timeout(most) == Err(mpsc::RecvTimeoutError::Timeout);
            if stuck {
                let _ = kill_process(pid, Signal::KILL);
            }
            stuck
        });
        let mut errors = client.stderr.take().expect("piped");
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut input = client.stdin.take().expect("piped");
        let mut said = Vec::new();
        for line in BufReader::new(client.stdout.take().expect("piped")).lines().map_while(Result::ok) {
            if line == "kill" {
                server.kill();
                server.start_again();
                *behind.lock().expect("never poisoned") = server.address;
                input.write_all(b"back\n").expect("the client listens");
            }
            if line.starts_with("figure ") {
                println!("{line}");
            }
            said.push(line);
        }
        let status = client.wait().expect("a client that can be waited for");
        drop(ended);
        let errors = errors.join().unwrap_or_default();
        let stuck = stuck.join().expect("it only waits");
        assert!(!stuck, "{command:?}: not done after {most:?}, {said:?}\n{errors}\nthe server:\n{}", server.log_tail());
        let done = status.success() && said.last().is_some_and(|line| line == "done");
        assert!(done, "{command:?}: {status}, {said:?}\n{errors}\nthe server:\n{}", server.log_tail());
        assert!(said.iter().any(|line| line == "kill"), "it never asked for the restart");
    };
    tokio::task::spawn_blocking(run).await.expect("the client did its job");
}
