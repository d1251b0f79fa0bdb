//! The word in a data directory that it is a node's: its journal is on the servers of NATS, whatever else lies there.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// With the node's name in it.
const FILE_NAME: &str = "cluster-node";

/// Says whose directory it is from now on; without a name, that it is a single server's.
///
/// # Errors
/// It could not be said.
pub fn mark(dir: &Path, node: &str) -> io::Result<()> {
    let path = dir.join(FILE_NAME);
    if !node.is_empty() {
        return fs::write(path, format!("{node}\n"));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether a node of a cluster was the last to run there.
#[must_use]
pub fn is_of_node(dir: &Path) -> bool {
    dir.join(FILE_NAME).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_a_nodes_until_a_single_server_runs_there() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_of_node(dir.path()));
        mark(dir.path(), "").unwrap();
        mark(dir.path(), "a").unwrap();
        assert!(is_of_node(dir.path()));
        assert_eq!(fs::read_to_string(dir.path().join(FILE_NAME)).unwrap(), "a\n");
        mark(dir.path(), "").unwrap();
        assert!(!is_of_node(dir.path()));
    }
}
