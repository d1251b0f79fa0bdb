//! How often somebody may still ask, told with each answer: `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).

use http::{HeaderMap, HeaderValue};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::future::Future;

/// One limit, as it stands for whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub name: &'static str,
    /// So many at once.
    pub most: u64,
    /// In so many seconds as many again.
    pub window_s: u64,
    pub left: u64,
    /// There are more in so many seconds: all, where some are left; one, where none is.
    pub more_in_s: u64,
}

/// An answer tells of so many limits at most.
const RATES_MAX: usize = 4;

tokio::task_local! {
    /// Of the request that this task answers.
    static TOLD: RefCell<Vec<Rate>>;
}

/// Runs a request, and gives what was told meanwhile.
pub async fn told<T>(request: impl Future<Output = T>) -> (T, Vec<Rate>) {
    let both = async {
        let answered = request.await;
        (answered, TOLD.with(RefCell::take))
    };
    TOLD.scope(RefCell::default(), both).await
}

/// Notes how a limit stands, for the answer to the request that is under way.
pub fn tell(rate: Rate) {
    // Outside of a request there is nobody to be told.
    let _ = TOLD.try_with(|told| {
        let mut told = told.borrow_mut();
        if told.len() < RATES_MAX {
            told.push(rate);
        }
    });
}

pub fn mark(headers: &mut HeaderMap, rates: &[Rate]) {
    if rates.is_empty() {
        return;
    }
    let (mut policies, mut states) = (String::new(), String::new());
    for Rate { name, most, window_s, left, more_in_s } in rates {
        let comma = if policies.is_empty() { "" } else { ", " };
        let _ = write!(policies, "{comma}\"{name}\";q={most};w={window_s}");
        let _ = write!(states, "{comma}\"{name}\";r={left};t={more_in_s}");
    }
    for (header, value) in [("ratelimit-policy", policies), ("ratelimit", states)] {
        headers.insert(header, HeaderValue::from_str(&value).expect("names of ours, and digits"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::buckets::Buckets;
    use super::*;

    #[tokio::test]
    async fn an_answer_tells_how_often_its_sender_may_still_ask() {
        let buckets = Buckets::new(2, 10_000.0, 1_000);
        let mut seen = Vec::new();
        for _ in 0..3 {
            let asked = async { buckets.take_told("calls", "zoe", 1_000) };
            let (taken, rates) = told(asked).await;
            let mut headers = HeaderMap::new();
            mark(&mut headers, &rates);
            assert_eq!(headers["ratelimit-policy"], "\"calls\";q=2;w=20");
            seen.push((taken.is_ok(), headers["ratelimit"].to_str().unwrap().to_owned()));
        }
        assert_eq!(
            seen,
            [
                (true, "\"calls\";r=1;t=10".into()),
                (true, "\"calls\";r=0;t=20".into()),
                (false, "\"calls\";r=0;t=10".into())
            ]
        );
        let (_, rates) = told(async { buckets.take("ada", 1_000) }).await;
        let mut headers = HeaderMap::new();
        mark(&mut headers, &rates);
        assert!(headers.is_empty());
    }

    #[tokio::test]
    async fn a_request_tells_of_a_few_limits_and_no_more() {
        let buckets = Buckets::new(100, 1.0, 1_000);
        let asked = async { (0..100).for_each(|_| buckets.take_told("calls", "zoe", 1_000).unwrap()) };
        let (_, rates) = told(asked).await;
        assert_eq!(rates.len(), RATES_MAX);
    }
}
