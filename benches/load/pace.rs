//! Open loop: what is due is due, however busy the server or its client is.
//!
//! A thread of its own says when, since an asynchronous timer is only good to a millisecond.

use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc};

/// Numbers 0, 1, 2, … each handed out when it is due; shared by those who do the work.
#[derive(Clone)]
pub struct Pace {
    due: Arc<Mutex<mpsc::Receiver<u32>>>,
    began: Instant,
    rate: f64,
}

impl Pace {
    /// `count` of them, `rate` a second, from a moment from now.
    pub fn begin(rate: f64, count: u32) -> Self {
        let began = Instant::now() + Duration::from_millis(50);
        let (say, due) = mpsc::channel(count.max(1) as usize);
        let pace = Self { due: Arc::new(Mutex::new(due)), began, rate };
        let clock = pace.clone();
        std::thread::spawn(move || {
            for number in 0..count {
                let wait = clock.due_at(number).saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    std::thread::sleep(wait);
                }
                if say.try_send(number).is_err() {
                    return;
                }
            }
        });
        pace
    }

    /// The next number, once it is due; `None` after the last.
    pub async fn next(&self) -> Option<u32> {
        self.due.lock().await.recv().await
    }

    pub fn due_at(&self, number: u32) -> Instant {
        self.began + Duration::from_secs_f64(f64::from(number) / self.rate)
    }

    /// Microseconds since a number was due.
    pub fn late_us(&self, number: u32) -> u32 {
        Instant::now().saturating_duration_since(self.due_at(number)).as_micros().min(u128::from(u32::MAX)) as u32
    }
}
