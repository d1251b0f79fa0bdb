//! The HTML of a page, which is all but empty: its modules make the rest. Pure.

use std::fmt::Write as _;

macro_rules! policy {
    ($pictures:literal) => {
        concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src ",
            $pictures,
            "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; ",
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )
    };
}

pub(super) struct Kind {
    /// Of its own folder in `web/desk/src/`, and the first part of its address.
    pub name: &'static str,
    pub title: &'static str,
    /// Folders of which not every page needs something.
    also: &'static [&'static str],
    /// What a browser lets it do: its own modules, styles, icons and calls, and no more. Text never becomes markup.
    pub policy: &'static str,
}

impl Kind {
    pub const CONSOLE: Self = Self {
        name: "console",
        title: "Console",
        also: &["client/src/pages/"],
        // Pictures in conversations are read with a token, so they have no address of the server's.
        policy: policy!("'self' blob:"),
    };
    pub const WALLBOARD: Self = Self { name: "wallboard", title: "Wallboard", also: &[], policy: policy!("'self'") };

    /// What is the other page's, or the messenger's, is not this one's.
    fn has(&self, path: &str) -> bool {
        let folders = ["client/src/shared/", "client/src/agent/", "desk/src/shared/"];
        folders.iter().chain(self.also).any(|folder| path.starts_with(folder)) || self.owns(path)
    }

    fn owns(&self, path: &str) -> bool {
        path.strip_prefix("desk/src/")
            .and_then(|rest| rest.strip_prefix(self.name))
            .is_some_and(|rest| rest.starts_with('/'))
    }
}

/// `workspace` is a name that there is: lower-case letters, digits and hyphens. `by_provider`: it has a provider by which people sign in.
/// `paths` are in order.
pub(super) fn page(kind: &Kind, workspace: &str, by_provider: bool, tag: &str, paths: &[String]) -> String {
    let (name, title) = (kind.name, kind.title);
    let provider = if by_provider { " data-provider" } else { "" };
    let mut links = String::new();
    // The page's own styles come last, so that they may say otherwise.
    let styles = paths.iter().filter(|path| path.ends_with(".css") && kind.has(path));
    let (own, shared): (Vec<&String>, Vec<&String>) = styles.partition(|path| kind.owns(path));
    for path in shared.into_iter().chain(own) {
        let _ = write!(links, "<link rel=\"stylesheet\" href=\"/desk/{tag}/{path}\">");
    }
    for path in paths.iter().filter(|path| path.ends_with(".js") && kind.has(path) && *path != EARLY) {
        let _ = write!(links, "<link rel=\"modulepreload\" href=\"/desk/{tag}/{path}\">");
    }
    format!(
        "<!doctype html><html lang=\"en\" data-page=\"{name}\" data-workspace=\"{workspace}\" data-files=\"/desk/{tag}/desk/src\"{provider}>\
         <head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1,interactive-widget=resizes-content\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · {workspace}</title>\
         <link rel=\"icon\" type=\"image/svg+xml\" href=\"/desk/{tag}/desk/src/shared/icon.svg\">\
         <script src=\"/desk/{tag}/{EARLY}\"></script>{links}\
         <script type=\"module\" src=\"/desk/{tag}/desk/src/{name}/main.js\"></script></head>\
         <body><noscript>This page needs JavaScript.</noscript><div id=\"app\"></div></body></html>"
    )
}

/// Not a module: it runs before anything is painted.
const EARLY: &str = "desk/src/shared/early.js";
