//! Threads for what goes before requests: the workspaces' turns, and the agents' sockets. Nothing of them waits for its place among
//! thousands of requests, and the system shares the processors between threads: what needs little of them is served at once.
//!
//! On the gateway's threads, with three times as many starts as could be finished, a committed turn took 28 ms to be heard
//! of and delivered; the disk had taken 4 of them.

use crate::slices;
use std::io;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// Half of the processors, and few: a workspace's turns come one after the other, and a socket's frames are small.
const THREADS_MAX: usize = 8;

/// Dropped, what still runs on them is given up; whoever wants it finished has waited for it before.
#[derive(Debug)]
pub struct Threads(Option<Runtime>);

impl Threads {
    /// # Errors
    /// The system gives no thread.
    pub fn start(name: &'static str) -> io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let count = (processors / 2).clamp(1, THREADS_MAX);
        let runtime = Builder::new_multi_thread()
            .worker_threads(count)
            .thread_name(name)
            .on_thread_start(slices::short)
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
