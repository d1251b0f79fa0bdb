//! Questions from node to node: NATS requests, each to a subject that is one node's alone. What is lost is asked again by whoever asked.

use crate::desk::ids::NodeNumber;
use async_nats::client::{Request, RequestErrorKind};
use async_nats::{Client, Subscriber};
use bytes::Bytes;
use std::time::Duration;

/// In the subject of each node, after the cluster's name: `offhook.ask.17`.
const SUBJECT_PREFIX: &str = "ask";

/// The subject of what is told to all: `offhook.tell`.
const ALL: &str = "tell";

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It was brought to nobody.
    #[error("the node is not there")]
    NobodyThere,
    #[error("the node does not answer")]
    Silence,
}

/// One node's way to the others.
#[derive(Debug)]
pub struct Post {
    client: Client,
    prefix: String,
    all: String,
    own: NodeNumber,
    answer_within: Duration,
}

impl Post {
    /// With what others ask of this node, and what is told to all.
    ///
    /// # Errors
    /// The servers take no subscription.
    pub async fn open(
        client: Client,
        cluster: &str,
        own: NodeNumber,
        answer_within: Duration,
    ) -> Result<(Self, Subscriber, Subscriber), async_nats::SubscribeError> {
        let (prefix, all) = (format!("{cluster}.{SUBJECT_PREFIX}"), format!("{cluster}.{ALL}"));
        let post = Self { client, prefix, all, own, answer_within };
        let questions = post.client.subscribe(post.subject(own)).await?;
        let told = post.client.subscribe(post.all.clone()).await?;
        Ok((post, questions, told))
    }

    #[must_use]
    pub fn own(&self) -> NodeNumber {
        self.own
    }

    /// # Errors
    /// There was no answer: what was asked may have been done, and may be done later.
    pub async fn ask(&self, node: NodeNumber, body: Bytes) -> Result<Bytes, NoAnswer> {
        let request = Request::new().payload(body).timeout(Some(self.answer_within));
        match self.client.send_request(self.subject(node), request).await {
            Ok(answer) => Ok(answer.payload),
            Err(error) if error.kind() == RequestErrorKind::NoResponders => Err(NoAnswer::NobodyThere),
            Err(_) => Err(NoAnswer::Silence),
        }
    }

    /// # Errors
    /// It was not sent; whoever asked asks again.
    pub async fn answer(&self, to: async_nats::Subject, body: Bytes) -> Result<(), async_nats::PublishError> {
        self.client.publish(to, body).await
    }

    /// To every node, this one too; it may get lost.
    ///
    /// # Errors
    /// It was not sent.
    pub async fn tell_all(&self, body: Bytes) -> Result<(), async_nats::PublishError> {
        self.client.publish(self.all.clone(), body).await
    }

    fn subject(&self, node: NodeNumber) -> String {
        format!("{}.{}", self.prefix, node.0)
    }
}
