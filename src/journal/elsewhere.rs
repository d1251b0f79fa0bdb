//! Whether the journal of a data directory is there, or in a cluster: so that no server goes on in the wrong one of two.

use super::sqlite::{FILE_NAME, ReadOnlyJournal};
use super::{Journal, JournalFailed};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Holds the cluster's name, as long as what is in `journal.db` goes on there.
pub const MARK_FILE_NAME: &str = "journal-in-cluster";

/// Why a server must not start from a directory.
#[derive(Debug, thiserror::Error)]
pub enum Elsewhere {
    #[error(
        "the journal of {dir} goes on in the cluster {cluster}: name it in the section [cluster] of the settings, or bring the journal back \
         with `offhook cluster return`"
    )]
    InCluster { dir: PathBuf, cluster: String },
    #[error(
        "{dir} has a journal of its own, which a node of a cluster does not use: `offhook cluster adopt` brings it into the cluster; or give \
         the node another data directory"
    )]
    OfItsOwn { dir: PathBuf },
    #[error("cannot read {path}: {source}")]
    Disk { path: PathBuf, source: io::Error },
    #[error("cannot read the journal that is there: {0}")]
    Unreadable(String),
}

/// Whether a single server may use the journal of this directory.
///
/// # Errors
/// It goes on in a cluster, or nobody knows.
pub fn is_here(dir: &Path) -> Result<(), Elsewhere> {
    let path = dir.join(MARK_FILE_NAME);
    match fs::read_to_string(&path) {
        Ok(cluster) => Err(Elsewhere::InCluster { dir: dir.to_owned(), cluster: cluster.trim().to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Elsewhere::Disk { path, source }),
    }
}

/// Whether a node may use this directory: it has no journal, or one that a cluster adopted.
///
/// # Errors
/// It has one, which the node would leave behind.
pub async fn is_in_cluster(dir: &Path) -> Result<(), Elsewhere> {
    if is_here(dir).is_err() || !dir.join(FILE_NAME).is_file() {
        return Ok(());
    }
    let unreadable = |why: &dyn std::fmt::Display| Elsewhere::Unreadable(why.to_string());
    let journal = ReadOnlyJournal::open(dir).map_err(|why| unreadable(&why))?;
    let workspaces = journal.workspaces().await.map_err(|why: JournalFailed| unreadable(&why))?;
    match workspaces.iter().all(|name| name.starts_with('_')) {
        true => Ok(()),
        false => Err(Elsewhere::OfItsOwn { dir: dir.to_owned() }),
    }
}

/// From now on no single server starts from this directory.
///
/// # Errors
/// The mark is not on the disk.
pub fn goes_on_in(dir: &Path, cluster: &str) -> io::Result<()> {
    let mut mark = File::create(dir.join(MARK_FILE_NAME))?;
    writeln!(mark, "{cluster}")?;
    mark.sync_all()?;
    File::open(dir)?.sync_all()
}

/// It is the directory's own again.
///
/// # Errors
/// The mark may still be there.
pub fn goes_on_here(dir: &Path) -> io::Result<()> {
    match fs::remove_file(dir.join(MARK_FILE_NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::open(dir)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sqlite::Restoring;
    use crate::journal::{Position, StoredRecord, TurnId};
    use bytes::Bytes;

    #[test]
    fn a_single_server_is_refused_where_the_journal_goes_on_in_a_cluster() {
        let dir = tempfile::tempdir().unwrap();
        assert!(is_here(dir.path()).is_ok());
        goes_on_in(dir.path(), "desk").unwrap();
        let refused = is_here(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("in the cluster desk: name it"), "{refused}");
        goes_on_here(dir.path()).unwrap();
        goes_on_here(dir.path()).unwrap();
        assert!(is_here(dir.path()).is_ok());
    }

    #[tokio::test]
    async fn a_node_is_refused_where_a_journal_would_be_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        assert!(is_in_cluster(dir.path()).await.is_ok(), "an empty directory");
        let mut journal = Restoring::begin(dir.path()).unwrap();
        let record = StoredRecord { position: Position(1), turn: TurnId(1), body: Bytes::from_static(b"x") };
        journal.add("_probe", &record).unwrap();
        journal.end().unwrap();
        assert!(is_in_cluster(dir.path()).await.is_ok(), "nobody's records");
        let mut journal = Restoring::go_on(dir.path()).unwrap();
        journal.add("acme", &record).unwrap();
        journal.end().unwrap();
        let refused = is_in_cluster(dir.path()).await.unwrap_err().to_string();
        assert!(refused.contains("has a journal of its own"), "{refused}");
        goes_on_in(dir.path(), "desk").unwrap();
        assert!(is_in_cluster(dir.path()).await.is_ok(), "it was adopted");
    }
}
