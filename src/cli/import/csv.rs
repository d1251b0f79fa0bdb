//! Tables of one's own: what a row is, its header says.

use super::gathered::{Agent, Gathered, slug};
use std::collections::BTreeMap;
use std::path::Path;

/// Columns of each table; the first must be there.
const TABLES: [&[&str]; 3] = [&["agent", "title", "queues", "skills", "active"], &["queue", "title"], &["tag"]];
/// Of a skill without one.
const LEVEL: u8 = 5;

pub(super) fn read(path: &Path, gathered: &mut Gathered) -> Result<(), String> {
    let shown = path.display();
    let mut rows = ::csv::ReaderBuilder::new()
        .trim(::csv::Trim::All)
        .from_path(path)
        .map_err(|error| format!("{shown}: {error}"))?;
    let header = rows.headers().map_err(|error| format!("{shown}: {error}"))?.clone();
    let table = TABLES.into_iter().find(|columns| header.get(0) == Some(columns[0]));
    let table = table.ok_or_else(|| format!("{shown}: line 1, column 1: the first column is agent, queue or tag"))?;
    if let Some((place, unknown)) = header.iter().enumerate().find(|(_, column)| !table.contains(column)) {
        return Err(format!(
            "{shown}: line 1, column {}: no column {unknown:?}; there are {}",
            place + 1,
            table.join(", ")
        ));
    }
    for row in rows.records() {
        let row = row.map_err(|error| format!("{shown}: {error}"))?;
        let line = row.position().map_or(0, ::csv::Position::line);
        let cells: BTreeMap<&str, &str> = header.iter().zip(row.iter()).collect();
        let wrong = |column: &str, what: &str| {
            let place = header.iter().position(|name| name == column).unwrap_or(0) + 1;
            format!("{shown}: line {line}, column {place} ({column}): {what}")
        };
        let first = cells[table[0]];
        if first.is_empty() {
            return Err(wrong(table[0], "is empty"));
        }
        match table[0] {
            "agent" => agent(&cells, gathered).map_err(|(column, what)| wrong(column, &what))?,
            "queue" => {
                let title = cells.get("title").copied().filter(|title| !title.is_empty()).unwrap_or(first);
                gathered.queue(slug(first), title);
            }
            _ => gathered.tag(first),
        }
    }
    Ok(())
}

fn agent(cells: &BTreeMap<&str, &str>, gathered: &mut Gathered) -> Result<(), (&'static str, String)> {
    let cell = |column: &str| cells.get(column).copied().unwrap_or_default();
    let list = |column: &str| {
        cell(column).split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut skills = BTreeMap::new();
    for skill in list("skills") {
        let (name, level) =
            skill.split_once(':').map_or((skill.as_str(), Ok(LEVEL)), |(name, level)| (name, level.trim().parse()));
        let level = level.ok().filter(|level| (1..=10).contains(level));
        let level = level.ok_or_else(|| ("skills", format!("{skill:?}: a level is 1 to 10, as in french:8")))?;
        skills.insert(name.trim().to_owned(), level);
    }
    let active = match cell("active") {
        "" => None,
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        other => return Err(("active", format!("{other:?}: true or false"))),
    };
    let name = cell("agent").to_owned();
    let queues = list("queues").iter().map(|queue| slug(queue)).collect();
    gathered.agent(name.clone(), Agent { name, title: cell("title").to_owned(), active, queues, skills });
    Ok(())
}
