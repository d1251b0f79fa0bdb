//! Buckets: what nodes tell each other by keys, of each of which the last value counts. A bucket is a stream, made or compared as the
//! journal's is.

use super::connect::NatsSettings;
use super::stream::{StreamFailed, make_or_compare};
use crate::clock;
use async_nats::jetstream::Context;
use async_nats::jetstream::kv::Store;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use std::time::Duration;

/// What differs from bucket to bucket.
#[derive(Debug, Clone)]
pub struct Bucket<'a> {
    /// Behind the cluster's name and a hyphen: `nodes` makes `offhook-nodes`.
    pub name: &'a str,
    pub description: &'a str,
    /// How long a value is kept that is not put again; zero: for ever.
    pub max_age: Duration,
    /// Of one value.
    pub bytes_max: i32,
}

/// Makes the bucket, or looks whether the one that is there is as it should be.
///
/// Its revisions never come again, not even where somebody removed it and it is made anew: they begin at the milliseconds since 1970, and
/// nobody puts a thousand values a second for years. It is on disks, so that they go on where they were when all servers were started anew.
///
/// # Errors
/// The servers cannot be asked, or the bucket is another one; nothing was changed then.
pub async fn bucket(context: &Context, settings: &NatsSettings, bucket: &Bucket<'_>) -> Result<Store, StreamFailed> {
    let name = format!("{}-{}", settings.name, bucket.name);
    let wanted = Config {
        name: format!("KV_{name}"),
        description: Some(bucket.description.to_owned()),
        subjects: vec![format!("$KV.{name}.>")],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_bytes: -1,
        max_messages: -1,
        max_messages_per_subject: 1,
        max_consumers: -1,
        max_age: bucket.max_age,
        max_message_size: bucket.bytes_max,
        storage: StorageType::File,
        num_replicas: settings.replicas,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        first_sequence: Some(clock::wall_ms()),
        // Nothing rests on it.
        duplicate_window: Duration::from_secs(1),
        ..Config::default()
    };
    let stream = make_or_compare(context, wanted).await?;
    Ok(Store {
        prefix: format!("$KV.{name}."),
        stream_name: stream.cached_info().config.name.clone(),
        name,
        put_prefix: None,
        use_jetstream_prefix: false,
        stream,
    })
}
