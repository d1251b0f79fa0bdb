//! The house rules that matter, held by reading the sources: who may import whom, what the pure parts never touch, and
//! that a file stays small enough to be read.

use std::fs;
use std::path::{Path, PathBuf};

/// A module imports only from itself and from those before it.
const ORDER: [&str; 27] = [
    "desk",
    "clock",
    "slices",
    "store_file",
    "wire",
    "client",
    "telemetry",
    "health",
    "overload",
    "journal",
    "seal",
    "cluster",
    "audit",
    "files",
    "view",
    "presence",
    "engine",
    "feed",
    "webhooks",
    "gateway",
    "backup",
    "simulate",
    "supervisor",
    "config",
    "server",
    "cli",
    "main",
];

/// The last five are one level: the process, whose parts know each other.
const PROCESS: [&str; 5] = ["supervisor", "config", "server", "cli", "main"];

const FILE_LINES_MAX: usize = 500;

/// One Rust file, with its path below `src/` and its lines without comments.
struct Source {
    path: String,
    text: String,
    /// Number from 1, and code.
    lines: Vec<(usize, String)>,
}

impl Source {
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// Compiled into tests alone.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part.trim_end_matches(".rs").ends_with("tests"))
    }

    /// Lines before the file's own `mod tests`.
    fn shipped(&self) -> impl Iterator<Item = &(usize, String)> {
        let inline = |pair: &[(usize, String)]| pair[0].1.trim() == "#[cfg(test)]" && pair[1].1.contains('{');
        let tests = self.lines.windows(2).position(inline);
        let end = if self.is_test() { 0 } else { tests.unwrap_or(self.lines.len()) };
        self.lines[..end].iter()
    }

    fn found(&self, words: &[&str]) -> Vec<String> {
        let hits = self.shipped().filter(|(_, line)| words.iter().any(|word| has_word(line, word)));
        hits.map(|(number, line)| format!("src/{}:{number}: {}", self.path, line.trim())).collect()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source file");
        let path = path.strip_prefix(&root).expect("below src").to_str().expect("UTF-8").to_owned();
        let lines = text.lines().enumerate().map(|(place, line)| (place + 1, code_of(line))).collect();
        Source { path, text, lines }
    };
    paths.into_iter().map(source).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|end| end == "rs") {
            paths.push(path);
        }
    }
}

/// The line without its comment. (A `//` within a string is cut too, which hides no code of ours.)
fn code_of(line: &str) -> String {
    line.split("//").next().unwrap_or_default().to_owned()
}

/// Whether the word stands there, not as a part of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(part_of_name);
        let after = line[at + word.len()..].chars().next().is_some_and(part_of_name);
        !(before && word.starts_with(part_of_name) || after && word.ends_with(part_of_name))
    })
}

fn holds(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}\n{}", broken.join("\n"));
}

/// Names after `crate::`, `offhook::` in a line; a group `crate::{a, b}` gives each.
fn imports(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, root) in line.match_indices("crate::").chain(line.match_indices("offhook::")) {
        let rest = &line[at + root.len()..];
        let name =
            |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            Some(group) => {
                let (mut depth, mut word) = (0, String::new());
                for c in group.chars().chain([',']) {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth <= 0 => found.push(name(&std::mem::take(&mut word))),
                        c if depth == 0 => word.push(c),
                        _ => {}
                    }
                }
            }
            None => found.push(name(rest)),
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn a_module_imports_only_from_those_before_it() {
    let place = |module: &str| ORDER.iter().position(|held| *held == module);
    let mut broken = Vec::new();
    for source in sources() {
        let module = source.module().to_owned();
        if module == "lib" {
            continue;
        }
        let Some(own) = place(&module) else {
            broken.push(format!("src/{}: the module {module} is not in the order", source.path));
            continue;
        };
        for (number, line) in source.shipped() {
            for imported in imports(line) {
                let both_process = PROCESS.contains(&module.as_str()) && PROCESS.contains(&imported.as_str());
                if place(&imported).is_some_and(|other| other > own) && !both_process {
                    broken.push(format!("src/{}:{number}: {module} imports {imported}", source.path));
                }
            }
        }
    }
    holds("modules import only from those before them in the order", broken);
}

#[test]
fn the_pure_modules_touch_nothing_outside() {
    let never = [
        "std::time",
        "tokio",
        "rand",
        "getrandom",
        "std::fs",
        "std::net",
        "std::env",
        "std::io",
        "std::thread",
        "std::process",
        "println!",
        "eprintln!",
        "thread::",
        "HashMap",
        "HashSet",
        "async",
        "await",
        "Instant",
        "SystemTime",
        "Mutex",
        "static mut",
    ];
    let pure = sources().into_iter().filter(|source| matches!(source.module(), "desk" | "wire"));
    let mut broken: Vec<String> = pure.flat_map(|source| source.found(&never)).collect();
    // The turn, its routes and what settles it are driven by the simulation as they are.
    let driven = ["engine/turn.rs", "engine/route.rs", "engine/settle.rs", "engine/desk_clock.rs"];
    let driven = sources().into_iter().filter(|source| driven.contains(&source.path.as_str()));
    broken.extend(driven.flat_map(|source| source.found(&never)));
    holds("no I/O, clock, thread, lock, randomness or unordered map in what must be pure", broken);
}

#[test]
fn the_simulation_is_deterministic() {
    let never =
        ["HashMap", "HashSet", "getrandom", "rand", "Instant", "SystemTime", "std::time", "thread::", "std::env"];
    let simulate = sources().into_iter().filter(|source| source.module() == "simulate");
    holds("a seed decides everything", simulate.flat_map(|source| source.found(&never)).collect());
}

#[test]
fn no_channel_is_unbounded() {
    let never = ["unbounded_channel", "UnboundedSender", "UnboundedReceiver", "unbounded", "mpsc::channel()"];
    holds("every queue is bounded", sources().iter().flat_map(|source| source.found(&never)).collect());
}

#[test]
fn one_file_reads_the_clock() {
    let elsewhere = sources().into_iter().filter(|source| source.path != "clock.rs");
    let never = ["Instant::now", "SystemTime::now"];
    holds("the clock is read in src/clock.rs alone", elsewhere.flat_map(|source| source.found(&never)).collect());
}

/// What browsers navigate to, and what their pages are made of; and the operators' own port. The rest comes from tables.
const PAGES: [&str; 4] =
    ["gateway/desk_pages/mod.rs", "gateway/embed/mod.rs", "gateway/operators.rs", "gateway/signin/mod.rs"];

#[test]
fn every_route_comes_from_a_table_that_says_what_it_is() {
    let others = |source: &Source| source.path != "gateway/http/calls.rs" && !PAGES.contains(&source.path.as_str());
    let found =
        sources().iter().filter(|source| others(source)).flat_map(|source| source.found(&[".route("])).collect();
    holds("a route is described where it is made (gateway/http/calls.rs), and so in docs/openapi.json", found);
}

#[test]
fn every_event_is_named_where_events_are_taken() {
    let mut broken = Vec::new();
    for source in sources() {
        if !["desk/apply.rs", "engine/route.rs"].contains(&source.path.as_str()) {
            continue;
        }
        let (mut inside, mut opened_at) = (false, 0);
        for (number, line) in source.shipped() {
            let depth = line.len() - line.trim_start().len();
            if line.trim().starts_with("match event {") {
                (inside, opened_at) = (true, depth);
            } else if inside && depth == opened_at && line.trim_start().starts_with('}') {
                inside = false;
            } else if inside && depth == opened_at + 4 && line.trim_start().starts_with("_ ") {
                broken.push(format!("src/{}:{number}: {}", source.path, line.trim()));
            }
        }
        assert!(opened_at > 0, "src/{} takes events in a `match event`", source.path);
    }
    holds("no wildcard arm over Event: a new one must be thought of here", broken);
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let mut broken = Vec::new();
    for source in sources() {
        if !source.text.starts_with("//! ") {
            broken.push(format!("src/{}: does not begin with `//!`", source.path));
        }
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!("src/{}: {lines} lines", source.path));
        }
    }
    holds("each file opens with a sentence and has at most 500 lines", broken);
}

#[test]
fn no_type_has_a_name_that_says_nothing() {
    let empty = ["Manager", "Service", "Helper", "Util", "Utils"];
    let mut broken = Vec::new();
    for source in sources() {
        for (number, line) in source.shipped() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let named = words.windows(2).find(|pair| ["struct", "enum", "trait", "mod"].contains(&pair[0]));
            let Some(pair) = named else { continue };
            let name: String = pair[1].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let getter = line.contains("fn get_");
            if empty.iter().any(|word| name.ends_with(word)) || getter {
                broken.push(format!("src/{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    holds("names say what a thing is", broken);
}

#[test]
fn the_rules_read_rust_as_it_is_written() {
    assert_eq!(imports("use crate::desk::{ids, time::Now};"), ["desk"]);
    assert_eq!(imports("use crate::{desk::ids, wire};"), ["desk", "wire"]);
    assert_eq!(imports("let x = crate::engine::turn::decide(crate::desk::x);"), ["engine", "desk"]);
    assert!(has_word("use rand::Rng;", "rand") && !has_word("let operand = 1;", "rand"));
    assert_eq!(code_of("let a = 1; // HashMap"), "let a = 1; ");
}
