//! The pages of the desk: which files they name, that those are there, and what their policy allows.

use super::files;
use super::page::{Kind, page};

#[test]
fn a_page_names_its_own_files_and_no_other_pages() {
    let html = page(&Kind::CONSOLE, "demo", false, "abc", &files::paths());
    assert!(html.contains("src=\"/desk/abc/desk/src/console/main.js\""));
    assert!(html.contains("href=\"/desk/abc/client/src/agent/client.js\""));
    assert!(html.contains("href=\"/desk/abc/desk/src/shared/tokens.css\""));
    assert!(!html.contains("src/wallboard/") && !html.contains("src/messenger/"));
    assert!(html.contains("client/src/pages/pictures.js"));
    assert!(!page(&Kind::WALLBOARD, "demo", false, "abc", &files::paths()).contains("client/src/pages/"));
    // Its own styles come after those that it shares.
    let place = |path: &str| html.find(path).expect("named");
    assert!(place("desk/src/shared/tokens.css") < place("desk/src/console/console.css"));
    // Blocking, and so no module.
    assert_eq!(html.matches("early.js").count(), 1);
    assert!(!html.contains(" data-provider"));
    assert!(page(&Kind::CONSOLE, "demo", true, "abc", &[]).contains(" data-provider>"));
}

#[test]
fn every_file_that_a_page_may_name_is_there_and_of_a_known_kind() {
    let paths = files::paths();
    assert!(paths.len() > 30, "{paths:?}");
    for path in &paths {
        let file = files::file(path).expect("a file");
        assert!(!file.plain.is_empty() && file.gzip[..2] == [0x1f, 0x8b], "{path}");
    }
    for path in
        ["", "desk/src/", "desk/package.json", "desk/src/../package.json", "client/src/../package.json", "nothing.js"]
    {
        assert!(files::file(path).is_none(), "{path}");
    }
}

#[test]
fn the_policies_allow_nothing_unsafe_and_pictures_only_where_there_are_some() {
    for Kind { policy, .. } in [&Kind::CONSOLE, &Kind::WALLBOARD] {
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("data:"), "{policy}");
    }
    assert!(Kind::CONSOLE.policy.contains("img-src 'self' blob:;") && !Kind::WALLBOARD.policy.contains("blob:"));
}
