//! Which web pages may use the server from a browser, and the CORS answer that says so. Pure.

use http::header::{self, HeaderName, HeaderValue};

/// One allowed origin.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Exact(String),
    /// `https://*.example.com`: the scheme with `://`, and the host's end with its dot.
    Under {
        scheme: String,
        suffix: String,
    },
}

/// The allow-list; an empty one lets in pages of the server's own host and of this machine.
#[derive(Debug, Clone, Default)]
pub struct OriginRules {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not an origin: write https://host, https://host:port or https://*.example.com")]
pub struct OriginRuleError {
    pub found: String,
}

impl OriginRules {
    /// Reads `identity.origins`.
    pub fn parse(list: &[String]) -> Result<Self, OriginRuleError> {
        let rules: Result<Vec<Rule>, _> =
            list.iter().map(|text| rule(text).ok_or_else(|| OriginRuleError { found: text.clone() })).collect();
        Ok(Self { rules: rules? })
    }

    /// Whether a page of `origin` may use the server that was asked as `host` (the Host header).
    pub fn allows(&self, origin: &str, host: Option<&str>) -> bool {
        let Some((scheme, authority)) = split(origin) else {
            return false;
        };
        if self.rules.is_empty() {
            return is_loopback(authority) || host.is_some_and(|host| host.eq_ignore_ascii_case(authority));
        }
        let origin = origin.to_ascii_lowercase();
        self.rules.iter().any(|rule| match rule {
            Rule::Exact(exact) => *exact == origin,
            Rule::Under { scheme: own, suffix } => {
                let authority = authority.to_ascii_lowercase();
                own.eq_ignore_ascii_case(scheme) && authority.len() > suffix.len() && authority.ends_with(suffix)
            }
        })
    }

    /// The CORS headers of an answer. `Vary` is there in any case, or a shared cache would hand one page's answer to another.
    /// Credentials are never allowed: our tokens travel in headers, so no cookie can be ridden on.
    pub fn cors_headers(
        &self,
        origin: Option<&str>,
        host: Option<&str>,
        preflight: bool,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = vec![(header::VARY, HeaderValue::from_static("Origin"))];
        let allowed = origin.filter(|origin| self.allows(origin, host));
        let Some(origin) = allowed.and_then(|origin| HeaderValue::from_str(origin).ok()) else {
            return headers;
        };
        headers.push((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin));
        let fixed: &[(HeaderName, &'static str)] = if preflight {
            &[
                (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"),
                (header::ACCESS_CONTROL_MAX_AGE, "7200"),
            ]
        } else {
            &[(header::ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After")]
        };
        headers.extend(fixed.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
        headers
    }
}

fn rule(text: &str) -> Option<Rule> {
    let text = text.to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    if let Some(under) = authority.strip_prefix("*.") {
        // A dot inside, or "*.com" would let in half the world.
        let good = split(&format!("{scheme}://{under}")).is_some() && under.trim_end_matches('.').contains('.');
        return good.then(|| Rule::Under { scheme: scheme.to_owned(), suffix: format!(".{under}") });
    }
    split(&text)?;
    // Browsers leave out the port that the scheme implies.
    let implied = if scheme == "https" { ":443" } else { ":80" };
    Some(Rule::Exact(text.strip_suffix(implied).unwrap_or(&text).to_owned()))
}

/// Splits an origin into scheme and host with port; None for anything else ("null", a path, a user).
fn split(origin: &str) -> Option<(&str, &str)> {
    let (scheme, authority) = origin.split_once("://")?;
    let http = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let plain = !authority.is_empty()
        && authority.len() <= 260
        && authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    (http && plain && authority.parse::<http::uri::Authority>().is_ok()).then_some((scheme, authority))
}

fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<http::uri::Authority>() else {
        return false;
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(list: &[&str]) -> OriginRules {
        OriginRules::parse(&list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn an_exact_origin_matches_itself_alone() {
        let rules = rules(&["https://Www.example.com:443", "http://example.com:8080"]);
        for good in ["https://www.example.com", "HTTPS://WWW.example.com", "http://example.com:8080"] {
            assert!(rules.allows(good, None), "{good}");
        }
        for bad in [
            "http://www.example.com",
            "https://www.example.com:444",
            "https://example.com",
            "https://www.example.com.evil.net",
            "https://localhost",
            "null",
            "",
        ] {
            assert!(!rules.allows(bad, Some("desk.example.com")), "{bad}");
        }
    }

    #[test]
    fn a_star_stands_for_what_is_under_the_name_and_never_for_the_name() {
        let rules = rules(&["https://*.example.com"]);
        assert!(rules.allows("https://a.example.com", None) && rules.allows("https://a.b.example.com", None));
        for bad in [
            "https://example.com",
            "https://evilexample.com",
            "http://a.example.com",
            "https://.example.com",
            "https://a.example.com:8443",
            "https://a.example.com@evil.net",
            "https://evil.net/.example.com",
        ] {
            assert!(!rules.allows(bad, None), "{bad}");
        }
    }

    #[test]
    fn an_empty_list_lets_in_the_own_host_and_this_machine() {
        let rules = rules(&[]);
        for good in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:80", "https://desk.example.com"] {
            assert!(rules.allows(good, Some("desk.example.com")), "{good}");
        }
        for bad in ["https://other.example.com", "https://localhost.evil.net", "null"] {
            assert!(!rules.allows(bad, Some("desk.example.com")), "{bad}");
        }
        assert!(!rules.allows("https://desk.example.com", None));
    }

    #[test]
    fn what_is_no_origin_is_refused_as_a_rule() {
        for bad in [
            "",
            "*",
            "example.com",
            "https://",
            "ftp://a.b",
            "https://a.b/",
            "https://*.com",
            "https://a.*.com",
            "https://u@a.b",
            "null",
        ] {
            let list = [bad.to_owned()];
            assert_eq!(OriginRules::parse(&list).unwrap_err().found, bad);
        }
    }

    #[test]
    fn the_answer_names_the_page_and_varies_by_it() {
        let rules = rules(&["https://a.example.com"]);
        let shown = |origin, preflight| -> Vec<String> {
            let headers = rules.cors_headers(origin, None, preflight);
            headers.into_iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
        };
        assert_eq!(shown(Some("https://b.example.com"), true), ["vary: Origin"]);
        assert_eq!(shown(None, false), ["vary: Origin"]);
        let allowed = shown(Some("https://a.example.com"), true);
        assert!(allowed.contains(&"access-control-allow-origin: https://a.example.com".to_owned()));
        assert!(allowed.iter().any(|line| line.contains("Idempotency-Key")));
        assert!(!allowed.iter().any(|line| line.contains("credentials")));
    }
}
