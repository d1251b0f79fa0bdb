//! `If-Match` and `If-None-Match` of a change: what its sender knows of the thing, found by the tag that it was shown under.

use crate::desk::command::Ask;
use crate::desk::expecting::{Known, OnlyIf};
use crate::gateway::http::etag::hex_tag;
use crate::gateway::http::problem::{Problem, answer_of, json_of};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

/// The ask, only while the thing is as its sender knows it, where that is said. `current`: as it is shown now, and as the desk holds it.
///
/// # Errors
/// `bad_request` for a header that cannot be read, or both of them.
pub(super) fn conditional(asked: &HeaderMap, current: Option<(Vec<u8>, Known)>, then: Ask) -> Result<Ask, Problem> {
    let known = match (asked.contains_key(header::IF_MATCH), asked.contains_key(header::IF_NONE_MATCH)) {
        (false, false) => return Ok(then),
        (true, false) => known(&tags(asked, &header::IF_MATCH)?, current),
        (false, true) if tags(asked, &header::IF_NONE_MATCH)? == ["*"] => Known::Absent,
        (false, true) => return Err(Problem::bad_request("of a change only * is understood").at("If-None-Match")),
        (true, true) => return Err(Problem::bad_request("either If-Match or If-None-Match").at("If-None-Match")),
    };
    Ok(Ask::OnlyIf(Box::new(OnlyIf { known, then })))
}

fn known(tags: &[&str], current: Option<(Vec<u8>, Known)>) -> Known {
    if tags == ["*"] {
        return Known::There;
    }
    let is_named = |shown: &[u8]| tags.iter().any(|tag| tag.trim_matches('"') == hex_tag(shown));
    // Otherwise it is asked all the same: what was done already is answered as it was.
    current.filter(|(shown, _)| is_named(shown)).map_or(Known::Outdated, |(_, known)| known)
}

/// `*`, or tags with their quotation marks. A weak one is no other than one that is not ours: it never matches (RFC 9110, 13.1.1).
fn tags<'a>(asked: &'a HeaderMap, name: &http::HeaderName) -> Result<Vec<&'a str>, Problem> {
    let wrong = || Problem::bad_request("* or tags in quotation marks expected").at(name.to_string());
    let mut found = Vec::new();
    for value in asked.get_all(name) {
        found.extend(value.to_str().map_err(|_| wrong())?.split(',').map(str::trim));
    }
    let is_tag = |tag: &str| {
        tag.trim_start_matches("W/").len() >= 2 && tag.ends_with('"') && tag.trim_start_matches("W/").starts_with('"')
    };
    let sound = found == ["*"] || !found.is_empty() && found.iter().all(|tag| is_tag(tag));
    if sound { Ok(found) } else { Err(wrong()) }
}

/// 200 with what was put, and its tag.
pub(super) fn put(shown: &impl Serialize) -> Response {
    let json = json_of(shown);
    let tag = format!("\"{}\"", hex_tag(&json));
    let mut response = answer_of(StatusCode::OK, json);
    response.headers_mut().insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known_by(lines: &[(&'static str, &str)]) -> Result<Option<Known>, Option<String>> {
        let mut asked = HeaderMap::new();
        for (name, value) in lines {
            asked.append(*name, value.parse().unwrap());
        }
        let current = Some((b"shown".to_vec(), Known::There));
        match conditional(&asked, current, Ask::Tick) {
            Ok(Ask::OnlyIf(only_if)) => Ok(Some(only_if.known)),
            Ok(_) => Ok(None),
            Err(problem) => Err(problem.0.field.map(|field| field.into_owned())),
        }
    }

    #[test]
    fn a_condition_is_read_by_the_tag_that_was_shown() {
        let tag = format!("\"{}\"", hex_tag(b"shown"));
        let (two, weak) = (format!("\"x\", {tag}"), format!("W/{tag}"));
        assert_eq!(known_by(&[]), Ok(None));
        assert_eq!(known_by(&[("if-match", &tag)]), Ok(Some(Known::There)));
        assert_eq!(known_by(&[("if-match", &two)]), Ok(Some(Known::There)));
        assert_eq!(known_by(&[("if-match", "\"x\"")]), Ok(Some(Known::Outdated)));
        assert_eq!(known_by(&[("if-match", &weak)]), Ok(Some(Known::Outdated)));
        assert_eq!(known_by(&[("if-none-match", "*")]), Ok(Some(Known::Absent)));
        for wrong in ["x", "", "\"x\", y", "*, \"x\""] {
            assert_eq!(known_by(&[("if-match", wrong)]), Err(Some("if-match".into())), "{wrong}");
        }
        assert_eq!(known_by(&[("if-none-match", &tag)]), Err(Some("If-None-Match".into())));
        assert_eq!(known_by(&[("if-match", &tag), ("if-none-match", "*")]), Err(Some("If-None-Match".into())));
    }
}
