//! Files that nodes share: each node's own, on a directory of its own, with what comes between their steps.

use crate::journal::settings;
use crate::keys::{directory, open};
use crate::support::nats::Nats;
use async_nats::jetstream::Context;
use offhook::desk::files::FileId;
use offhook::desk::ids::ConversationId;
use offhook::files::{
    Announced, CHUNK_BYTES, Files, FilesSettings, NotOpened, NotShared, NotTaken, Place, SharedFiles, Whole,
};
use offhook::journal::nats::connect;
use offhook::seal::{KeyNumber, KeyRing};
use std::sync::Arc;
use tempfile::TempDir;

const UNNAMED_KEPT_MS: u64 = 3_600_000;
const MIB: u64 = 1 << 20;

struct Node {
    dir: TempDir,
    keys: Arc<KeyRing>,
    files: Arc<Files>,
    key: KeyNumber,
    workspace_bytes_max: u64,
}

fn place(file: u128) -> Place {
    Place { workspace: "demo".into(), conversation: ConversationId(7), file: FileId(file) }
}

fn text(length: usize, letter: u8) -> Vec<u8> {
    vec![letter; length]
}

impl Node {
    /// With so much room for copies, and so much for all files in the store.
    async fn start(nats: &Nats, workspace_bytes_max: u64, store_bytes_max: Option<u64>) -> Self {
        let node = Self::alone(nats, workspace_bytes_max).await.joins(nats, store_bytes_max).await;
        node.files.bring().await.unwrap();
        node
    }

    /// Whose files are on its disk alone.
    async fn alone(nats: &Nats, workspace_bytes_max: u64) -> Self {
        let dir = directory();
        let keys = Arc::new(open(nats, dir.path()).await);
        let key = keys.assign().unwrap();
        let settings = FilesSettings { workspace_bytes_max, unnamed_kept_ms: UNNAMED_KEPT_MS };
        let files = Files::new(dir.path(), keys.clone(), settings, None);
        files.count();
        Self { dir, keys, files, key, workspace_bytes_max }
    }

    /// As after a start.
    async fn joins(self, nats: &Nats, store_bytes_max: Option<u64>) -> Self {
        let shared = SharedFiles::open(context(nats).await, &settings(nats), store_bytes_max).await.unwrap();
        let workspace_bytes_max = self.workspace_bytes_max;
        let settings = FilesSettings { workspace_bytes_max, unnamed_kept_ms: UNNAMED_KEPT_MS };
        let files = Files::new(self.dir.path(), self.keys.clone(), settings, Some(shared));
        files.count();
        Self { files, ..self }
    }

    fn whole(&self, key: KeyNumber, file: u128, bytes: &[u8]) -> Whole {
        let types = vec!["text/plain".into()];
        let announced = Announced { place: place(file), key, name: "a.txt".into(), bytes: bytes.len() as u64, types };
        let mut incoming = self.files.begin(announced).unwrap();
        let count = bytes.len().div_ceil(CHUNK_BYTES);
        for (number, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
            incoming.write(chunk.to_vec(), number + 1 == count).unwrap();
        }
        incoming.finish().unwrap()
    }

    async fn store(&self, file: u128, bytes: &[u8]) -> Result<(), NotTaken> {
        let whole = self.whole(self.key, file, bytes);
        self.files.share(&whole).await?;
        whole.keep().map(drop)
    }

    async fn read(&self, file: u128) -> Result<Vec<u8>, NotOpened> {
        self.files.at_hand(&place(file)).await?;
        let (mut stored, mut all) = (self.files.open(&place(file))?, Vec::new());
        while let Some(chunk) = stored.next_chunk()? {
            all.extend(chunk);
        }
        Ok(all)
    }

    fn shared(&self) -> &SharedFiles {
        self.files.shared().unwrap()
    }

    /// Everything in the conversation's directory.
    fn here(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("files/demo/c7")).into_iter().flatten().count()
    }
}

async fn context(nats: &Nats) -> Context {
    connect(&settings(nats)).await.unwrap()
}

/// Messages in the store.
async fn messages(nats: &Nats) -> u64 {
    context(nats).await.get_stream("offhook-files").await.unwrap().get_info().await.unwrap().state.messages
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_put_a_file_at_once_have_put_one_and_another_is_refused() {
    let nats = Nats::alone("").await;
    let (a, b) = (Node::start(&nats, 1 << 30, None).await, Node::start(&nats, 1 << 30, None).await);
    // Of one customer, whose key the first of them made.
    b.keys.until_known(a.key).await.unwrap();
    for file in 0..8 {
        let bytes = text(700_000, b'x');
        let (of_a, of_b) = (a.whole(a.key, file, &bytes), b.whole(a.key, file, &bytes));
        let (shared_a, shared_b) = tokio::join!(a.files.share(&of_a), b.files.share(&of_b));
        shared_a.unwrap();
        shared_b.unwrap();
        of_a.keep().unwrap();
        of_b.keep().unwrap();
        assert_eq!(
            messages(&nats).await,
            5 * (u64::try_from(file).unwrap() + 1),
            "begun, whole and three parts of one"
        );
    }
    assert!(matches!(b.store(0, &text(700_000, b'y')).await, Err(NotTaken::Differs)));
    assert!(matches!(a.store(0, &text(700_000, b'y')).await, Err(NotTaken::Differs)));
    let c = Node::start(&nats, 1 << 30, None).await;
    assert!(matches!(c.store(0, &text(700_000, b'y')).await, Err(NotTaken::Differs)));
    assert_eq!(c.here(), 0, "nothing is kept of it");
    c.store(0, &text(700_000, b'x')).await.unwrap();
    assert_eq!(messages(&nats).await, 40);
    assert!(!nats.holds(&[b'x'; 64]), "NATS sees no byte of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_fetched_once_for_all_who_read_it_and_checked_before_it_is_kept() {
    let nats = Nats::alone("").await;
    let (a, b) = (Node::start(&nats, 1 << 30, None).await, Node::start(&nats, 1 << 30, None).await);
    for (file, length) in [(1, 1), (2, CHUNK_BYTES), (3, 4 * CHUNK_BYTES), (4, 3 * MIB as usize + 7)] {
        a.store(file, &text(length, b'x')).await.unwrap();
        let reads = tokio::join!(b.read(file), b.read(file), b.read(file));
        for read in [reads.0, reads.1, reads.2] {
            assert_eq!(read.unwrap().len(), length);
        }
    }
    assert_eq!(b.here(), 4);
    assert_eq!(b.files.bytes_of("demo"), a.files.bytes_of("demo"));
    assert!(matches!(b.read(5).await, Err(NotOpened::None)));
    // Of a file in the store a part is missing, of another one there are those of a third.
    a.store(6, &text(700_000, b'x')).await.unwrap();
    a.store(7, &text(700_000, b'y')).await.unwrap();
    let context = context(&nats).await;
    let stream = context.get_stream("offhook-files").await.unwrap();
    let subject = |file: u128| format!("offhook.files.part.demo.c7.{}.*.1", FileId(file));
    let second = stream.get_first_raw_message_by_subject(subject(6), 1).await.unwrap();
    let other = stream.get_first_raw_message_by_subject(subject(7), 1).await.unwrap();
    context.publish(other.subject.to_string(), second.payload).await.unwrap().await.unwrap();
    assert!(matches!(b.read(7).await, Err(NotOpened::Sealed(_))));
    stream.purge().filter(second.subject.to_string()).await.unwrap();
    assert!(matches!(b.read(6).await, Err(NotOpened::Shared(NotShared::Damaged))));
    assert_eq!(b.here(), 4, "nothing is kept of either");
    assert_eq!(a.read(6).await.unwrap().len(), 700_000, "it has its copy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_removes_what_it_saw_and_nothing_that_came_since() {
    let nats = Nats::alone("").await;
    let (a, b) = (Node::start(&nats, 1 << 30, None).await, Node::start(&nats, 1 << 30, None).await);
    let see = async || {
        let end = a.shared().end().await.unwrap();
        let mut walk = a.shared().walk(&"demo".into()).await.unwrap();
        let few = walk.next_few().await.unwrap();
        assert!(walk.next_few().await.unwrap().is_empty());
        walk.end().await;
        (few, end)
    };
    a.store(1, &text(700_000, b'x')).await.unwrap();
    let (few, end) = see().await;
    assert_eq!(few.iter().map(|begun| begun.place.clone()).collect::<Vec<_>>(), [place(1)]);
    let entry = a.shared().entry(&place(1)).await.unwrap();
    // Between its look and its removal somebody names it.
    assert_eq!(b.files.to_be_named(&place(1)).await.unwrap().name, "a.txt");
    assert!(!a.shared().remove(&few[0], entry.as_ref(), end).await.unwrap());
    assert_eq!(b.read(1).await.unwrap().len(), 700_000);
    // Nobody does.
    let entry = a.shared().entry(&place(1)).await.unwrap();
    assert!(a.shared().remove(&few[0], entry.as_ref(), end).await.unwrap());
    assert_eq!(messages(&nats).await, 0);
    assert!(matches!(b.files.to_be_named(&place(1)).await, Err(NotOpened::None)));
    // It is removed, and put again before the sweep comes to the rest.
    a.store(2, &text(700_000, b'x')).await.unwrap();
    let (few, end) = see().await;
    let entry = a.shared().entry(&place(2)).await.unwrap();
    assert!(a.shared().remove(&few[0], entry.as_ref(), end).await.unwrap());
    b.store(2, &text(700_000, b'x')).await.unwrap();
    assert!(!a.shared().remove(&few[0], entry.as_ref(), end).await.unwrap());
    let c = Node::start(&nats, 1 << 30, None).await;
    assert_eq!(c.read(2).await.unwrap().len(), 700_000);
    // One that a node came so far with and no further is found by what it began with.
    context(&nats)
        .await
        .publish("offhook.files.begun.demo.c7.f_".to_owned() + &"0".repeat(32), "".into())
        .await
        .unwrap()
        .await
        .unwrap();
    let (few, end) = see().await;
    let half = few.iter().find(|begun| begun.place == place(0)).unwrap();
    assert!(a.shared().entry(&place(0)).await.unwrap().is_none());
    assert!(a.shared().remove(half, None, end).await.unwrap());
    assert_eq!(messages(&nats).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_full_says_so_and_copies_make_room() {
    let nats = Nats::alone("").await;
    let a = Node::start(&nats, 1 << 30, Some(2 * MIB)).await;
    a.store(1, &text(700_000, b'x')).await.unwrap();
    let refused = a.store(2, &text(2 * MIB as usize, b'x')).await;
    assert!(matches!(refused, Err(NotTaken::Shared(NotShared::Full(_)))), "{refused:?}");
    assert_eq!(messages(&nats).await, 6, "of what was refused only that it was begun");
    assert_eq!(a.here(), 1);
    a.store(3, &text(500_000, b'x')).await.unwrap();
    // Room for two of the three.
    let b = Node::start(&nats, 1_400_000, None).await;
    assert_eq!(b.read(1).await.unwrap().len(), 700_000);
    assert_eq!(b.read(3).await.unwrap().len(), 500_000);
    b.store(4, &text(300_000, b'x')).await.unwrap();
    assert_eq!(b.here(), 2, "the one that was here for longest is gone");
    assert!(b.files.bytes_of("demo") <= 1_400_000);
    assert_eq!(b.read(1).await.unwrap().len(), 700_000, "and is fetched again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_here_before_is_put_there_once_and_makes_no_room_before() {
    let nats = Nats::alone("").await;
    let a = Node::alone(&nats, 1_400_000).await;
    for file in [1, 2] {
        a.whole(a.key, file, &text(650_000, b'x')).keep().unwrap();
    }
    let damaged = a.dir.path().join("files/demo/c7").join(FileId(2).to_string());
    std::fs::write(&damaged, b"OHF").unwrap();
    let a = a.joins(&nats, None).await;
    let b = Node::start(&nats, 1 << 30, None).await;
    assert!(matches!(b.read(1).await, Err(NotOpened::None)));
    let more = a.files.begin(Announced {
        place: place(3),
        key: a.key,
        name: "a.txt".into(),
        bytes: 1_000_000,
        types: vec!["text/plain".into()],
    });
    assert!(matches!(more, Err(NotTaken::Full)), "what is here may be the only one");
    a.files.bring().await.unwrap();
    assert_eq!(b.read(1).await.unwrap().len(), 650_000);
    assert_eq!(messages(&nats).await, 5, "what is damaged stays where it is");
    // It is remembered over starts, of this store.
    let put = messages(&nats).await;
    let stream = context(&nats).await.get_stream("offhook-files").await.unwrap();
    stream.purge().await.unwrap();
    let a = a.joins(&nats, None).await;
    a.files.bring().await.unwrap();
    assert_eq!(messages(&nats).await, 0);
    context(&nats).await.delete_stream("offhook-files").await.unwrap();
    let a = a.joins(&nats, None).await;
    a.files.bring().await.unwrap();
    assert_eq!(messages(&nats).await, put);
}
