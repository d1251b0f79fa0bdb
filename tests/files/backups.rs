//! Files of messages in backups: each once, brought back, and left out by name where it is damaged.

use crate::support::as_cluster;
use crate::support::backups::{Place, patient, text};
use crate::support::scene::talking;
use crate::{picture, post, read, uploaded};
use std::fs;
use std::path::{Path, PathBuf};

fn kept(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() { found.extend(kept(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_copied_once_brought_back_and_left_out_where_they_are_damaged() {
    let server = patient();
    let place = Place::new();
    let (_ada, mut zoe) = talking(&server, "ada").await;
    let file = uploaded(&server, &zoe, "a.png", &picture()).await;
    assert_eq!(post(&mut zoe, "look", &[&file]).await.status, 201);
    place.taken(&server, &[]);
    let pool = place.to().join("files");
    assert_eq!(kept(&pool).len(), 1);
    let later = uploaded(&server, &zoe, "b.png", &picture()).await;
    assert_eq!(post(&mut zoe, "and look", &[&later]).await.status, 201);
    // As one that was broken off leaves it: there, and listed nowhere.
    for path in kept(&server.data_dir().join("files")) {
        let left = pool.join(path.strip_prefix(server.data_dir().join("files")).unwrap());
        fs::copy(path, left).unwrap();
    }
    let more = place.taken(&server, &[]);
    let list = fs::read_to_string(place.to().join(&more).join("message_files.list")).unwrap();
    // One of a node of a cluster is always whole.
    let listed = if as_cluster::is_on() { 2 } else { 1 };
    assert_eq!(
        (kept(&pool).len(), list.lines().count()),
        (2, listed),
        "the second one's list has the second file alone: {list}"
    );
    place.taken(&server, &["--whole"]);
    assert_eq!(kept(&pool).len(), 2);
    place.is_sound();

    let back = place.restored(&server, &[]);
    for file in [&file, &later] {
        let answer = read(&back, "messenger", &zoe.conversation, &zoe.token, file).await;
        assert!(answer.status == 200 && answer.body == picture(), "{}", answer.status);
    }
    drop(back);

    let damaged = &kept(&pool)[0];
    let mut bytes = fs::read(damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(damaged, bytes).unwrap();
    let found = place.verify();
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found.stdout).contains(damaged.to_str().unwrap()), "{}", text(&found.stdout));
    let dir = place.path().join("without-it");
    let done = place.restore(&dir, &[]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("left out"), "{}", text(&done.stdout));
    assert_eq!(kept(&dir.join("files")).len(), 1, "what is sound is there");
}
