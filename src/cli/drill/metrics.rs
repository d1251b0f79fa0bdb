//! The server's own counts, read from its operators' port as a scraper reads them.

use crate::client::{Address, Call, Client};
use http_body_util::{BodyExt, Limited};
use std::collections::BTreeMap;

const PAGE_BYTES_MAX: usize = 4 << 20;

/// `/metrics`; nothing if nobody answers.
pub(super) async fn page(operators: &Address) -> Option<String> {
    let answer = Client::new(operators.clone()).follow(&Call::anonymous("/metrics")).await.ok()?;
    let body = Limited::new(answer.into_body(), PAGE_BYTES_MAX).collect().await.ok()?;
    String::from_utf8(body.to_bytes().to_vec()).ok()
}

/// A counter with one label, by that label; what is zero is left out.
pub(super) fn by_label(page: &str, name: &str, label: &str) -> BTreeMap<String, u64> {
    let series = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?.strip_prefix('{')?.strip_prefix(label)?.strip_prefix("=\"")?;
        let (word, value) = rest.split_once("\"} ")?;
        Some((word.to_owned(), value.trim().parse().ok()?))
    });
    series.filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_counter_is_read_by_its_label() {
        let page = "# HELP a x\na_total{rung=\"starts\"} 3\na_total{rung=\"typing\"} 0\na_total_b{rung=\"x\"} 1\nb{rung=\"y\"} 2\n";
        assert_eq!(by_label(page, "a_total", "rung"), BTreeMap::from([("starts".to_owned(), 3)]));
        assert!(by_label("", "a_total", "rung").is_empty());
    }
}
