//! What the disk itself takes: raw appends of 4 KiB, each synced.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Times in microseconds of appends with `fdatasync`, one after the other, for this long. The file is overwritten from
/// its beginning again, as a write-ahead log is.
pub fn fsync_times_us(directory: &Path, time: Duration) -> Vec<u32> {
    let path = directory.join("fsync.probe");
    let mut file = File::create(&path).expect("a file can be made");
    file.write_all(&vec![0; 4 << 20]).expect("4 MiB can be written");
    file.sync_all().expect("they can be synced");
    let block = [7; 4096];
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < time {
        use std::os::unix::fs::FileExt;
        let offset = (times.len() as u64 % 1024) * 4096;
        let write = Instant::now();
        file.write_all_at(&block, offset).expect("4 KiB can be written");
        file.sync_data().expect("they can be synced");
        times.push(write.elapsed().as_micros() as u32);
    }
    let _ = std::fs::remove_file(path);
    times
}
