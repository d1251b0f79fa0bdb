//! ES modules made one classic script, so that a page asks once and there is nothing to build: for the forms of import and export that
//! our own sources use, and an error for every other. Pure.
//!
//! All modules get one scope, in their order; that costs no byte for what they take from each other. So no two may call something by the
//! same name at the beginning of a line, and an import may not rename.

use super::squeeze::squeeze;
use std::collections::{HashMap, HashSet};

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{module}:{line}: {what}")]
pub(super) struct LinkError {
    pub module: String,
    /// From 1; 0 where it is the module as a whole.
    pub line: usize,
    pub what: &'static str,
}

/// A classic script. `modules`: path and text, each behind those that it imports.
pub(super) fn link(modules: &[(&str, &str)]) -> Result<String, LinkError> {
    Ok(format!("(()=>{{\"use strict\";\n{}}})();\n", joined(modules)?))
}

/// The same as a module, which gives `name` of the last.
pub(super) fn link_module(modules: &[(&str, &str)], name: &str) -> Result<String, LinkError> {
    Ok(format!("{}export{{{name}}};\n", joined(modules)?))
}

fn joined(modules: &[(&str, &str)]) -> Result<String, LinkError> {
    let mut out = String::new();
    let mut names: HashSet<&str> = HashSet::new();
    let mut exports: HashMap<String, HashSet<&str>> = HashMap::new();
    for (path, text) in modules {
        let wrong = |line: usize, what| LinkError { module: (*path).to_owned(), line, what };
        let mut given = HashSet::new();
        let mut body = String::with_capacity(text.len());
        // Imports, exports and names of a module stand at the beginning of a line, and nothing else does that is called so.
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(rest) = line.strip_prefix("import ") {
                let (wanted, from) = import(rest).ok_or_else(|| wrong(number, "an import of another form"))?;
                let held = exports.get(&resolve(path, from));
                let held = held.ok_or_else(|| wrong(number, "a module that is not before this one"))?;
                if !wanted.split(',').all(|name| held.contains(name.trim())) {
                    return Err(wrong(number, "a name that is not exported there"));
                }
                continue;
            }
            let (exported, line) = line.strip_prefix("export ").map_or((false, line), |rest| (true, rest));
            if let Some(name) = declared(line) {
                if !names.insert(name) {
                    return Err(wrong(number, "a name that another module has too"));
                }
                if exported {
                    given.insert(name);
                }
            } else if exported {
                return Err(wrong(number, "an export of another form"));
            }
            body.push_str(line);
            body.push('\n');
        }
        let body = squeeze(&body).map_err(|what| wrong(0, what))?;
        if body.contains("import.meta") {
            return Err(wrong(0, "what only a module has"));
        }
        out.push_str(&body);
        out.push('\n');
        exports.insert((*path).to_owned(), given);
    }
    Ok(out)
}

/// Of `{ a, b } from './x.js';`: what is between the braces, and the path.
fn import(rest: &str) -> Option<(&str, &str)> {
    let (names, from) = rest.strip_prefix('{')?.split_once('}')?;
    let path = from.trim().strip_prefix("from '")?.strip_suffix("';")?;
    Some((names.trim(), path))
}

/// The name of `function f(…`, `async function f(…`, `class C …`, `const c …`, `let l …`.
fn declared(line: &str) -> Option<&str> {
    let kinds = ["async function ", "function ", "class ", "const ", "let "];
    let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

fn resolve(path: &str, from: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in from.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
