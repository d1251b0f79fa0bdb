//! What a browser shows and is given: cookies, from which page it asks, and where it may be sent. Pure.

use crate::client::outbound::is_loopback;
use http::header::{COOKIE, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue};
use subtle::ConstantTimeEq;

/// The longest path that a browser is sent back to.
const TO_BYTES_MAX: usize = 512;
/// Pages that people sign in for.
const PAGES: [&str; 2] = ["console", "wallboard"];

/// How this server is called by the browser that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Here {
    /// `https://desk.example.com`, without a slash at the end.
    pub origin: String,
    /// Cookies go over TLS alone.
    pub secure: bool,
}

impl Here {
    /// By the setting if there is one; else by the request. Plain HTTP counts as such on this machine alone: elsewhere a proxy must
    /// speak TLS, or no cookie is kept.
    pub fn of(url: Option<&str>, speaks_tls: bool, headers: &HeaderMap) -> Option<Self> {
        if let Some(url) = url {
            return Some(Self { origin: url.to_owned(), secure: url.starts_with("https://") });
        }
        let host = headers.get(HOST)?.to_str().ok()?;
        let authority: http::uri::Authority = host.parse().ok().filter(|_| host.len() <= 260 && !host.contains('@'))?;
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let secure = speaks_tls || !is_loopback(name);
        let scheme = if secure { "https" } else { "http" };
        Some(Self { origin: format!("{scheme}://{host}"), secure })
    }

    /// Whether the request comes from a page of this server's own. Browsers say so with every write, and no page can forge it;
    /// `read`: a request without an `Origin` is one too, since browsers leave it out of those.
    pub fn is_asked_from(&self, headers: &HeaderMap, read: bool) -> bool {
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let by_site = site.map(|site| site == b"same-origin" || (read && site == b"none"));
        let Some(origin) = headers.get(ORIGIN) else { return by_site.unwrap_or(read) };
        let Some(origin) = origin.to_str().ok() else { return false };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        let own = origin.eq_ignore_ascii_case(&self.origin)
            || authority.is_some_and(|authority| !host.is_empty() && authority.eq_ignore_ascii_case(host));
        own && by_site.unwrap_or(true)
    }

    /// With the prefix, a browser takes it only over TLS, for this host alone, from this host alone.
    fn cookie_name(&self, what: &str, workspace: &str) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        format!("{prefix}offhook-{what}{workspace}")
    }

    pub fn session_name(&self, workspace: &str) -> String {
        self.cookie_name("", workspace)
    }

    /// `flow.` cannot begin a workspace's name.
    pub fn flow_name(&self, workspace: &str) -> String {
        self.cookie_name("flow.", workspace)
    }

    /// A `Set-Cookie`. The session's is for requests of our own pages; that of a sign-in under way must come back with the browser
    /// from the provider's site.
    pub fn set(&self, name: &str, value: &str, life_s: i64, strict: bool) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let site = if strict { "Strict" } else { "Lax" };
        let text = format!("{name}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite={site}{secure}");
        HeaderValue::from_str(&text).expect("names and values of ours are plain")
    }
}

/// The one cookie of this name; two of it are none, since nobody can tell whose is whose.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut own = pairs.filter(|(held, _)| *held == name).map(|(_, value)| value);
    let first = own.next();
    if own.next().is_some() { None } else { first }
}

/// Where a browser goes at the end: below the console or the wallboard of this workspace, or to the console. Never to another server,
/// however it is spelled: what is not plain is not taken.
pub(super) fn place(asked: Option<&str>, workspace: &str) -> String {
    let own = |to: &&str| {
        let (path, query) = to.split_once('?').unwrap_or((to, ""));
        let plain = |text: &str, more: &[u8]| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) || more.contains(&byte))
        };
        let mut parts = path.split('/');
        let whole = parts.next() == Some("")
            && parts.next().is_some_and(|page| PAGES.contains(&page))
            && parts.next() == Some(workspace);
        let steps = parts.all(|part| part != "." && part != "..");
        whole && steps && to.len() <= TO_BYTES_MAX && plain(path, b"") && plain(query, b"=&%+:,*")
    };
    asked.filter(own).map_or_else(|| format!("/{}/{workspace}", PAGES[0]), str::to_owned)
}

/// Equal, in a time that does not tell where they differ.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_browser_is_sent_to_pages_of_the_workspace_alone() {
        for good in
            ["/console/acme", "/console/acme/", "/wallboard/acme/queues/a-b?sort=name&x=%20*", "/console/acme?a=b"]
        {
            assert_eq!(place(Some(good), "acme"), good);
        }
        let long = format!("/console/acme/{}", "x".repeat(TO_BYTES_MAX));
        for bad in [
            "",
            "/",
            "https://evil.example",
            "//evil.example",
            "//evil.example/console/acme",
            "/\\evil.example",
            "/console/acme\\..\\",
            "/console/acme/../../evil",
            "/console/acme/./x",
            "/console/other",
            "/console/acmee",
            "/console",
            "/signin/acme",
            "/console/acme#x",
            "/console/acme\r\nSet-Cookie: a=b",
            "/console/acme%2f..",
            "/console/acme?a=//b c",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(place(Some(bad), "acme"), "/console/acme", "{bad:?}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        let of =
            |url, tls, host| Here::of(url, tls, &headers(&[("host", host)])).map(|here| (here.origin, here.secure));
        assert_eq!(of(None, false, "127.0.0.1:7788"), Some(("http://127.0.0.1:7788".to_owned(), false)));
        assert_eq!(of(None, false, "[::1]:7788"), Some(("http://[::1]:7788".to_owned(), false)));
        assert_eq!(of(None, true, "localhost:7788"), Some(("https://localhost:7788".to_owned(), true)));
        assert_eq!(of(None, false, "desk.example.com"), Some(("https://desk.example.com".to_owned(), true)));
        assert_eq!(of(None, false, "localhost.example.com"), Some(("https://localhost.example.com".to_owned(), true)));
        assert_eq!(of(Some("https://d.example"), false, "127.0.0.1"), Some(("https://d.example".to_owned(), true)));
        assert_eq!(of(None, false, "me@localhost"), None);
        assert_eq!(Here::of(None, false, &HeaderMap::new()), None);
    }

    #[test]
    fn another_sites_page_is_told_by_what_its_browser_says() {
        let here = Here { origin: "https://desk.example".to_owned(), secure: true };
        let host = ("host", "desk.example");
        let (own, other) = (("origin", "https://desk.example"), ("origin", "https://evil.example"));
        let is = |list: &[(&str, &str)], read| here.is_asked_from(&headers(list), read);
        assert!(is(&[host, own], false) && is(&[host, own, ("sec-fetch-site", "same-origin")], false));
        assert!(is(&[host, ("sec-fetch-site", "same-origin")], false));
        assert!(is(&[host], true) && is(&[host, ("sec-fetch-site", "none")], true));
        for read in [true, false] {
            assert!(!is(&[host, other], read) && !is(&[host, ("origin", "null")], read));
            assert!(!is(&[host, own, ("sec-fetch-site", "cross-site")], read));
            assert!(!is(&[host, ("sec-fetch-site", "same-site")], read));
            assert!(!is(&[other], read) && !is(&[("origin", "https://")], read));
        }
        assert!(!is(&[host], false) && !is(&[host, ("sec-fetch-site", "none")], false));
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_and_two_are_none() {
        let of = |lines: &[&str], name: &str| {
            let lines: Vec<_> = lines.iter().map(|line| ("cookie", *line)).collect();
            cookie(&headers(&lines), name).map(str::to_owned)
        };
        assert_eq!(of(&["a=1; offhook-acme=x.y; b=2"], "offhook-acme").as_deref(), Some("x.y"));
        assert_eq!(of(&["offhook-acme2=x"], "offhook-acme"), None);
        assert_eq!(of(&["offhook-acme=x", "offhook-acme=y"], "offhook-acme"), None);
        let here = Here { origin: "https://d".to_owned(), secure: true };
        assert_eq!(here.session_name("acme"), "__Host-offhook-acme");
        assert_ne!(here.flow_name("acme"), here.session_name("flow"));
        assert_eq!(here.set("n", "v", 60, true), "n=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
    }
}
