//! The process's memory, as the kernel and the allocator see it.

use tikv_jemalloc_ctl::{epoch, stats};

/// What /proc/self/status says of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Anonymous memory that the kernel holds for it: what a memory limit kills for. None where it is not said.
    pub rss_anon_bytes: Option<u64>,
    /// At least one more than its highest descriptor.
    pub descriptors: usize,
}

pub fn status() -> Status {
    status_in(&std::fs::read_to_string("/proc/self/status").unwrap_or_default())
}

fn status_in(status: &str) -> Status {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let rss = field("RssAnon:").and_then(|text| text.strip_suffix("kB")?.trim().parse::<u64>().ok());
    Status {
        rss_anon_bytes: rss.and_then(|kib| kib.checked_mul(1024)),
        descriptors: field("FDSize:").and_then(|text| text.parse().ok()).unwrap_or(0),
    }
}

/// The allocator's own account, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllocatorBytes {
    /// In use by the program.
    pub allocated: usize,
    /// In pages that hold something in use.
    pub active: usize,
    /// Held from the kernel and backed by memory.
    pub resident: usize,
    /// Address space kept for later, not backed.
    pub retained: usize,
}

/// Reads the account; None where jemalloc is not this process's allocator or gives no statistics.
pub fn allocator_bytes() -> Option<AllocatorBytes> {
    epoch::advance().ok()?;
    Some(AllocatorBytes {
        allocated: stats::allocated::read().ok()?,
        active: stats::active::read().ok()?,
        resident: stats::resident::read().ok()?,
        retained: stats::retained::read().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read_in_bytes() {
        let read = status_in("FDSize:\t256\nVmRSS:\t  9 kB\nRssAnon:\t     120 kB\n");
        assert_eq!(read, Status { rss_anon_bytes: Some(122_880), descriptors: 256 });
        let nothing = Status { rss_anon_bytes: None, descriptors: 0 };
        assert_eq!(status_in("RssAnon: many kB\nFDSize: -1\n"), nothing);
    }

    #[test]
    fn this_process_holds_memory_and_descriptors() {
        assert!(status().rss_anon_bytes.is_some_and(|bytes| bytes > 0) && status().descriptors > 2);
        assert!(allocator_bytes().is_some());
    }
}
