//! Secrets that the server makes for itself once and keeps beside its data.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const SECRET_FILE_BYTES_MAX: u64 = 4096;

/// Why a secret file cannot be used; the sentence never holds what is in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("{path} cannot be read or made: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error(
        "{path} is open to everybody on this machine: run `chmod 600 {path}`, and replace it if others use the machine"
    )]
    Open { path: PathBuf },
    #[error("{path} does not hold what Offhook wrote there: restore it from a backup")]
    Damaged { path: PathBuf },
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Reads the file's text, or makes it with mode 0600 from `text` if there is none.
///
/// It appears whole and synced or not at all: it is written beside its place and linked into it, which fails where another
/// process was first, and then that one's is read.
pub fn read_or_make(
    path: &Path,
    text: impl FnOnce() -> Result<String, SecretFileError>,
) -> Result<String, SecretFileError> {
    match read(path) {
        Err(SecretFileError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        found => return found,
    }
    let text = text()?;
    let io = |source| SecretFileError::Io { path: path.to_owned(), source };
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let made = make(&beside, &text).and_then(|()| std::fs::hard_link(&beside, path));
    // The name beside is ours alone; where it cannot be taken away it harms nobody but looks odd.
    let _ = std::fs::remove_file(&beside);
    match made {
        Ok(()) => {
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(directory.unwrap_or(Path::new("."))).and_then(|dir| dir.sync_all()).map_err(io)?;
            Ok(text)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.exists() => read(path),
        Err(error) => Err(io(error)),
    }
}

fn make(path: &Path, text: &str) -> std::io::Result<()> {
    // One left by a process that was killed here, whose number we now have.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Reads a secret's text without the newline at its end.
pub fn read(path: &Path) -> Result<String, SecretFileError> {
    let io = |source| SecretFileError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    // Only the world is refused, not the group: Kubernetes' fsGroup opens every file of a volume to its group.
    if file.metadata().map_err(io)?.permissions().mode() & 0o007 != 0 {
        return Err(SecretFileError::Open { path: path.to_owned() });
    }
    let mut text = String::new();
    file.take(SECRET_FILE_BYTES_MAX).read_to_string(&mut text).map_err(io)?;
    Ok(text.trim_end().to_owned())
}

/// 32 random bytes as 64 hex digits.
pub fn random_hex() -> Result<String, SecretFileError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(SecretFileError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_with_mode_0600_and_then_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.key");
        let first = read_or_make(&path, random_hex).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_or_make(&path, || panic!("it is there")).unwrap(), first);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn of_two_makers_the_first_wins_and_both_have_its_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.key");
        let text = read_or_make(&path, || {
            make(&path, "the other's").unwrap();
            random_hex()
        });
        assert_eq!(text.unwrap(), "the other's");
    }

    #[test]
    fn a_secret_open_to_everybody_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.key");
        std::fs::write(&path, "x").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(read(&path), Err(SecretFileError::Open { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660)).unwrap();
        assert_eq!(read(&path).unwrap(), "x");
    }

    #[test]
    fn a_directory_that_is_not_there_is_a_typed_error() {
        let error = read_or_make(Path::new("/nonexistent/s.key"), random_hex).unwrap_err();
        assert!(matches!(error, SecretFileError::Io { .. }));
    }
}
