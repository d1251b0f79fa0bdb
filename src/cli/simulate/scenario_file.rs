//! A scenario file: a workspace as `offhook apply` takes it, with `[run]`, `[[arrivals]]` and `[[staff]]`.

use std::path::Path;

use serde_json::{Value, json};

use super::entries::{ArrivalsEntry, Run, StaffEntry, ensure, entries, entry};
use super::workspace::{Entry, Workspace};
use crate::cli::CommandError;
use crate::cli::apply::declared::{Declared, Wrong, sections};
use crate::cli::apply::merge::merged_members;
use crate::desk::time::WallTime;
use crate::simulate::staffing::{Arrivals, Member, Scenario};

/// Customers of all replications; more takes hours.
const CUSTOMERS_MAX: f64 = 200_000_000.0;
const STAFF_MAX: usize = 100_000;

#[derive(Clone, Debug, Default)]
pub(super) struct ScenarioFile {
    pub run: Run,
    pub workspace: Workspace,
    arrivals: Vec<ArrivalsEntry>,
    staff: Vec<StaffEntry>,
}

/// What one file holds.
pub(super) struct Parts {
    pub declared: Declared,
    pub run: Option<Value>,
    pub arrivals: Option<Value>,
    pub staff: Option<Value>,
}

const SECTIONS: [&str; 7] = ["workspace", "settings", "queues", "agents", "run", "arrivals", "staff"];

impl Parts {
    pub fn read(path: &Path) -> Result<Self, CommandError> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| CommandError(format!("{shown}: {error}")))?;
        Self::parse(&text).map_err(|error| CommandError(format!("{shown}: {error}")))
    }

    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let mut file = sections(text)?;
        if let Some(other) = file.keys().find(|name| !SECTIONS.contains(&name.as_str())) {
            let known = "workspace, [settings], [[queues]], [[agents]], [run], [[arrivals]], [[staff]]";
            return Err(Wrong::at(other.clone(), format!("unknown; there are {known}")));
        }
        let (run, arrivals, staff) = (file.remove("run"), file.remove("arrivals"), file.remove("staff"));
        Ok(Self { declared: Declared::of(file)?, run, arrivals, staff })
    }
}

impl ScenarioFile {
    /// Lay a file over what there is: a workspace's entries by member, lists of arrivals and staff whole.
    pub fn lay_over(&mut self, parts: Parts, file: &str) -> Result<(), Wrong> {
        self.workspace.lay_over(&parts.declared, file);
        if let Some(run) = parts.run {
            self.run = entry("run", run)?;
        }
        if let Some(arrivals) = parts.arrivals {
            self.arrivals = entries("arrivals", arrivals)?;
        }
        if let Some(staff) = parts.staff {
            self.staff = entries("staff", staff)?;
        }
        Ok(())
    }

    pub fn scenario(&self) -> Result<Scenario, Wrong> {
        let run = &self.run;
        run.check()?;
        let mut streams = Vec::new();
        for (place, arrivals) in self.arrivals.iter().enumerate() {
            let field = format!("arrivals[{place}]");
            streams.push(arrivals.stream(&field, run, |queue| self.workspace.has_queue(queue))?);
        }
        ensure(!streams.is_empty(), "arrivals", || "nobody arrives: [[arrivals]] is needed".into())?;
        let expected: f64 = streams.iter().map(|stream| stream.rates.expected(run.length_ms())).sum();
        ensure(expected * f64::from(run.replications) <= CUSTOMERS_MAX, "run.replications", || {
            format!("{expected:.0} customers in each: more than {CUSTOMERS_MAX} in all")
        })?;
        let (crew, made) = self.crew()?;
        Ok(Scenario {
            setup: self.workspace.setup(&made)?,
            begins: WallTime(run.begin_min() * 60_000),
            length_ms: run.length_ms(),
            warm_up_ms: (run.warm_up_minutes * 60_000.0) as u64,
            accepted_within_ms: (run.accepted_within_s * 1_000.0) as u64,
            arrivals: Arrivals::Drawn(streams),
            crew,
        })
    }

    /// Everybody with their shifts, and those who are not declared.
    fn crew(&self) -> Result<(Vec<Member>, Vec<Entry>), Wrong> {
        let (mut crew, mut made) = (Vec::new(), Vec::new());
        ensure(!self.staff.is_empty(), "staff", || "nobody is there: [[staff]] is needed".into())?;
        for (place, staff) in self.staff.iter().enumerate() {
            let field = format!("staff[{place}]");
            staff.check(&field)?;
            let declared = self.workspace.agent(&staff.name);
            let answering = staff.answering();
            for nth in 0..staff.count {
                ensure(crew.len() < STAFF_MAX, &format!("{field}.count"), || format!("at most {STAFF_MAX} in all"))?;
                let name = if staff.count == 1 { staff.name.clone() } else { format!("{}-{}", staff.name, nth + 1) };
                let twice = crew.iter().any(|other: &Member| nth == 0 && *other.name == *name);
                ensure(!twice, &format!("{field}.name"), || format!("{name:?} is there twice"))?;
                if declared.is_none() || staff.count > 1 || !staff.profile.is_empty() {
                    let base = declared.map(|entry| entry.members.clone()).unwrap_or_default();
                    let mut members = merged_members(&base, &staff.profile);
                    members.insert("name".to_owned(), json!(name));
                    made.push(Entry { field: field.clone(), members });
                }
                let shifts = staff.shifts(&field, &self.run, nth)?;
                crew.push(Member { name: name.into(), shifts, answering: answering.clone() });
            }
        }
        Ok((crew, made))
    }
}
