//! Linking and squeezing by example, and the whole script as it is given out.

use super::bundle::{bundle, later, words};
use super::link::{link, link_module};
use super::squeeze::squeeze;
use crate::gateway::http::gzip::takes_gzip;
use http::{HeaderMap, HeaderValue, header};

#[test]
fn modules_get_one_scope_in_their_order() {
    let a = "export const one = 1;\nexport async function two() {\n  return one;\n}\n";
    let b = "import { one, two } from '../x/a.js';\nexport class Three {}\nlet four = two(one);\n";
    let both = "const one=1;async function two(){return one;}\nclass Three{}\nlet four=two(one);\n";
    let modules = [("x/a.js", a), ("y/b.js", b)];
    assert_eq!(link(&modules).unwrap(), format!("(()=>{{\"use strict\";\n{both}}})();\n"));
    assert_eq!(link_module(&modules, "Three").unwrap(), format!("{both}export{{Three}};\n"));
}

#[test]
fn comments_and_white_space_go_where_they_mean_nothing() {
    for (text, wanted) in [
        ("// a\n/** b */\nlet c = /** @type {any} */ (d);\n", "let c=(d);"),
        ("f( 'http://h  ', \"a // b\", `c  // ${ d }  \n  e` );", "f('http://h  ',\"a // b\",`c  // ${ d }  \n  e`);"),
        ("g = s.replace(/[|%] \\/*/g, x)\nh / 2 / 3", "g=s.replace(/[|%] \\/*/g,x)\nh / 2 / 3"),
        ("return a + +b - --c;", "return a + +b - --c;"),
        ("let a = 1\nlet b = (\n  2\n)\n[c]", "let a=1\nlet b=(2)\n[c]"),
        ("a\n  .b()\n  ?.c\nget d() {\n}\n", "a.b()?.c\nget d(){}"),
        ("case 'x':\n  return /** y */ typeof  w", "case 'x':return typeof w"),
    ] {
        assert_eq!(squeeze(text).as_deref(), Ok(wanted), "{text}");
    }
    for text in ["/* a", "'b\n'", "`c", "`d${`e`}`", "(/f"] {
        assert!(squeeze(text).is_err(), "{text}");
    }
}

#[test]
fn what_it_cannot_link_it_refuses() {
    for (text, wanted) in [
        ("import x from './a.js';", "an import of another form"),
        ("import { one } from './c.js';", "a module that is not before this one"),
        ("import { one as two } from './a.js';", "a name that is not exported there"),
        ("import { own } from './a.js';", "a name that is not exported there"),
        ("let own = 2;", "a name that another module has too"),
        ("export default 1;", "an export of another form"),
        ("export { a } from './a.js';", "an export of another form"),
        ("const a = import.meta.url;", "what only a module has"),
        ("/* a", "a comment"),
    ] {
        let refused = link(&[("a.js", "export const one = 1;\nconst own = 1;"), ("b.js", text)]).unwrap_err();
        assert_eq!((refused.module.as_str(), refused.what), ("b.js", wanted), "{text}");
    }
}

#[test]
fn the_messenger_is_one_script_below_20_kb() {
    let made = bundle();
    let text = std::str::from_utf8(&made.plain).unwrap();
    for wanted in ["class MessengerClient ", "class OffhookMessenger ", "customElements.define("] {
        assert_eq!(text.matches(wanted).count(), 1, "{wanted}");
    }
    assert!(!text.contains("/**") && !text.contains("\nimport ") && !text.contains("\nexport "));
    println!("figure messenger_bytes_gz {}", made.gzip.len());
    assert!(made.gzip.len() < 20_000, "{} bytes", made.gzip.len());
}

#[test]
fn gzip_is_given_to_whoever_takes_it() {
    let takes = |value: &'static str| {
        takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
    };
    assert!(takes("gzip, deflate, br") && takes("br;q=1.0, GZIP;q=0.5"));
    assert!(!takes("br") && !takes("gzip;q=0") && !takes_gzip(&HeaderMap::new()));
}

#[test]
fn each_other_language_is_small_and_on_its_own() {
    for language in ["ar", "de", "es"] {
        let made = words(language).unwrap();
        let said: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&made.plain).unwrap();
        assert!(said.len() > 40 && said.values().all(|text| text.as_str().is_some_and(|text| !text.is_empty())));
        assert!(made.gzip.len() < 2_500, "{language}: {} bytes", made.gzip.len());
    }
    assert!(words("en").is_none() && words("../de").is_none());
}

#[test]
fn what_comes_later_is_a_small_module_that_needs_nothing() {
    let made = later();
    let text = std::str::from_utf8(&made.plain).unwrap();
    assert!(text.ends_with("export{later};\n") && !text.contains("/**") && !text.contains("\nimport "));
    println!("figure messenger_later_bytes_gz {}", made.gzip.len());
    assert!(made.gzip.len() < 11_000, "{} bytes", made.gzip.len());
}
