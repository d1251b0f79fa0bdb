//! From starting the process to being ready: on an empty directory, and on one with a past.
//!
//! `cargo bench --bench restart -- [--quick] [--conversations N] [--open N] [--runs N] [--keep DIRECTORY]`
//!
//! `--keep` leaves the past that was made in a directory, and uses the one that is there already.

mod load;

use load::arguments::Arguments;
use load::figures::{figure, median};
use load::support::process::rss_anon_bytes;
use load::support::{Options, Server};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let arguments = Arguments::read(&["conversations", "open", "runs", "keep"]);
    load::runtime().block_on(run(&arguments));
}

async fn run(arguments: &Arguments) {
    let conversations = arguments.size("conversations", 1_000_000_u64, 5_000);
    let open = arguments.size("open", 10_000_u64, 500);
    let runs = arguments.size("runs", 5, 2);
    let quiet = Options::default().set("log.level=warn");

    let (mut firsts, mut agains) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let data_dir = directory.path().join("data");
        firsts.push(ready_ms(&quiet, &data_dir).await);
        agains.push(ready_ms(&quiet, &data_dir).await);
    }
    figure("exec_to_ready_first_ms", median(firsts), "ms");
    figure("exec_to_ready_ms", median(agains), "ms");

    let made = tempfile::tempdir().expect("a directory can be made");
    let past = arguments.text("keep").map_or_else(|| made.path().join("past"), PathBuf::from);
    if !past.join("journal.db").exists() {
        load::past::make(&past, conversations, open).await;
    }
    let bytes = |name: &str| std::fs::metadata(past.join(name)).map_or(0, |file| file.len()) as f64 / 1e6;
    eprintln!("journal {:.0} MB, view {:.0} MB", bytes("journal.db"), bytes("view.db"));
    let mut times = Vec::new();
    for _ in 0..runs {
        times.push(ready_ms(&quiet, &past).await);
    }
    figure(&format!("exec_to_ready_{}_ms", short(conversations)), median(times), "ms");
    let mut times = Vec::new();
    for _ in 0..runs {
        forget_pages(&past);
        times.push(ready_ms(&quiet, &past).await);
    }
    figure(&format!("exec_to_ready_{}_cold_ms", short(conversations)), median(times), "ms");
}

/// From exec to the first 200 of `/readyz`; the server is killed afterwards.
async fn ready_ms(options: &Options, data_dir: &Path) -> f64 {
    let options = Options { data_dir: Some(data_dir.to_owned()), ..options.clone() };
    let began = Instant::now();
    let server = Server::start(&options);
    loop {
        let ready = server.operators_page("/readyz").await;
        if ready.status == 200 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "not ready: {}", ready.text());
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    let ms = began.elapsed().as_secs_f64() * 1_000.0;
    let said_ms = server.started_in.as_secs_f64() * 1_000.0;
    eprintln!("ready in {ms:.1} ms (listening in {said_ms:.1}), {:.1} MB", rss_anon_bytes(server.pid()) as f64 / 1e6);
    ms
}

/// As after a boot: nothing of these files is in the kernel's cache.
fn forget_pages(directory: &Path) {
    use std::os::fd::AsRawFd;
    for entry in std::fs::read_dir(directory).expect("the directory is there").flatten() {
        let Ok(file) = std::fs::File::open(entry.path()) else { continue };
        let _ = file.sync_all();
        // SAFETY: advice about a file that is open; what it says of the rest of the file is nobody else's.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    }
}

fn short(count: u64) -> String {
    match count {
        millions if count >= 1_000_000 => format!("{}m", millions / 1_000_000),
        thousands if count >= 1_000 => format!("{}k", thousands / 1_000),
        few => few.to_string(),
    }
}
