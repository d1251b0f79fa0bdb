//! Records of one workspace, one behind the other in a file, each with its own sum.
//!
//! ```text
//! "OHBS" | version 1 | record … : length u32 | crc32 of the rest u32 | position u64 | turn u128 | body, all LE
//! ```

use super::failed::{BackupFailed, OrFailed};
use super::held::{self, Part, Sum};
use crate::journal::{Position, RECORD_BYTES_MAX, StoredRecord, TurnId};
use bytes::Bytes;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

const HEAD: &[u8; 5] = b"OHBS\x01";
const PLACE_BYTES: usize = 8 + 16;

/// Writes records to a file that is made with the first.
pub(super) struct SegmentWriter {
    path: PathBuf,
    name: String,
    file: Option<BufWriter<File>>,
    sum: Sum,
    pub last: Option<StoredRecord>,
}

impl SegmentWriter {
    /// `name` is the path below `dir`.
    pub fn new(dir: &Path, name: String) -> Self {
        Self { path: dir.join(&name), name, file: None, sum: Sum::default(), last: None }
    }

    pub fn add(&mut self, record: &StoredRecord) -> Result<usize, BackupFailed> {
        if self.file.is_none() {
            self.file = Some(BufWriter::with_capacity(held::PIECE_BYTES, held::create(&self.path)?));
            self.put(HEAD)?;
        }
        let mut frame = Vec::with_capacity(8 + PLACE_BYTES + record.body.len());
        frame.extend_from_slice(&((PLACE_BYTES + record.body.len()) as u32).to_le_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(&record.position.0.to_le_bytes());
        frame.extend_from_slice(&record.turn.0.to_le_bytes());
        frame.extend_from_slice(&record.body);
        let crc = crc32fast::hash(&frame[8..]);
        frame[4..8].copy_from_slice(&crc.to_le_bytes());
        self.put(&frame)?;
        self.last = Some(record.clone());
        Ok(frame.len())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupFailed> {
        self.sum.add(bytes);
        let file = self.file.as_mut().expect("made with the first record");
        file.write_all(bytes).or_failed("writing", &self.path)
    }

    /// Forgets what was written: the records that follow begin later.
    pub fn begin_anew(&mut self) -> Result<(), BackupFailed> {
        if let Some(file) = self.file.take() {
            let mut file = file.into_inner().map_err(|error| error.into_error()).or_failed("writing", &self.path)?;
            file.set_len(0).and_then(|()| file.rewind()).or_failed("emptying", &self.path)?;
            self.file = Some(BufWriter::with_capacity(held::PIECE_BYTES, file));
            self.sum = Sum::default();
            self.put(HEAD)?;
        }
        self.last = None;
        Ok(())
    }

    /// On the disk; `None` if there was no record.
    pub fn end(mut self) -> Result<Option<Part>, BackupFailed> {
        let Some(mut file) = self.file.take() else { return Ok(None) };
        file.flush().and_then(|()| file.get_ref().sync_all()).or_failed("syncing", &self.path)?;
        Ok(Some(self.sum.part(self.name)))
    }
}

/// Reads records back, and sums up the whole file as it goes.
pub(super) struct SegmentReader {
    path: PathBuf,
    file: BufReader<File>,
    sum: Sum,
}

impl SegmentReader {
    pub fn open(path: &Path) -> Result<Self, BackupFailed> {
        let file = File::open(path).or_failed("reading", path)?;
        let file = BufReader::with_capacity(held::PIECE_BYTES, file);
        let mut reader = Self { path: path.to_owned(), file, sum: Sum::default() };
        let mut head = [0; HEAD.len()];
        reader.take(&mut head)?;
        match head == *HEAD {
            true => Ok(reader),
            false => Err(reader.damaged("it does not begin as records do")),
        }
    }

    /// `None` at the end.
    pub fn next(&mut self) -> Result<Option<StoredRecord>, BackupFailed> {
        let at_end = std::io::BufRead::fill_buf(&mut self.file).or_failed("reading", &self.path)?.is_empty();
        if at_end {
            return Ok(None);
        }
        let mut lead = [0; 8];
        self.take(&mut lead)?;
        let (bytes, crc) = lead.split_at(4);
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let (bytes, crc) = (number(bytes) as usize, number(crc));
        if !(PLACE_BYTES..=PLACE_BYTES + RECORD_BYTES_MAX).contains(&bytes) {
            return Err(self.damaged("a record has an impossible length"));
        }
        let mut frame = vec![0; bytes];
        self.take(&mut frame)?;
        if crc32fast::hash(&frame) != crc {
            return Err(self.damaged("a record's sum is not what it was"));
        }
        let position = u64::from_le_bytes(frame[..8].try_into().expect("eight bytes"));
        let turn = u128::from_le_bytes(frame[8..PLACE_BYTES].try_into().expect("sixteen bytes"));
        let body = Bytes::from(frame).slice(PLACE_BYTES..);
        Ok(Some(StoredRecord { position: Position(position), turn: TurnId(turn), body }))
    }

    /// After the last record: whether the file is that part.
    pub fn same_as(self, part: &Part) -> Result<(), BackupFailed> {
        held::same(&self.path, part, self.sum)
    }

    fn take(&mut self, into: &mut [u8]) -> Result<(), BackupFailed> {
        self.file.read_exact(into).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => self.damaged("it ends in the middle of a record"),
            _ => BackupFailed::Disk { doing: "reading", path: self.path.clone(), source: error },
        })?;
        self.sum.add(into);
        Ok(())
    }

    pub(super) fn damaged(&self, why: &str) -> BackupFailed {
        BackupFailed::damaged(&self.path, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(position: u64) -> StoredRecord {
        let body = Bytes::from(vec![position as u8; 20 + position as usize]);
        StoredRecord { position: Position(position), turn: TurnId(u128::from(position) << 70), body }
    }

    fn written(dir: &Path, positions: std::ops::RangeInclusive<u64>) -> Part {
        let mut writer = SegmentWriter::new(dir, "demo.records".into());
        positions.for_each(|position| {
            writer.add(&record(position)).unwrap();
        });
        writer.end().unwrap().unwrap()
    }

    fn read(path: &Path, part: &Part) -> Result<Vec<StoredRecord>, BackupFailed> {
        let mut reader = SegmentReader::open(path)?;
        let mut records = Vec::new();
        while let Some(record) = reader.next()? {
            records.push(record);
        }
        reader.same_as(part)?;
        Ok(records)
    }

    #[test]
    fn records_come_back_and_each_changed_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let part = written(dir.path(), 3..=9);
        let path = dir.path().join(&part.path);
        assert_eq!(read(&path, &part).unwrap(), (3..=9).map(record).collect::<Vec<_>>());
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            std::fs::write(&path, changed).unwrap();
            assert!(read(&path, &part).unwrap_err().is_damage(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(read(&path, &part).unwrap_err().is_damage(), "cut off at {at}");
        }
    }

    #[test]
    fn what_begins_anew_has_forgotten_what_came_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = SegmentWriter::new(dir.path(), "demo.records".into());
        writer.begin_anew().unwrap();
        writer.add(&record(1)).unwrap();
        writer.begin_anew().unwrap();
        assert_eq!(writer.last, None);
        writer.add(&record(5)).unwrap();
        let part = writer.end().unwrap().unwrap();
        assert_eq!(read(&dir.path().join(&part.path), &part).unwrap(), [record(5)]);
        let none = SegmentWriter::new(dir.path(), "none.records".into());
        assert_eq!(none.end().unwrap(), None);
    }
}
