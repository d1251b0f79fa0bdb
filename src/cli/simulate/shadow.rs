//! `--shadow`: another system's events, line by line, and what came of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use serde_json::json;

use super::scenario_file::{Parts, ScenarioFile};
use crate::cli::CommandError;
use crate::simulate::shadow::{Shadow, Told};

const LINE_BYTES_MAX: u64 = 64 * 1024;
const SAY_EVERY_LINES: u64 = 1_000_000;

pub(super) fn run(events: &Path, workspace: &Path, as_json: bool, out: &mut impl Write) -> Result<(), CommandError> {
    let shown = events.display();
    let fault = |error: String| CommandError(format!("{}: {error}", workspace.display()));
    let mut declared = ScenarioFile::default();
    let parts = Parts::read(workspace)?;
    declared.lay_over(parts, &workspace.display().to_string()).map_err(|error| fault(error.to_string()))?;
    let setup = declared.workspace.setup(&[]).map_err(|error| fault(error.to_string()))?;
    let mut shadow = Shadow::new(&setup).map_err(CommandError::of)?;
    let lines: Box<dyn Read> = if events.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(events).map_err(|error| CommandError(format!("{shown}: {error}")))?)
    };
    let mut lines = BufReader::new(lines);
    let (mut line, mut number) = (Vec::new(), 0u64);
    loop {
        line.clear();
        number += 1;
        let wrong = |what: String| CommandError(format!("{shown}: line {number}: {what}"));
        let read = (&mut lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|error| wrong(error.to_string()))?;
        if read == 0 {
            break;
        }
        if read as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
            return Err(wrong(format!("longer than {LINE_BYTES_MAX} bytes")));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let told: Told = serde_json::from_slice(&line).map_err(|error| wrong(error.to_string()))?;
        shadow.tell(told).map_err(|error| wrong(error.to_string()))?;
        if number.is_multiple_of(SAY_EVERY_LINES) {
            eprintln!("{number} lines");
        }
    }
    let report = shadow.end();
    let said = if as_json { format!("{:#}\n", json!(report)) } else { report.to_string() };
    out.write_all(said.as_bytes()).map_err(CommandError::of)
}
