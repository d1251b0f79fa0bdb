//! Outcomes between the turn that brought them and their place in the index: found all the while, after a kill too, and by the
//! release before.

use super::*;
use rusqlite::Connection;

const GENERATION: usize = 8;

impl Desk {
    fn sorting(generation_outcomes: usize) -> Self {
        Self::with(tempfile::tempdir().unwrap(), generation_outcomes)
    }

    fn with(dir: tempfile::TempDir, generation_outcomes: usize) -> Self {
        let settings = Settings { generation_outcomes, ..settings() };
        let view = View::open(dir.path(), settings, || false).unwrap();
        let position = view.position(W);
        Self { view, dir, position }
    }

    /// The files as a kill would leave them, opened anew.
    fn killed(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for file in ["view.db", "view.db-wal"] {
            std::fs::copy(self.dir.path().join(file), dir.path().join(file)).unwrap();
        }
        Self::with(dir, GENERATION)
    }

    /// A turn that did these commands.
    async fn did(&mut self, ids: std::ops::Range<u128>) {
        let outcomes = ids.map(outcome).collect();
        self.turn(vec![], outcomes, vec![]).await;
    }

    async fn remembers(&self, ids: std::ops::Range<u128>) -> Vec<u128> {
        let outcomes = ids.clone().map(|id| (Principal::Visitor, CommandId(id), None)).collect();
        let found = self.view.look_up(W, Wanted { outcomes, ..Wanted::default() }).await.unwrap().outcomes;
        let is_right = |(id, found): (u128, Option<Outcome>)| {
            found.map(|found| {
                assert_eq!(found, outcome(id));
                id
            })
        };
        ids.zip(found).filter_map(is_right).collect()
    }

    fn file(&self) -> Connection {
        Connection::open(self.dir.path().join("view.db")).unwrap()
    }
}

fn outcome(id: u128) -> Outcome {
    let fingerprint = id as u64 * 3;
    Outcome { by: Principal::Visitor, id: CommandId(id), fingerprint, answer: Answer::Taken { conversation: C1 } }
}

fn count(connection: &Connection, table: &str) -> i64 {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn an_outcome_is_found_wherever_it_is_on_its_way_and_after_a_kill_at_any_commit() {
    let mut desk = Desk::sorting(GENERATION);
    let mut did = 0;
    for turn in 0..40 {
        let more = turn % 4;
        desk.did(did..did + more).await;
        did += more;
        let all: Vec<u128> = (0..did).collect();
        assert_eq!(desk.remembers(0..did + 3).await, all, "turn {turn}");
        let mut after = desk.killed();
        assert_eq!(after.remembers(0..did + 3).await, all, "a kill after turn {turn}");
        assert_eq!(after.view.unsorted.find_all(), desk.view.unsorted.find_all(), "turn {turn}");
        // It goes on from there, too.
        after.did(did..did + 30).await;
        assert_eq!(after.remembers(0..did + 33).await.len() as u128, did + 30, "a kill after turn {turn}");
    }
    let file = desk.file();
    assert_eq!(count(&file, "outcome"), did as i64);
    assert!(count(&file, "outcome_sorted") > 2 * GENERATION as i64, "most are sorted in");
    assert!(count(&file, "outcome_recent") < 4 * GENERATION as i64, "what is sorted in is given up");
}

#[tokio::test]
async fn keys_of_two_generations_at_most_are_held_however_much_comes_at_once() {
    let mut desk = Desk::sorting(GENERATION);
    let mut did = 0;
    for more in [1, 100, 5, 300, 7, 7, 7, 7, 7] {
        desk.did(did..did + more).await;
        did += more;
        assert!(desk.view.unsorted.find_all().len() <= 2 * GENERATION);
        assert_eq!(desk.remembers(0..did).await.len() as u128, did);
    }
}

#[tokio::test]
async fn what_was_not_committed_is_neither_found_nor_sorted_in() {
    let dir = tempfile::tempdir().unwrap();
    let tight = Settings { bytes_max: Some(200 << 10), generation_outcomes: GENERATION, ..settings() };
    let view = View::open(dir.path(), tight, || false).unwrap();
    let mut desk = Desk { view, dir, position: 0 };
    desk.did(0..10).await;
    let before = desk.view.unsorted.find_all();
    let too_much = turn_at(2, vec![], (10..10_000).map(outcome).collect());
    assert!(matches!(desk.view.apply(batch_of(too_much)).await, Err(ViewFailed::Full { .. })));
    assert_eq!(desk.view.unsorted.find_all(), before);
    assert_eq!(desk.remembers(0..20).await, Vec::from_iter(0..10));
    desk.did(10..40).await;
    assert_eq!(desk.remembers(0..60).await, Vec::from_iter(0..40));
}

#[tokio::test]
async fn the_newest_of_a_principal_stay_though_a_generation_is_in_the_order_of_keys() {
    let mut desk = Desk::sorting(GENERATION);
    for id in 0..60 {
        desk.did(id..id + 1).await;
    }
    let step = PruneStep { now_wall_ms: wall_of(61).0, retention_ms: None, outcomes_each_max: 20, only: None };
    assert!(desk.view.prune_by(step, 10).await.unwrap().done);
    let left = desk.remembers(0..60).await;
    assert_eq!(left[left.len() - 20..], Vec::from_iter(40..60), "the newest are there");
    assert!(left.len() <= 20 + 2 * GENERATION, "and next to nothing else: {left:?}");
}

#[tokio::test]
async fn what_is_sorted_in_while_outcomes_are_counted_is_not_counted_twice() {
    let mut desk = Desk::sorting(4_000);
    for turn in 0..24 {
        desk.did(turn * 500..(turn + 1) * 500).await;
    }
    let step = PruneStep { now_wall_ms: wall_of(30).0, retention_ms: None, outcomes_each_max: 5_000, only: None };
    assert!(!desk.view.prune_by(step.clone(), 1).await.unwrap().done, "some of the recent are counted");
    let others = (0..4_000).map(|id| done(Principal::Agent(ADA), id, Answer::Done)).collect();
    desk.turn(vec![], others, vec![]).await;
    assert!(desk.view.prune_by(step, 100).await.unwrap().done);
    for newest in [7_000..7_500, 11_500..12_000] {
        assert_eq!(desk.remembers(newest.clone()).await, Vec::from_iter(newest), "of the newest 5,000");
    }
    assert_eq!(desk.remembers(0..500).await, Vec::<u128>::new());
}

#[tokio::test]
async fn outcomes_in_a_file_of_the_release_before_are_found() {
    let mut desk = Desk::sorting(GENERATION);
    desk.did(0..30).await;
    let Desk { view, dir, .. } = desk;
    drop(view);
    // As that release had it: one table, all of it in the index.
    Connection::open(dir.path().join("view.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE one AS SELECT * FROM outcome;
             DROP VIEW outcome; DROP TABLE outcome_sorted; DROP TABLE outcome_recent; DROP TABLE outcome_sorting;
             CREATE TABLE outcome (
               id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, key INTEGER NOT NULL, at INTEGER NOT NULL,
               remembered BLOB NOT NULL, answer BLOB NOT NULL
             );
             INSERT INTO outcome SELECT * FROM one;
             DROP TABLE one;
             CREATE INDEX outcome_key ON outcome (key);",
        )
        .unwrap();
    let mut desk = Desk::with(dir, GENERATION);
    assert_eq!(desk.remembers(0..40).await, Vec::from_iter(0..30));
    desk.did(30..60).await;
    assert_eq!(desk.remembers(0..70).await, Vec::from_iter(0..60));
}

#[tokio::test]
async fn the_release_before_finds_writes_and_forgets_outcomes_with_its_own_statements() {
    let mut desk = Desk::sorting(GENERATION);
    for id in 0..20 {
        desk.did(2 * id..2 * id + 2).await;
    }
    let Desk { view, dir, .. } = desk;
    drop(view);
    let file = Connection::open(dir.path().join("view.db")).unwrap();
    let key = |id| keys::outcome_key(keys::command_hash(Principal::Visitor, CommandId(id)), START_MS);
    let finds = |id: u128| {
        let sql = "SELECT remembered, answer FROM outcome WHERE key IN (?1, 0, 1, 2, 3) AND workspace = ?2 AND at > ?3 \
                   ORDER BY id DESC LIMIT 32";
        let mut select = file.prepare(sql).unwrap();
        let rows = select.query_map((key(id), 1, 0), |row| row.get::<_, Vec<u8>>(0)).unwrap();
        rows.map(Result::unwrap).any(|remembered| remembered.starts_with(&id.to_be_bytes()))
    };
    assert!((0..40).all(finds) && !finds(40));
    let remembered = outcomes::remembered_bytes(&outcome(40));
    file.execute(
        "INSERT INTO outcome (workspace, key, at, remembered, answer) VALUES (?1, ?2, ?3, ?4, ?5)",
        (1, key(40), wall_of(40).0 as i64, remembered, serde_json::to_vec(&outcome(40).answer).unwrap()),
    )
    .unwrap();
    assert!((0..41).all(finds));
    assert_eq!((count(&file, "outcome"), count(&file, "outcome_recent")), (41, 0));
    let oldest = wall_of(11).0 as i64;
    file.execute(
        "DELETE FROM outcome WHERE id IN (SELECT id FROM outcome ORDER BY id LIMIT 2000) AND at < ?1",
        [oldest],
    )
    .unwrap();
    assert_eq!(Vec::from_iter((0..41).filter(|id| finds(*id))), Vec::from_iter(20..41));
    drop(file);
    let mut desk = Desk::with(dir, GENERATION);
    desk.did(41..60).await;
    assert_eq!(desk.remembers(0..70).await, Vec::from_iter(20..60));
}
