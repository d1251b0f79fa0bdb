//! A request's query: known members only, each once, each of its kind; and the two that every page has.

use super::problem::Problem;
use std::borrow::Cow;

pub const LIMIT_MAX: usize = 200;
pub const LIMIT: usize = 50;
const QUERY_BYTES_MAX: usize = 8 * 1024;
/// Of what others send us, such as a form with a token in it.
const OTHERS_BYTES_MAX: usize = 64 * 1024;

/// The decoded members that were sent.
pub struct Query {
    members: Vec<(&'static str, String)>,
}

impl Query {
    /// # Errors
    /// `bad_request`, with the member named: one that is not in `known`, or is there twice.
    pub fn parse(raw: Option<&str>, known: &[&'static str]) -> Result<Self, Problem> {
        let raw = raw.unwrap_or_default();
        if raw.len() > QUERY_BYTES_MAX {
            return Err(Problem::too_large("query", QUERY_BYTES_MAX));
        }
        let mut members: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in
            raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        {
            let name = decoded(name)?;
            let Some(known) = known.iter().find(|known| **known == name) else {
                let name: String = name.chars().take(64).collect();
                return Err(Problem::bad_request(format!("unknown field {name:?}")).at(name));
            };
            if members.iter().any(|(member, _)| member == known) {
                return Err(Problem::bad_request(format!("{known} is there twice")).at(*known));
            }
            members.push((known, decoded(value)?.into_owned()));
        }
        Ok(Self { members })
    }

    /// Those of `known`, of a query or form that others wrote, who may put in what is not for us.
    ///
    /// # Errors
    /// `bad_request`, with the member named: one of these that is there twice.
    pub fn known(raw: Option<&str>, known: &[&'static str]) -> Result<Self, Problem> {
        let raw = raw.unwrap_or_default();
        if raw.len() > OTHERS_BYTES_MAX {
            return Err(Problem::too_large("query", OTHERS_BYTES_MAX));
        }
        let mut members: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in raw.split('&').filter_map(|pair| pair.split_once('=')) {
            let Some(known) = known.iter().find(|known| **known == name) else { continue };
            if members.iter().any(|(member, _)| member == known) {
                return Err(Problem::bad_request(format!("{known} is there twice")).at(*known));
            }
            members.push((known, decoded(value)?.into_owned()));
        }
        Ok(Self { members })
    }

    /// What was sent under this name; an empty value is the same as none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members
            .iter()
            .find(|(member, value)| *member == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// # Errors
    /// `bad_field` when it is there and not such a value.
    pub fn parsed<T: std::str::FromStr>(&self, name: &'static str, kind: &str) -> Result<Option<T>, Problem> {
        self.text(name).map(|text| text.parse().map_err(|_| Problem::bad_field(name, kind))).transpose()
    }

    /// # Errors
    /// `bad_cursor` when it is there and not one of ours.
    pub fn cursor<T: std::str::FromStr>(&self, name: &'static str) -> Result<Option<T>, Problem> {
        self.text(name).map(|text| text.parse().map_err(|_| Problem::bad_cursor(name))).transpose()
    }

    /// # Errors
    /// `bad_field` when it is not within 1 to 200.
    pub fn limit(&self) -> Result<usize, Problem> {
        match self.parsed("limit", "must be 1 to 200")? {
            None => Ok(LIMIT),
            Some(limit @ 1..=LIMIT_MAX) => Ok(limit),
            Some(_) => Err(Problem::bad_field("limit", "must be 1 to 200")),
        }
    }
}

fn decoded(text: &str) -> Result<Cow<'_, str>, Problem> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digit = |place: usize| rest.get(place).and_then(|b| char::from(*b).to_digit(16));
                let (Some(high), Some(low)) = (digit(0), digit(1)) else {
                    return Err(Problem::bad_request("the query is not well encoded"));
                };
                rest = &rest[2..];
                (high * 16 + low) as u8
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Problem::bad_request("the query is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::error::Code;
    use crate::wire::percent::encoded;

    #[test]
    fn what_is_encoded_is_read_back_in_any_script() {
        for text in ["Zoë", "привет +1 & co", "日本語", "a=b%20", "🦀"] {
            let raw = format!("text={}", encoded(text));
            assert_eq!(Query::parse(Some(&raw), &["text"]).unwrap().text("text"), Some(text));
        }
        assert_eq!(Query::parse(Some("text=a+b"), &["text"]).unwrap().text("text"), Some("a b"));
    }

    #[test]
    fn of_what_others_wrote_only_the_known_is_read_and_that_once() {
        let query = Query::known(Some("code=a%2Fb&session_state=%ff&state=s+t&x"), &["code", "state"]).unwrap();
        assert_eq!((query.text("code"), query.text("state")), (Some("a/b"), Some("s t")));
        for raw in ["code=a&code=b", "code=%f", "code=%ff"] {
            assert_eq!(Query::known(Some(raw), &["code"]).err().unwrap().0.code, Code::BadRequest, "{raw}");
        }
        let long = format!("code={}", "a".repeat(OTHERS_BYTES_MAX));
        assert_eq!(Query::known(Some(&long), &["code"]).err().unwrap().0.code, Code::TooLarge);
    }

    #[test]
    fn unknown_repeated_and_broken_members_are_refused() {
        for raw in ["queue=x", "limit=1&limit=2", "limit=%f", "limit=%ff"] {
            assert_eq!(Query::parse(Some(raw), &["limit"]).err().unwrap().0.code, Code::BadRequest, "{raw}");
        }
        for raw in ["limit=0", "limit=201", "limit=-1", "limit=x"] {
            let problem = Query::parse(Some(raw), &["limit"]).unwrap().limit().unwrap_err();
            assert_eq!((problem.0.code, problem.0.field.as_deref()), (Code::BadField, Some("limit")), "{raw}");
        }
    }
}
