//! What the documents promise of the tree: links, commands, flags, and the licences of what is built in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md, CHANGELOG.md, ARCHITECTURE.md and whatever lies in docs.
fn documents() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for dir in [root().to_owned(), root().join("docs")] {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "md") {
                found.push((entry.path(), std::fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    assert!(found.len() >= 4, "{found:?}");
    found
}

/// As the usual renderers make them: lower case, spaces to hyphens, other signs dropped.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
        })
        .collect()
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    for (path, text) in documents() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http://") || link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", path.display());
            if !anchor.is_empty() {
                let there = anchors(&std::fs::read_to_string(&target).unwrap()).contains(anchor);
                assert!(there, "{}: {link} names no heading", path.display());
            }
        }
    }
}

fn help(words: &[&str]) -> String {
    let asked = Command::new(env!("CARGO_BIN_EXE_offhook")).args(words).arg("--help").output().unwrap();
    assert!(asked.status.success(), "offhook {words:?} --help: {}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8(asked.stdout).unwrap()
}

/// Pieces of code in a document: between backticks, and the lines of fenced blocks.
fn code(text: &str) -> Vec<String> {
    let (mut fenced, mut found) = (false, Vec::new());
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.push(line.to_owned());
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_command_and_flag_in_the_documents_is_in_the_help() {
    let mut seen = BTreeSet::new();
    for (path, text) in documents() {
        for code in code(&text) {
            let code = code.replace("cargo run --release -- ", "offhook ");
            // Once for each place where a command begins; a sentence that only begins with the name is no command.
            for command in code.split("offhook ").skip(1) {
                let words: Vec<&str> = command.split_whitespace().collect();
                let names = [
                    "apply", "asyncapi", "audit", "backup", "check", "demo", "drill", "import", "journal", "openapi",
                    "restore", "serve", "simulate", "token", "upgrade", "verify", "version", "why",
                ];
                let Some(name) = words.first().copied().filter(|name| names.contains(name)) else { continue };
                let mut path_words = vec![name];
                if let ("journal", Some(second)) = (name, words.get(1)) {
                    path_words.push(second.trim_end_matches(|c: char| !c.is_alphanumeric()));
                }
                seen.insert(path_words.join(" "));
                let shown = help(&path_words);
                for flag in words.iter().filter(|word| word.starts_with("--")) {
                    let flag = flag.split(|c: char| c != '-' && !c.is_alphanumeric()).next().unwrap_or_default();
                    assert!(shown.contains(flag), "{}: offhook {command}: no {flag}", path.display());
                }
            }
        }
    }
    for command in [
        "apply",
        "asyncapi",
        "audit",
        "backup",
        "check",
        "demo",
        "drill",
        "import",
        "journal show",
        "journal verify",
        "openapi",
        "restore",
        "serve",
        "simulate",
        "token",
        "upgrade",
        "verify",
        "version",
        "why",
    ] {
        assert!(seen.contains(command), "no document shows `offhook {command}`");
    }
}

/// Every setting, as `offhook check` prints it.
fn settings() -> BTreeSet<String> {
    let shown = Command::new(env!("CARGO_BIN_EXE_offhook")).arg("check").output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    shown.lines().filter_map(|line| line.split_once(" = ")).map(|(path, _)| path.to_owned()).collect()
}

#[test]
fn every_setting_that_is_named_is_one() {
    let settings = settings();
    assert!(settings.len() > 20);
    let sections: BTreeSet<_> = settings.iter().filter_map(|path| path.split('.').next()).collect();
    for (path, text) in documents() {
        let mut words: Vec<String> = Vec::new();
        for code in code(&text) {
            let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
            words.extend(code.split(|c| !plain(c)).map(str::to_owned));
        }
        for word in words {
            let Some((section, key)) = word.split_once('.') else { continue };
            let file = ["db", "json", "key", "md", "toml", "rs", "js", "mjs", "sock"]
                .iter()
                .any(|end| key == *end || key.contains('.'));
            if sections.contains(section) && !key.is_empty() && !file {
                assert!(settings.contains(&word), "{}: there is no setting {word}", path.display());
            }
        }
    }
    let image = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    let variables = image.split("OFFHOOK_").skip(1).filter_map(|rest| rest.split(['=', '\n']).next());
    for variable in variables.filter(|name| name.contains("__")) {
        let path = variable.to_lowercase().replace("__", ".");
        assert!(settings.contains(&path), "Dockerfile: there is no setting {path}");
    }
}

#[test]
fn the_words_of_the_justfile_name_what_is_there() {
    let text = std::fs::read_to_string(root().join("justfile")).unwrap();
    let words: BTreeSet<_> = text
        .lines()
        .filter(|line| line.ends_with(':') && !line.starts_with([' ', '#']))
        .filter_map(|line| line.split([' ', ':']).next())
        .collect();
    for word in [
        "run",
        "test",
        "ci",
        "lint",
        "bench",
        "soak",
        "kill-rounds",
        "supervisor-kills",
        "race-rounds",
        "demo",
        "drill",
    ] {
        assert!(words.contains(word), "{word}: {words:?}");
    }
    for script in ["tests/run", ".ci/run"] {
        assert!(root().join(script).is_file(), "{script}");
    }
}

#[test]
fn every_line_of_the_threat_model_names_a_test_that_there_is() {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let (mut seen, mut lines) = (0, 0);
    let mut in_lines = false;
    for line in text.lines() {
        in_lines = line.starts_with("| line | test |") || in_lines && line.starts_with('|');
        let named = line.split('`').skip(1).step_by(2).filter_map(|code| code.split_once(".rs::"));
        let mut of_line = 0;
        for (path, function) in named {
            let source = std::fs::read_to_string(root().join(format!("{path}.rs")));
            let source = source.unwrap_or_else(|error| panic!("{path}.rs: {error}"));
            let at = source.find(&format!("fn {function}(")).unwrap_or_else(|| panic!("{path}.rs has no {function}"));
            let before: Vec<&str> = source[..at].lines().rev().take(4).collect();
            assert!(before.iter().any(|line| line.contains("test")), "{path}.rs: {function} is no test");
            of_line += 1;
        }
        let heads = line.starts_with("| line") || line.starts_with("| ---");
        assert!(!in_lines || heads || of_line > 0, "no test holds: {line}");
        lines += usize::from(in_lines && !heads);
        seen += of_line;
    }
    assert!(lines > 40 && seen > 60, "{lines} lines, {seen} tests");
}

/// `A OR B` needs one of them, `A AND B` both; the old `/` is OR.
fn allowed(licence: &str, list: &BTreeSet<String>) -> bool {
    let plain = licence.replace('/', " OR ").replace(['(', ')'], "");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|one| list.contains(one.trim())))
}

#[test]
fn every_licence_that_is_built_in_is_on_the_list() {
    let deny: toml::Table = std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let list = deny["licenses"]["allow"].as_array().unwrap().iter().filter_map(|one| one.as_str()).map(str::to_owned);
    let list: BTreeSet<String> = list.collect();
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform=x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    for package in packages.iter().filter(|package| package["name"] != "offhook") {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(allowed(licence, &list), "{}: {licence}", package["name"]);
    }
}
