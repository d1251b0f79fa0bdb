//! `offhook simulate`: what a workspace would do under a load, before it has it; or what it would have done with another one.

mod entries;
mod recorded;
mod replicate;
mod scenario_file;
mod shadow;
#[cfg(test)]
mod tests;
mod times;
mod workspace;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::CommandError;
use crate::config::Config;
use crate::simulate::staffing::{Arrivals, Compared, Picture, Report, Scenario, Stranded, Tally};
use recorded::Stretch;
use scenario_file::{Parts, ScenarioFile};
use workspace::Workspace;

/// Lives a scenario through the shipped router in virtual time, many times over, and says how long customers would wait.
///
/// The scenario is a file: a workspace as `offhook apply` takes it, with who arrives and who is there. With --journal it is what
/// happened in a workspace; with --shadow it is another system's events, of which it says what Offhook would have done.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  offhook simulate config/scenario.toml
  offhook simulate config/scenario.toml --against more-agents.toml --svg day.svg
  offhook simulate --journal --workspace demo --against new-rules.toml
  offhook simulate --shadow events.jsonl workspace.toml

What --against names is laid over the first: settings, queues and agents by member, [[arrivals]] and [[staff]] whole. Both are
lived with the same customers, so that the difference has a narrow interval of its own. docs/simulate.md is a tour.
Ends with 0, or with 2 when something is wrong.")]
pub struct Simulate {
    /// The scenario (with --shadow: the workspace): see config/scenario.toml for one with every kind of entry.
    #[arg(value_name = "SCENARIO.TOML", required_unless_present = "journal", conflicts_with = "journal")]
    file: Option<PathBuf>,
    /// Other settings, or other staff, to compare with.
    #[arg(long, value_name = "OTHER.TOML")]
    against: Option<PathBuf>,
    /// How often the run is lived; without it, as the file says.
    #[arg(long, value_name = "COUNT")]
    replications: Option<u32>,
    /// The first seed: the same seed, the same customers.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Prints JSON instead of text.
    #[arg(long)]
    json: bool,
    /// Writes a picture: who waits and how many agents are busy, over the run.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Takes arrivals, handling times, patience and staffing from the journal in the data directory.
    #[arg(long)]
    journal: bool,
    /// Whose journal.
    #[arg(long, value_name = "NAME", default_value = "demo")]
    workspace: String,
    /// The first record of the stretch that is lived again.
    #[arg(long, value_name = "POSITION", requires = "journal")]
    from: Option<u64>,
    /// The last one.
    #[arg(long, value_name = "POSITION", requires = "journal")]
    to: Option<u64>,
    /// Another system's events, one JSON object a line; - is standard input.
    #[arg(long, value_name = "EVENTS.JSONL", conflicts_with_all = ["journal", "against", "svg", "replications", "seed"])]
    shadow: Option<PathBuf>,
}

/// What is lived, and as what it is told.
struct Lived {
    title: String,
    replications: u32,
    seed: u64,
    first: Scenario,
    second: Option<Scenario>,
    note: Option<String>,
}

impl Simulate {
    pub(super) fn run(
        &self,
        config: impl FnOnce() -> Result<Config, CommandError>,
        out: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        if let (Some(events), Some(file)) = (&self.shadow, &self.file) {
            return shadow::run(events, file, self.json, out).map(|()| ExitCode::SUCCESS);
        }
        let lived = match &self.file {
            Some(file) => self.of_file(file)?,
            None => self.of_journal(&config()?.sections.server.data_dir)?,
        };
        let live = |scenario: &Scenario| {
            replicate::replicate(scenario, lived.replications, lived.seed)
                .map_err(|stranded: Stranded| CommandError(stranded.to_string()))
        };
        let first = live(&lived.first)?;
        let second = lived.second.as_ref().map(live).transpose()?;
        self.tell(&lived, &first, second.as_deref(), out)
    }

    fn of_file(&self, file: &Path) -> Result<Lived, CommandError> {
        let mut scenario = ScenarioFile::default();
        lay_over(&mut scenario, file)?;
        scenario.run.replications = self.replications.unwrap_or(scenario.run.replications);
        scenario.run.seed = self.seed.unwrap_or(scenario.run.seed);
        let told = |path: &Path, scenario: &ScenarioFile| {
            scenario.scenario().map_err(|error| CommandError(format!("{}: {error}", path.display())))
        };
        let first = told(file, &scenario)?;
        let (replications, seed, hours) = (scenario.run.replications, scenario.run.seed, scenario.run.hours);
        let second = match &self.against {
            None => None,
            Some(other) => {
                lay_over(&mut scenario, other)?;
                Some(told(other, &scenario)?)
            }
        };
        let against = second_named(self.against.as_deref());
        let title = format!("{}{against}: {hours} h from {} (UTC)", file_name(file), scenario.run.begin);
        Ok(Lived { title, replications, seed, first, second, note: None })
    }

    fn of_journal(&self, data_dir: &Path) -> Result<Lived, CommandError> {
        let stretch = Stretch { from: self.from, to: self.to };
        let (workspace, recorded) = recorded::read(data_dir, &self.workspace, &stretch)?;
        let scenario = |workspace: &Workspace| {
            Ok(Scenario {
                setup: workspace.setup(&[]).map_err(CommandError::of)?,
                begins: recorded.begins,
                length_ms: recorded.length_ms,
                warm_up_ms: 0,
                accepted_within_ms: 30_000,
                arrivals: Arrivals::Recorded(recorded.known.clone()),
                crew: recorded.crew.clone(),
            })
        };
        let first = scenario(&workspace)?;
        let second = match &self.against {
            None => None,
            Some(other) => {
                let mut workspace = workspace.clone();
                let parts = Parts::read(other)?;
                if parts.run.is_some() || parts.arrivals.is_some() || parts.staff.is_some() {
                    let what = "with --journal, only [settings], [[queues]] and [[agents]] can be others";
                    return Err(CommandError(format!("{}: {what}", other.display())));
                }
                workspace.lay_over(&parts.declared, &other.display().to_string());
                Some(scenario(&workspace)?)
            }
        };
        let minutes = recorded.length_ms as f64 / 60_000.0;
        let length = if minutes < 120.0 { format!("{minutes:.1} min") } else { format!("{:.1} h", minutes / 60.0) };
        let against = second_named(self.against.as_deref());
        let title = format!("journal of {}{against}: {length}", self.workspace);
        let (replications, seed) = (self.replications.unwrap_or(20), self.seed.unwrap_or(1));
        Ok(Lived { title, replications, seed, first, second, note: Some(recorded.unknowns.to_string()) })
    }

    fn tell(
        &self,
        lived: &Lived,
        first: &[Tally],
        second: Option<&[Tally]>,
        out: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        let compared = second.map(|second| Compared::of(first, second));
        let report = compared.as_ref().map_or_else(|| Report::of(first), |compared| compared.first.clone());
        if let Some(path) = &self.svg {
            let mut reports = vec![("first", &report)];
            reports.extend(compared.iter().map(|compared| ("second", &compared.second)));
            let begins_min = lived.first.begins.0 / 60_000 % 1_440;
            let picture = Picture { title: lived.title.clone(), reports, begins_min, length_ms: lived.first.length_ms };
            std::fs::write(path, picture.svg())
                .map_err(|error| CommandError(format!("{}: {error}", path.display())))?;
        }
        let said = if self.json {
            let result = compared.as_ref().map_or_else(|| json!(report), |compared| json!(compared));
            let known = json!({ "title": lived.title, "seed": lived.seed, "note": lived.note, "result": result });
            format!("{known:#}\n")
        } else {
            let each = report.conversations as f64 / report.replications.max(1) as f64;
            let head = format!(
                "{}, {} times from seed {}, about {each:.0} customers each",
                lived.title, lived.replications, lived.seed
            );
            let within = format!("in time: within {} s", lived.first.accepted_within_ms as f64 / 1_000.0);
            let body = compared.as_ref().map_or_else(|| report.to_string(), ToString::to_string);
            let note = lived.note.as_ref().map_or(String::new(), |note| format!("\n{note}"));
            format!("{head}\nmeans ± 95 % interval over the replications; {within}\n\n{body}{note}")
        };
        out.write_all(said.as_bytes()).map_err(CommandError::of)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn lay_over(scenario: &mut ScenarioFile, path: &Path) -> Result<(), CommandError> {
    let parts = Parts::read(path)?;
    scenario.lay_over(parts, &file_name(path)).map_err(|error| CommandError(format!("{}: {error}", path.display())))
}

/// Of two, which is which.
fn second_named(against: Option<&Path>) -> String {
    against.map_or(String::new(), |other| format!(" (first), with {} (second)", file_name(other)))
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
