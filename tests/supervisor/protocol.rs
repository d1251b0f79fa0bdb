//! What is handed down and told up, by the protocols that systemd speaks: to the server alone, and to the supervisor over it.

use super::alone;
use super::support::{Http, Options, PATIENCE, Server};
use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts `serve` as systemd does: listening sockets at 3 and 4, and a socket to tell.
struct Unit {
    child: Child,
    public: SocketAddr,
    told: UnixDatagram,
    dir: tempfile::TempDir,
}

impl Unit {
    fn start(flags: &[&str], names: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let told = UnixDatagram::bind(dir.path().join("notify")).unwrap();
        told.set_read_timeout(Some(PATIENCE)).unwrap();
        let sockets = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
        let public = sockets[usize::from(names.starts_with("operators"))].local_addr().unwrap();
        let fds = sockets.each_ref().map(AsRawFd::as_raw_fd);
        let mut command = Command::new("sh");
        command.args(["-c", "LISTEN_PID=$$ exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_offhook"), "serve"]).args(flags);
        command.env("LISTEN_FDS", "2").env("LISTEN_FDNAMES", names).env("NOTIFY_SOCKET", dir.path().join("notify"));
        command.env("WATCHDOG_USEC", "3000000").env("OFFHOOK_SERVER__DATA_DIR", dir.path().join("data"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        hand_in(&mut command, fds);
        Self { child: command.spawn().unwrap(), public, told, dir }
    }

    fn until_told(&self, word: &str) {
        let mut bytes = [0; 4_096];
        loop {
            let length = self.told.recv(&mut bytes).unwrap_or_else(|error| panic!("no {word}: {error}"));
            if String::from_utf8_lossy(&bytes[..length]).lines().any(|line| line == word) {
                return;
            }
        }
    }
}

/// At 3 and on; they are open until the child has been started.
fn hand_in<const COUNT: usize>(command: &mut Command, fds: [RawFd; COUNT]) {
    // SAFETY: system calls alone, on descriptors that are open.
    unsafe {
        command.pre_exec(move || {
            // Out of the way of those places first.
            let kept = fds.map(|fd| libc::fcntl(fd, libc::F_DUPFD, 100));
            for (place, fd) in (3..).zip(kept) {
                libc::dup2(fd, place);
                libc::close(fd);
            }
            Ok(())
        })
    };
}

impl Drop for Unit {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn systemd_hands_in_sockets_and_is_told_of_ready_beats_and_the_end() {
    let _alone = alone().await;
    for flags in [&["--no-supervisor"][..], &[]] {
        let mut unit = Unit::start(flags, "operators:public");
        unit.until_told("READY=1");
        let mut http = Http::connect(unit.public).await.unwrap();
        let answer = http.ask("GET", "/v1/nothing", "", b"").await.unwrap();
        assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("not_found")), "by name, not by place");
        unit.until_told("WATCHDOG=1");
        super::send(unit.child.id().cast_signed(), libc::SIGTERM);
        unit.until_told("STOPPING=1");
        assert!(unit.child.wait().unwrap().success());
        assert!(unit.dir.path().join("data/journal.db").is_file());
    }
}

#[test]
fn what_is_no_listening_socket_is_refused_by_its_place() {
    let mut command = Command::new("sh");
    let line = "exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" serve --no-supervisor";
    command.args(["-c", line, env!("CARGO_BIN_EXE_offhook")]).stdin(Stdio::null());
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(said.contains("descriptor 1 of LISTEN_FDS"), "{said}");
}

#[test]
fn a_socket_that_others_can_reach_needs_keys_as_an_address_in_the_settings_does() {
    // Of every address, but by the loopback's device alone.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let device = c"lo";
    // SAFETY: the option's value is a name that lives as long as the call.
    let bound = unsafe {
        let length = device.count_bytes() as libc::socklen_t;
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_BINDTODEVICE, device.as_ptr().cast(), length)
    };
    assert_eq!(bound, 0, "{}", std::io::Error::last_os_error());
    socket.bind(&SocketAddr::from(([0, 0, 0, 0], 0)).into()).unwrap();
    socket.listen(1).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for flags in [&["--no-supervisor"][..], &[]] {
        let mut command = Command::new("sh");
        command.args(["-c", "LISTEN_PID=$$ exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_offhook"), "serve"]).args(flags);
        command.env("LISTEN_FDS", "1").env("OFFHOOK_SERVER__DATA_DIR", dir.path().join("data")).stdin(Stdio::null());
        command.env("OFFHOOK_SERVER__OPERATORS_LISTEN", "127.0.0.1:0");
        hand_in(&mut command, [socket.as_raw_fd()]);
        let done = command.output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains("identity.agent_keys"), "{said}");
    }
}

/// What its descriptors lead to.
fn open_of(pid: i32) -> BTreeSet<String> {
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    fds.filter_map(|fd| std::fs::read_link(fd.path()).ok()).map(|link| link.to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_inherits_its_sockets_and_facts_and_nothing_else() {
    let _alone = alone().await;
    let server = Server::start(&Options::supervised());
    let supervisor = server.pid().cast_signed();
    // What both have: besides these, what everybody has (the null device, the log, the pipe to whoever reads).
    let of_server = open_of(server.server_pid().unwrap());
    let both: BTreeSet<String> = open_of(supervisor).intersection(&of_server).cloned().collect();
    let sockets = both.iter().filter(|link| link.starts_with("socket:")).count();
    assert_eq!(sockets, 2, "{both:?}");
    assert_eq!(both.iter().filter(|link| link.contains("offhook-facts")).count(), 1, "{both:?}");
    let other = |link: &&String| {
        !["socket:", "/memfd:", "/dev/null", "pipe:", "anon_inode:"].iter().any(|known| link.starts_with(known))
    };
    let others: Vec<_> = both.iter().filter(other).collect();
    assert!(others.iter().all(|link| Path::new(link).extension().is_some_and(|end| end == "log")), "{others:?}");
}
