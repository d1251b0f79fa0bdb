//! A client that comes new, again and again, and notes how long it waited for the first byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_millis(20);

pub struct FirstByte {
    over: Arc<AtomicBool>,
    asking: Option<JoinHandle<(Duration, u64)>>,
}

impl FirstByte {
    pub fn watch(address: SocketAddr) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        let asking = std::thread::spawn(move || {
            let (mut worst, mut asked) = (Duration::ZERO, 0);
            while !ends.load(Ordering::Relaxed) {
                worst = worst.max(wait(address));
                asked += 1;
                // The pace of new clients; what each waited is what counts.
                std::thread::sleep(EVERY);
            }
            (worst, asked)
        });
        Self { over, asking: Some(asking) }
    }

    /// The longest wait, which held.
    pub fn held(mut self) -> Duration {
        self.over.store(true, Ordering::Relaxed);
        let (worst, asked) = self.asking.take().expect("once").join().expect("it asked to the end");
        assert!(asked > 0);
        assert!(worst < LONGEST, "a new client waited {worst:?} for its first byte");
        worst
    }
}

/// A connection that was accepted by a server that was killed then has no first byte: it is a new client once more.
fn wait(address: SocketAddr) -> Duration {
    let mut began = Instant::now();
    loop {
        let mut stream = TcpStream::connect(address).expect("the socket is open throughout");
        stream.set_read_timeout(Some(LONGEST * 3)).expect("a limit");
        let asked = stream.write_all(b"GET /v1/nothing HTTP/1.1\r\nHost: offhook\r\nConnection: close\r\n\r\n");
        let mut byte = [0];
        match asked.and_then(|()| stream.read(&mut byte)) {
            Ok(1) => return began.elapsed(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return began.elapsed(),
            // Cut off: it comes again.
            Ok(_) | Err(_) => began = Instant::now(),
        }
    }
}
