//! Reports for people: aligned columns, units, and the interval beside each mean.

use super::compared::Compared;
use super::interval::Figure;
use super::report::{Figures, OF_AGENTS, OF_CUSTOMERS, Report, Unit};
use std::fmt;

const TITLE: usize = 30;
const COLUMN: usize = 22;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, title, unit) in rows() {
            if let Some(figure) = self.figure(name) {
                writeln!(f, "{title:TITLE$}{}", written(unit, figure))?;
            }
        }
        if self.queues.len() > 1 {
            writeln!(f, "\n{:20}{:>18}{:>18}{:>22}{:>18}", "queue", "arrived", "in time", "wait, mean", "gave up")?;
            for (name, figures) in &self.queues {
                let of = |measure: &str, unit| figures.get(measure).map_or("-".into(), |figure| written(unit, figure));
                writeln!(
                    f,
                    "{:20}{:>18}{:>18}{:>22}{:>18}",
                    name,
                    of("arrived", Unit::Count),
                    of("service_level", Unit::Percent),
                    of("wait_mean_ms", Unit::Ms),
                    of("abandoned", Unit::Percent)
                )?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:TITLE$}{:>COLUMN$}{:>COLUMN$}{:>COLUMN$}", "", "first", "second", "second - first")?;
        for (name, title, unit) in rows() {
            let both = self.first.figure(name).or(self.second.figure(name));
            if both.is_none() {
                continue;
            }
            let of = |figure: Option<&Figure>| figure.map_or("-".to_owned(), |figure| written(unit, figure));
            let less = found(&self.difference.customers, &self.difference.agents, name);
            let shown = less.map_or("-".to_owned(), |less| signed(unit, less));
            let line = format!(
                "{title:TITLE$}{:>COLUMN$}{:>COLUMN$}{shown:>COLUMN$}",
                of(self.first.figure(name)),
                of(self.second.figure(name))
            );
            let seen = less.is_some_and(|less| less.plus_minus.is_some_and(|off| less.mean.abs() > off));
            writeln!(f, "{line}{}", if seen { " *" } else { "" })?;
        }
        writeln!(f, "* the 95 % interval of the difference is clear of zero")
    }
}

impl Report {
    fn figure(&self, name: &str) -> Option<&Figure> {
        found(&self.customers, &self.agents, name)
    }
}

fn found<'a>(customers: &'a Figures, agents: &'a Figures, name: &str) -> Option<&'a Figure> {
    customers.get(name).or_else(|| agents.get(name))
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str, Unit)> {
    let customers = OF_CUSTOMERS.iter().map(|measure| (measure.name, measure.title, measure.unit));
    customers.chain(OF_AGENTS.iter().map(|measure| (measure.name, measure.title, measure.unit)))
}

fn written(unit: Unit, figure: &Figure) -> String {
    let Figure { mean, plus_minus } = *figure;
    let (scale, sign) = scale_of(unit, mean);
    let off = plus_minus.map_or(String::new(), |off| format!(" ± {}", number(off / scale)));
    format!("{}{off}{sign}", number(mean / scale))
}

fn signed(unit: Unit, figure: &Figure) -> String {
    let text = written(unit, figure);
    if figure.mean > 0.0 { format!("+{text}") } else { text }
}

/// What a unit is divided by, and written with.
fn scale_of(unit: Unit, mean: f64) -> (f64, &'static str) {
    match unit {
        Unit::Count => (1.0, ""),
        Unit::Percent => (0.01, " %"),
        Unit::Ms if mean.abs() >= 600_000.0 => (60_000.0, " min"),
        Unit::Ms => (1_000.0, " s"),
    }
}

/// Three digits or more, and no more places than they need.
fn number(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.places$}")
}
