//! Files on a real disk: in, out, damaged, left over.

use super::*;
use crate::files::format::HEAD_BYTES;
use crate::seal::{CHUNK_MORE_BYTES, Unsealed};
use std::os::unix::fs::PermissionsExt;

struct Disk {
    dir: tempfile::TempDir,
    files: Arc<Files>,
    key: KeyNumber,
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0";

fn place(file: u128) -> Place {
    Place { workspace: "demo".into(), conversation: ConversationId(7), file: FileId(file) }
}

impl Disk {
    fn new(workspace_bytes_max: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = Arc::new(KeyRing::open(dir.path()).unwrap());
        let key = keys.assign().unwrap();
        let files = Files::new(dir.path(), keys, FilesSettings { workspace_bytes_max, unnamed_kept_ms: 1_000 }, None);
        files.count();
        Self { dir, files, key }
    }

    fn begin(&self, file: u128, bytes: usize) -> Result<Incoming, NotTaken> {
        self.files.begin(Announced {
            place: place(file),
            key: self.key,
            name: "a.png".into(),
            bytes: bytes as u64,
            types: vec!["image/png".into(), "text/plain".into()],
        })
    }

    fn store(&self, file: u128, bytes: &[u8]) -> Result<About, NotTaken> {
        let mut incoming = self.begin(file, bytes.len())?;
        let count = bytes.len().div_ceil(CHUNK_BYTES);
        for (number, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
            incoming.write(chunk.to_vec(), number + 1 == count)?;
        }
        incoming.finish()?.keep()
    }

    fn read(&self, file: u128) -> Result<Vec<u8>, NotOpened> {
        let mut stored = self.files.open(&place(file))?;
        let mut all = Vec::new();
        while let Some(chunk) = stored.next_chunk()? {
            all.extend(chunk);
        }
        Ok(all)
    }

    fn path(&self, file: u128) -> PathBuf {
        self.files.path_of(&place(file))
    }

    /// Everything in the conversation's directory.
    fn there(&self) -> Vec<String> {
        let dir = std::fs::read_dir(self.dir.path().join("files/demo/c7")).into_iter().flatten().flatten();
        let mut names: Vec<String> = dir.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A picture of three chunks, the last of them short.
fn picture() -> Vec<u8> {
    let mut bytes = PNG.to_vec();
    bytes.resize(2 * CHUNK_BYTES + 100, 0x5a);
    bytes
}

#[test]
fn what_was_stored_is_read_and_cannot_be_found_on_the_disk() {
    let disk = Disk::new(1 << 30);
    let about = disk.store(1, &picture()).unwrap();
    assert_eq!((&*about.kind, about.width, about.height), ("image/png", Some(640), Some(480)));
    assert_eq!(disk.read(1).unwrap(), picture());
    let raw = std::fs::read(disk.path(1)).unwrap();
    assert_eq!(raw.len() as u64, stored_bytes(picture().len() as u64));
    let found = |what: &[u8]| raw.windows(what.len()).any(|window| window == what);
    assert!(!found(b"PNG") && !found(b"a.png") && !found(&[0x5a; 16]));
    assert_eq!(std::fs::metadata(disk.path(1)).unwrap().permissions().mode() & 0o777, 0o600);
    for exact in [1, CHUNK_BYTES, CHUNK_BYTES + 1] {
        let text = vec![b'x'; exact];
        disk.store(exact as u128 + 10, &text).unwrap();
        assert_eq!(disk.read(exact as u128 + 10).unwrap(), text);
    }
}

#[test]
fn damage_anywhere_is_noticed_before_the_byte_is_given_out() {
    let disk = Disk::new(1 << 30);
    disk.store(1, &picture()).unwrap();
    let whole = std::fs::read(disk.path(1)).unwrap();
    let chunk = CHUNK_BYTES + CHUNK_MORE_BYTES;
    // Magic, key, stream, length and box of the head, and each chunk at both ends.
    let last = whole.len() - 1;
    for at in
        [0, 3, 5, 12, 31, 40, HEAD_BYTES, HEAD_BYTES + chunk - 1, HEAD_BYTES + chunk, HEAD_BYTES + 2 * chunk, last]
    {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(disk.path(1), damaged).unwrap();
        assert!(matches!(disk.read(1), Err(NotOpened::Sealed(_))), "byte {at}");
    }
    for length in [0, 10, HEAD_BYTES, HEAD_BYTES + chunk, last] {
        std::fs::write(disk.path(1), &whole[..length]).unwrap();
        assert!(matches!(disk.read(1), Err(NotOpened::Sealed(Unsealed::Damaged))), "{length} bytes");
    }
    let mut swapped = whole.clone();
    swapped[HEAD_BYTES..HEAD_BYTES + 2 * chunk].rotate_left(chunk);
    std::fs::write(disk.path(1), swapped).unwrap();
    assert!(disk.read(1).is_err());
    // As another's, or in another place, it opens for nobody.
    std::fs::write(disk.path(1), &whole).unwrap();
    std::fs::copy(disk.path(1), disk.path(2)).unwrap();
    assert!(matches!(disk.read(2), Err(NotOpened::Sealed(Unsealed::Damaged))));
    assert_eq!(disk.read(1).unwrap(), picture());
}

#[test]
fn what_is_sent_again_is_the_same_file_and_another_is_refused() {
    let disk = Disk::new(1 << 30);
    let first = disk.store(1, &picture()).unwrap();
    assert_eq!(disk.store(1, &picture()).unwrap(), first);
    let mut other = picture();
    other[1_000] ^= 1;
    assert!(matches!(disk.store(1, &other), Err(NotTaken::Differs)));
    assert_eq!(disk.read(1).unwrap(), picture());
    assert_eq!(disk.there(), [FileId(1).to_string()]);
}

#[test]
fn what_breaks_off_or_is_of_another_kind_leaves_nothing() {
    let disk = Disk::new(stored_bytes(1_000_000));
    let mut incoming = disk.begin(1, 1_000_000).unwrap();
    incoming.write(picture()[..CHUNK_BYTES].to_vec(), false).unwrap();
    assert!(matches!(disk.begin(2, 1), Err(NotTaken::Full)), "room is taken before it is used");
    assert_eq!(disk.there().len(), 1);
    drop(incoming);
    assert!(disk.there().is_empty());
    let refused: [&[u8]; 4] = [b"%PDF-1.7", b"<html></html>", b"text \0 with a zero", b"\xff\xd8\xff\xe0"];
    for bytes in refused {
        assert!(matches!(disk.store(3, bytes), Err(NotTaken::Kind)), "{}", bytes.escape_ascii());
    }
    // Text that is none any more in its second chunk.
    let mut text = vec![b'x'; CHUNK_BYTES];
    text.extend(b"\x1b[31m");
    assert!(matches!(disk.store(3, &text), Err(NotTaken::Kind)));
    assert!(disk.there().is_empty());
    disk.store(4, &vec![b'x'; 1_000_000]).unwrap();
}

#[test]
fn leftovers_of_a_crash_are_found_and_what_was_just_named_is_kept() {
    let disk = Disk::new(1 << 30);
    disk.store(1, b"one").unwrap();
    let under_way = disk.begin(2, 3).unwrap();
    let part = disk.path(1).with_file_name(format!("{}.{:032x}.part", FileId(9), 5));
    std::fs::write(&part, b"half").unwrap();
    let workspace: Arc<str> = "demo".into();
    assert_eq!(disk.files.workspaces(), std::slice::from_ref(&workspace));
    assert_eq!(disk.files.conversations("demo").next_few(), [ConversationId(7)]);
    let found = disk.files.found(&workspace, ConversationId(7));
    assert_eq!(found.iter().map(|found| found.file).collect::<Vec<_>>(), [FileId(1)]);
    assert!(!part.exists(), "nobody is writing it");
    assert_eq!(disk.there().len(), 2, "what is under way stays");
    let file = File::options().write(true).open(disk.path(1)).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000)).unwrap();
    let long_ago = disk.files.found(&workspace, ConversationId(7))[0].touched_at;
    assert_eq!(long_ago, 1_000_000);
    disk.files.remove(&place(1), long_ago, "unnamed").unwrap();
    assert!(disk.path(1).exists(), "it was touched then");
    let about = disk.files.touch(&place(1)).unwrap();
    assert_eq!(about.name, "a.png");
    disk.files.remove(&place(1), long_ago + 1, "unnamed").unwrap();
    assert!(disk.path(1).exists(), "it was named since");
    disk.files.remove(&place(1), u64::MAX, "forgotten").unwrap();
    assert!(!disk.path(1).exists());
    disk.files.remove(&place(1), u64::MAX, "forgotten").unwrap();
    disk.files.remove_empty(&workspace, ConversationId(7));
    assert_eq!(disk.there().len(), 1);
    drop(under_way);
    disk.files.remove_empty(&workspace, ConversationId(7));
    assert!(disk.files.conversations("demo").next_few().is_empty());
}

#[test]
fn a_customer_who_is_erased_takes_its_files_along() {
    let disk = Disk::new(1 << 30);
    disk.store(1, &picture()).unwrap();
    assert!(!disk.files.is_erased(disk.key));
    disk.files.keys.erase(&[disk.key]).unwrap();
    assert!(disk.files.is_erased(disk.key));
    assert!(matches!(disk.read(1), Err(NotOpened::Sealed(Unsealed::Erased))));
    assert!(matches!(disk.store(2, b"x"), Err(NotTaken::Sealed(SealFailed::Erased))));
}

#[test]
fn what_is_there_is_counted_before_anything_is_taken() {
    let disk = Disk::new(1 << 30);
    disk.store(1, &picture()).unwrap();
    let most = stored_bytes(picture().len() as u64) + stored_bytes(1) - 1;
    let settings = FilesSettings { workspace_bytes_max: most, unnamed_kept_ms: 1_000 };
    let again = Files::new(disk.dir.path(), disk.files.keys.clone(), settings, None);
    let disk = Disk { files: again, ..disk };
    assert!(matches!(disk.begin(2, 1), Err(NotTaken::NotCounted)));
    disk.files.count();
    assert!(matches!(disk.begin(2, 1), Err(NotTaken::Full)));
    disk.files.remove(&place(1), u64::MAX, "forgotten").unwrap();
    assert!(disk.begin(2, 1).is_ok());
}
