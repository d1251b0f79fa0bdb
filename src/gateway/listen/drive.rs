//! One connection, driven to its end: on the threads of the lane that its standing says, and taken to others when that changes.

use super::begun;
use super::standing::{Lane, Standing};
use super::{Requests, Stop};
use crate::gateway::carrier::Guarded;
use crate::telemetry::turned;
use hyper::server::conn::http1::UpgradeableConnection;
use hyper_util::rt::TokioIo;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::runtime::Handle;

type Connection = Pin<Box<UpgradeableConnection<TokioIo<Guarded>, Requests>>>;

/// Both sets of threads.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    front: Handle,
    back: Handle,
}

impl Lanes {
    /// `None`: there is only one.
    pub(super) fn new(front: Handle, back: Option<Handle>) -> Self {
        let back = back.unwrap_or_else(|| front.clone());
        Self { front, back }
    }

    fn of(&self, lane: Lane) -> &Handle {
        match lane {
            Lane::Front => &self.front,
            Lane::Back => &self.back,
        }
    }
}

pub(super) struct Drive {
    pub(super) connection: Connection,
    pub(super) standing: Arc<Standing>,
    pub(super) peer: SocketAddr,
    pub(super) stopped: Stop,
    pub(super) lanes: Lanes,
}

enum Pause {
    Ended(hyper::Result<()>),
    Moves(Lane),
}

impl Drive {
    /// Boxed, since it may have to hand itself over to a task of its own kind.
    pub(super) fn run(mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let pause = tokio::select! {
                pause = until_it_moves(&mut self.connection, &self.standing) => pause,
                () = begun(&mut self.stopped) => {
                    self.connection.as_mut().graceful_shutdown();
                    Pause::Ended(self.connection.as_mut().await)
                }
            };
            match pause {
                Pause::Moves(lane) => {
                    let on = self.lanes.of(lane).clone();
                    on.spawn(self.run());
                }
                Pause::Ended(Err(error)) => {
                    tracing::debug!(%error, "a connection ended early");
                    if let Some(why) = why_of(&error, &self.standing) {
                        turned::dropped(why, self.peer.ip());
                    }
                }
                Pause::Ended(Ok(())) => {}
            }
        })
    }
}

/// Why it was ended, where that was ours to do. A client that goes, or says nothing more after an answer, is as it should be.
fn why_of(error: &hyper::Error, standing: &Standing) -> Option<&'static str> {
    let stuck = || {
        let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
        source.is_some_and(|source| source.kind() == io::ErrorKind::TimedOut)
    };
    if error.is_parse_too_large() {
        Some("head_too_large")
    } else if error.is_parse() {
        Some("head_malformed")
    } else if error.is_timeout() {
        standing.is_silent().then_some("head_late")
    } else {
        stuck().then_some("stuck")
    }
}

/// A request changes the standing while the connection is polled, so that nobody needs to be woken for it.
async fn until_it_moves(connection: &mut Connection, standing: &Standing) -> Pause {
    poll_fn(|cx| match connection.as_mut().poll(cx) {
        Poll::Ready(ended) => Poll::Ready(Pause::Ended(ended)),
        Poll::Pending => standing.to_move().map_or(Poll::Pending, |lane| Poll::Ready(Pause::Moves(lane))),
    })
    .await
}
