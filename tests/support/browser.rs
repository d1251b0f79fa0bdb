//! A browser as far as signing in needs one: cookies, redirects, forms, and the headers by which a server knows whose page asks.

use super::http::{Http, Response};
use super::within;
use offhook::wire::percent::encoded;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Where it is, after all redirects.
#[derive(Debug, Clone)]
pub struct Page {
    pub url: String,
    pub response: Response,
}

impl Page {
    pub fn status(&self) -> u16 {
        self.response.status
    }

    pub fn text(&self) -> &str {
        self.response.text()
    }

    pub fn path(&self) -> &str {
        &self.url[origin(&self.url).len()..]
    }

    /// The value of a form's hidden field.
    pub fn hidden(&self, name: &str) -> Option<String> {
        let named = self.text().split("<input").find(|tag| tag.contains(&format!("name=\"{name}\"")))?;
        let value = named.split("value=\"").nth(1)?.split('"').next()?;
        Some(value.to_owned())
    }

    /// Where its form goes.
    pub fn action(&self) -> Option<String> {
        let form = self.text().split("<form").nth(1)?;
        Some(form.split("action=\"").nth(1)?.split('"').next()?.to_owned())
    }
}

/// The value of a query's member, decoded as far as ours are encoded.
pub fn query(url: &str, name: &str) -> Option<String> {
    let members = url.split_once('?')?.1.split('&').filter_map(|pair| pair.split_once('='));
    let value = members.into_iter().find(|(held, _)| *held == name)?.1;
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(&rest[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    Some(String::from_utf8(bytes).expect("UTF-8"))
}

fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    &url[..url[host..].find(['/', '?']).map_or(url.len(), |at| at + host)]
}

#[derive(Default)]
pub struct Browser {
    /// As a browser keeps them: by host, and all of a test's are of one.
    pub cookies: BTreeMap<String, String>,
    /// Every `Set-Cookie`, as it came.
    pub set: Vec<String>,
}

impl Browser {
    pub fn new() -> Self {
        Self::default()
    }

    /// One request, no redirect followed.
    pub async fn ask(&mut self, method: &str, url: &str, headers: &str, body: &str) -> Response {
        let address: SocketAddr =
            origin(url).trim_start_matches("http://").parse().expect("an address of this machine");
        let path = match &url[origin(url).len()..] {
            "" => "/",
            path => path,
        };
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let mut http = Http::connect(address).await.expect("it listens");
        let headers = format!("{cookies}{headers}Connection: close\r\n");
        let asked = http.ask(method, path, &headers, body.as_bytes());
        let response = within(&format!("{method} {url}"), asked).await.expect("an answer");
        for (_, line) in response.headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.set.push(line.clone());
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            let gone = line.to_ascii_lowercase().contains("max-age=0")
                || line.to_ascii_lowercase().contains("expires=thu, 01 jan 1970");
            if gone || value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    /// A navigation that follows redirects, until a page or until `stop` says of a place that it is not gone to.
    pub async fn go_until(&mut self, url: &str, stop: impl Fn(&str) -> bool) -> Page {
        let headers = "Accept: text/html\r\nSec-Fetch-Site: none\r\n";
        let response = self.ask("GET", url, headers, "").await;
        self.follow(url, response, stop).await
    }

    pub async fn go(&mut self, url: &str) -> Page {
        self.go_until(url, |_| false).await
    }

    async fn follow(&mut self, url: &str, mut response: Response, stop: impl Fn(&str) -> bool) -> Page {
        let mut url = url.to_owned();
        for _ in 0..20 {
            let Some(place) = response.header("location").filter(|_| (300..400).contains(&response.status)) else {
                return Page { url, response };
            };
            let next = if place.starts_with('/') { format!("{}{place}", origin(&url)) } else { place.to_owned() };
            if stop(&next) {
                return Page { url: next, response };
            }
            response = self.ask("GET", &next, "Accept: text/html\r\nSec-Fetch-Site: cross-site\r\n", "").await;
            url = next;
        }
        panic!("it redirects for ever, at last to {url}");
    }

    /// Sends a page's form; redirects are followed.
    pub async fn submit(&mut self, page: &Page, members: &[(&str, &str)]) -> Page {
        self.submit_until(page, members, |_| false).await
    }

    pub async fn submit_until(&mut self, page: &Page, members: &[(&str, &str)], stop: impl Fn(&str) -> bool) -> Page {
        let action = page.action().unwrap_or_else(|| page.url.clone());
        let url = if action.starts_with('/') { format!("{}{action}", origin(&page.url)) } else { action };
        let pairs: Vec<String> = members.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let headers = format!(
            "Accept: text/html\r\nOrigin: {}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n",
            origin(&page.url)
        );
        let response = self.ask("POST", &url, &headers, &pairs.join("&")).await;
        self.follow(&url, response, stop).await
    }

    /// What a page of ours fetches.
    pub async fn fetch(&mut self, method: &str, url: &str) -> (u16, Value) {
        let headers =
            format!("Accept: */*\r\nOrigin: {}\r\nSec-Fetch-Site: same-origin\r\nX-Offhook: signin\r\n", origin(url));
        let response = self.ask(method, url, &headers, "").await;
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    /// Who is signed in here; must be somebody.
    pub async fn session(&mut self, base: &str, workspace: &str) -> Value {
        let (status, session) = self.fetch("GET", &format!("{base}/signin/{workspace}/session")).await;
        assert_eq!(status, 200, "{session}");
        session
    }

    /// Who is not: the status and the reason, or the code where there is none.
    pub async fn no_session(&mut self, base: &str, workspace: &str) -> (u16, String) {
        let (status, problem) = self.fetch("GET", &format!("{base}/signin/{workspace}/session")).await;
        assert_ne!(status, 200, "{problem}");
        let why = problem["reason"].as_str().or(problem["code"].as_str()).unwrap_or_default();
        (status, why.to_owned())
    }
}
