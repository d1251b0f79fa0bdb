//! Threads for what goes before requests: the workspaces' turns, and the agents' sockets; and for what goes behind them, the requests
//! of those who were refused. Nothing waits for its place among thousands of requests, and the system shares the processors between
//! threads: what needs little of them is served at once.
//!
//! On the gateway's threads, with three times as many starts as could be finished, a committed turn took 28 ms to be heard
//! of and delivered; the disk had taken 4 of them.

use crate::slices;
use std::io;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// Few: a workspace's turns come one after the other, and a socket's frames are small.
const THREADS_MAX: usize = 8;

/// Dropped, what still runs on them is given up; whoever wants it finished has waited for it before.
#[derive(Debug)]
pub struct Threads(Option<Runtime>);

impl Threads {
    /// On half of the processors.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(name: &'static str) -> io::Result<Self> {
        Self::start_with(name, slices::short)
    }

    /// The same for what may wait: each thread begins with `begin`, and then lets others go first.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_yielding(name: &'static str, begin: fn()) -> io::Result<Self> {
        Self::start_with(name, move || {
            begin();
            slices::yields();
        })
    }

    fn start_with(name: &'static str, begin: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads((processors / 2).clamp(1, THREADS_MAX))
            .thread_name(name)
            .on_thread_start(begin)
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.handle().spawn(task)
    }

    #[must_use]
    pub fn handle(&self) -> &Handle {
        match &self.0 {
            Some(runtime) => runtime.handle(),
            None => unreachable!("the runtime is taken only when this is dropped"),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting is not allowed everywhere that this may be dropped.
            runtime.shutdown_background();
        }
    }
}
