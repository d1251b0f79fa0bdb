//! Which web pages may open a socket. A browser sends `Origin`, and a page cannot forge it; programs send none.

/// The allow-list: `scheme://host[:port]`, compared without regard to case; or `*` for all.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    allowed: Vec<Box<str>>,
    all: bool,
}

impl Origins {
    #[must_use]
    pub fn new<'a>(allowed: impl IntoIterator<Item = &'a str>) -> Self {
        let mut origins = Self::default();
        for origin in allowed {
            match origin.trim_end_matches('/') {
                "*" => origins.all = true,
                origin => origins.allowed.push(origin.into()),
            }
        }
        origins
    }

    /// `None`: there was no such header.
    #[must_use]
    pub fn allow(&self, origin: Option<&[u8]>) -> bool {
        let Some(origin) = origin else { return true };
        self.all || self.allowed.iter().any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_pages_and_programs_come_in() {
        let origins = Origins::new(["https://desk.example", "http://localhost:5173/"]);
        for good in [None, Some("https://desk.example"), Some("HTTPS://Desk.Example"), Some("http://localhost:5173")] {
            assert!(origins.allow(good.map(str::as_bytes)), "{good:?}");
        }
        for bad in ["null", "", "https://desk.example.evil", "http://desk.example", "https://desk.example:8443"] {
            assert!(!origins.allow(Some(bad.as_bytes())), "{bad:?}");
        }
        assert!(!Origins::default().allow(Some(b"https://desk.example")));
        assert!(Origins::new(["*"]).allow(Some(b"null")));
    }
}
