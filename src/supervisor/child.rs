//! The server as a child process: which binary, with what it inherits, and that it does not outlive its supervisor.
//!
//! A binary is held open from when it was chosen. So what is started again after a crash is what ran before it, and what an upgrade goes
//! back to is what it came from, also when a package has put another file in its place meanwhile.

use super::keeper::Sent;
use super::notice;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::{CString, OsStr, OsString, c_char};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use tokio::process::{Child, Command};

/// The first descriptor of LISTEN_FDS.
const FIRST_FD: RawFd = 3;
/// Descriptors that are handed on are kept above those places that they take in the child.
const KEPT_ABOVE: RawFd = 16;
const OWN: &str = "/proc/self/exe";
/// Meant for this process, not for its children.
pub(super) const NOT_HANDED_ON: [&str; 6] =
    ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", notice::SOCKET, "WATCHDOG_USEC", "WATCHDOG_PID"];

/// A binary that can be started.
#[derive(Debug)]
pub struct Binary {
    /// For people; and how a script is started.
    pub path: PathBuf,
    pub version: String,
    file: File,
    /// An interpreter reads it by its path.
    script: bool,
}

impl Binary {
    /// The one that this process runs.
    pub fn own() -> io::Result<Self> {
        let path = std::env::current_exe().unwrap_or_else(|_| PathBuf::from(OWN));
        Self::read(path, Path::new(OWN), env!("CARGO_PKG_VERSION").to_owned())
    }

    pub fn open(path: &Path, version: String) -> io::Result<Self> {
        Self::read(path.to_owned(), path, version)
    }

    fn read(path: PathBuf, from: &Path, version: String) -> io::Result<Self> {
        let mut file = File::open(from)?;
        let mut start = [0; 2];
        let read = file.read(&mut start)?;
        Ok(Self { path, version, script: start[..read] == *b"#!", file })
    }
}

/// An environment variable's value, or an argument, as `execve` takes it.
fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(io::Error::other)
}

/// What a child inherits as LISTEN_FDS: descriptors with their names.
pub(super) struct HandedOn {
    fds: Vec<(OwnedFd, &'static str)>,
    /// Keeps the places that they take in the child from being taken in this process, where what is put there would be lost.
    _places: Vec<File>,
}

impl HandedOn {
    pub fn new(given: &[(BorrowedFd<'_>, &'static str)]) -> io::Result<Self> {
        let keep = |(fd, name): &(BorrowedFd<'_>, &'static str)| {
            Ok((rustix::io::fcntl_dupfd_cloexec(fd.as_fd(), KEPT_ABOVE)?, *name))
        };
        let fds = given.iter().map(keep).collect::<io::Result<Vec<_>>>()?;
        let mut places = Vec::new();
        loop {
            let place = File::open("/dev/null")?;
            if place.as_raw_fd() >= FIRST_FD + fds.len() as RawFd {
                return Ok(Self { fds, _places: places });
            }
            places.push(place);
        }
    }
}

/// Starts a server. It is killed when this process ends, however that happens; call this on the thread that lives as long as the process, since
/// the kernel takes the thread for the parent.
pub(super) fn start(
    binary: &Binary,
    arguments: &[OsString],
    environment: &[(&str, String)],
    handed_on: &HandedOn,
) -> io::Result<Child> {
    let mut prepared = Prepared::new(binary, arguments, environment, handed_on)?;
    let mut command = Command::new(&binary.path);
    // SAFETY: between fork and exec `exec` makes system calls alone: what it needs was allocated before.
    unsafe { command.pre_exec(move || Err(prepared.exec())) };
    command.spawn()
}

pub(super) fn signal(child: &Child, sent: Sent) {
    let signal = match sent {
        Sent::Terminate => Signal::TERM,
        Sent::Abort => Signal::ABORT,
        Sent::Kill => Signal::KILL,
    };
    send(child, signal);
}

pub(super) fn hang_up(child: &Child) {
    send(child, Signal::HUP);
}

fn send(child: &Child, signal: Signal) {
    // Without a number it is reaped, and the number may be another's.
    let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) else { return };
    if let Err(error) = kill_process(pid, signal) {
        tracing::warn!(%error, ?signal, "the server could not be sent a signal");
    }
}

/// All that is needed between fork and exec, where nothing may be allocated.
struct Prepared {
    binary: RawFd,
    path: CString,
    script: bool,
    /// Pointers into the texts below, with a null at the end.
    arguments: Vec<*const c_char>,
    /// The last one but the null is LISTEN_PID's.
    environment: Vec<*const c_char>,
    _texts: Vec<CString>,
    /// `LISTEN_PID=` and room for the number, which the child alone knows.
    listen_pid: Box<[u8; 32]>,
    handed_on: Vec<RawFd>,
    parent: rustix::process::RawPid,
    oom_score_adj: Option<CString>,
}

// SAFETY: the pointers lead into memory that `Prepared` owns and that does not move.
unsafe impl Send for Prepared {}
// SAFETY: nothing is changed through a shared reference.
unsafe impl Sync for Prepared {}

const LISTEN_PID: &[u8] = b"LISTEN_PID=";

impl Prepared {
    fn new(
        binary: &Binary,
        arguments: &[OsString],
        environment: &[(&str, String)],
        handed_on: &HandedOn,
    ) -> io::Result<Self> {
        let mut argument_texts = vec![c_string(binary.path.as_os_str())?];
        for argument in arguments {
            argument_texts.push(c_string(argument)?);
        }
        let names: Vec<&str> = handed_on.fds.iter().map(|(_, name)| *name).collect();
        let ours = [("LISTEN_FDS", names.len().to_string()), ("LISTEN_FDNAMES", names.join(":"))];
        let ours = ours.iter().chain(environment).map(|(name, value)| OsString::from(format!("{name}={value}")));
        let kept = std::env::vars_os().filter(|(name, _)| NOT_HANDED_ON.iter().all(|not| name != not));
        let kept = kept.map(|(name, value)| OsString::from_vec([name.as_bytes(), b"=", value.as_bytes()].concat()));
        let variable_texts = kept.chain(ours).map(|text| c_string(&text)).collect::<io::Result<Vec<_>>>()?;
        let mut listen_pid = Box::new([0; 32]);
        listen_pid[..LISTEN_PID.len()].copy_from_slice(LISTEN_PID);
        let pointers = |texts: &[CString]| texts.iter().map(|text| text.as_ptr()).collect::<Vec<_>>();
        let mut argument_pointers = pointers(&argument_texts);
        argument_pointers.push(std::ptr::null());
        let mut variable_pointers = pointers(&variable_texts);
        variable_pointers.extend([std::ptr::null(), std::ptr::null()]);
        argument_texts.extend(variable_texts);
        Ok(Self {
            binary: binary.file.as_raw_fd(),
            path: c_string(binary.path.as_os_str())?,
            script: binary.script,
            arguments: argument_pointers,
            environment: variable_pointers,
            _texts: argument_texts,
            listen_pid,
            handed_on: handed_on.fds.iter().map(|(fd, _)| fd.as_raw_fd()).collect(),
            parent: Pid::as_raw(Some(rustix::process::getpid())),
            oom_score_adj: super::oom::of_child(),
        })
    }

    /// In the child. Comes back only with why it could not become the server.
    fn exec(&mut self) -> io::Error {
        // SAFETY: system calls with arguments that live until exec; descriptors that are closed or replaced are the child's own.
        unsafe {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return io::Error::last_os_error();
            }
            // The parent may have ended before the call above: then nobody would ever send the signal.
            if libc::getppid() != self.parent {
                libc::_exit(1);
            }
            let mut place = FIRST_FD;
            for fd in &self.handed_on {
                if libc::dup2(*fd, place) < 0 {
                    return io::Error::last_os_error();
                }
                place += 1;
            }
            // What whoever started the supervisor left open is not the server's. An older system without the call leaves it open.
            libc::syscall(libc::SYS_close_range, place, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
            if let Some(score) = &self.oom_score_adj {
                let file = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
                // Best effort: without it the larger process goes first, which is the server anyway.
                libc::write(file, score.as_ptr().cast(), score.as_bytes().len());
            }
            write_number(&mut self.listen_pid[LISTEN_PID.len()..], libc::getpid().cast_unsigned());
            let last = self.environment.len() - 2;
            self.environment[last] = self.listen_pid.as_ptr().cast();
            if self.script {
                libc::execve(self.path.as_ptr(), self.arguments.as_ptr(), self.environment.as_ptr());
            } else {
                libc::fexecve(self.binary, self.arguments.as_ptr(), self.environment.as_ptr());
            }
        }
        io::Error::last_os_error()
    }
}

/// In decimal digits, with a zero byte behind them; formatting could allocate.
fn write_number(to: &mut [u8], mut number: u32) {
    let mut digits = [0; 10];
    let mut length = 0;
    loop {
        digits[length] = b'0' + (number % 10) as u8;
        length += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    for (place, digit) in digits[..length].iter().rev().enumerate() {
        to[place] = *digit;
    }
    to[length] = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_without_allocating() {
        for number in [0, 7, 4_194_304, u32::MAX] {
            let mut bytes = [b'x'; 16];
            write_number(&mut bytes, number);
            let text = bytes.split(|byte| *byte == 0).next().unwrap();
            assert_eq!(std::str::from_utf8(text).unwrap(), number.to_string());
        }
    }

    #[test]
    fn a_script_is_told_from_a_binary() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("offhook");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        assert!(Binary::open(&path, String::new()).unwrap().script);
        assert!(!Binary::own().unwrap().script);
        std::fs::write(&path, "").unwrap();
        assert!(!Binary::open(&path, String::new()).unwrap().script);
    }
}
