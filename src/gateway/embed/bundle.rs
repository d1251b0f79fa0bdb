//! The modules of the messenger and of the client under it, linked into one script and compressed, once; what is fetched when
//! there is a conversation, and what it says in other languages.

use super::link::{link, link_module};
use crate::gateway::http::bundle::Bundle;
use std::collections::BTreeMap;
use std::sync::LazyLock;

macro_rules! modules {
    ($($path:literal),* $(,)?) => { &[$(($path, include_str!(concat!("../../../web/", $path)))),*] };
}

/// A module comes after those that it imports.
const MODULES: &[(&str, &str)] = modules![
    "client/src/shared/backoff.js",
    "client/src/shared/clock.js",
    "client/src/shared/storage.js",
    "client/src/shared/environment.js",
    "client/src/shared/refused.js",
    "client/src/shared/tabs.js",
    "client/src/shared/client.js",
    "client/src/shared/outbox.js",
    "client/src/shared/scope.js",
    "client/src/messenger/state.js",
    "client/src/messenger/stream.js",
    "client/src/messenger/following.js",
    "client/src/messenger/line.js",
    "client/src/messenger/calls.js",
    "client/src/messenger/core.js",
    "client/src/messenger/client.js",
    "messenger/src/words.js",
    "messenger/src/dom.js",
    "messenger/src/style.js",
    "messenger/src/standing.js",
    "messenger/src/thread.js",
    "messenger/src/frame.js",
    "messenger/src/widget.js",
    "messenger/src/element.js",
    "messenger/src/embed.js",
];

/// What a module that comes later is made of; what both scripts need is in both, since neither may know the other's names.
const LATER: &[(&str, &str)] = modules![
    "client/src/shared/backoff.js",
    "client/src/shared/refused.js",
    "client/src/shared/scope.js",
    "client/src/shared/transfer.js",
    "client/src/shared/files.js",
    "client/src/pages/attachments.js",
    "client/src/pages/pictures.js",
    "client/src/messenger/reach.js",
    "messenger/src/files_style.js",
    "messenger/src/attach.js",
    "messenger/src/attached.js",
    "messenger/src/later.js",
];

pub(super) fn bundle() -> &'static Bundle {
    // A test links the same modules.
    static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::of(link(MODULES).expect("modules that can be linked")));
    &BUNDLE
}

/// What is not needed before there is a conversation: a module of its own, which imports nothing.
pub(super) fn later() -> &'static Bundle {
    // A test links the same modules.
    static BUNDLE: LazyLock<Bundle> =
        LazyLock::new(|| Bundle::of(link_module(LATER, "later").expect("modules that can be linked")));
    &BUNDLE
}

macro_rules! words {
    ($($language:literal),* $(,)?) => {
        [$(($language, include_str!(concat!("../../../web/messenger/words/", $language, ".json")))),*]
    };
}

/// What the messenger says in a language other than English, which is in the script.
pub(super) fn words(language: &str) -> Option<&'static Bundle> {
    static WORDS: LazyLock<Vec<(&str, Bundle)>> = LazyLock::new(|| {
        let squeezed = |text: &str| {
            // A test reads the same files.
            let words: BTreeMap<String, String> = serde_json::from_str(text).expect("words by their names");
            serde_json::to_string(&words).expect("strings always serialize")
        };
        words!["ar", "de", "es"].into_iter().map(|(language, text)| (language, Bundle::of(squeezed(text)))).collect()
    });
    WORDS.iter().find(|(known, _)| *known == language).map(|(_, bundle)| bundle)
}
