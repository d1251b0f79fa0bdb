//! What the audience sees: a screen that is drawn anew, or lines for those who keep them.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use super::told::{Sums, Told};

const RECENT_MAX: usize = 14;
const COLUMNS_DEFAULT: usize = 100;

pub(super) struct Screen {
    plain: bool,
    recent: VecDeque<String>,
    pub sums: Sums,
}

impl Screen {
    pub fn new(plain: bool) -> Self {
        let plain = plain || !io::stdout().is_terminal();
        Self { plain, recent: VecDeque::new(), sums: Sums::default() }
    }

    pub fn is_plain(&self) -> bool {
        self.plain
    }

    pub fn told(&mut self, told: &Told, since_ms: u128, out: &mut impl Write) -> io::Result<()> {
        self.sums.count(told.counted);
        let line = format!("{:7.1}  {:<10} {}", since_ms as f64 / 1_000.0, told.who, told.what);
        if self.plain {
            return writeln!(out, "{line}");
        }
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(line);
        Ok(())
    }

    /// Draws everything over what was there, line by line, so that nothing flickers.
    pub fn draw(&self, join: &str, queues: &Value, agents: &Value, out: &mut impl Write) -> io::Result<()> {
        if self.plain {
            return Ok(());
        }
        let mut text = String::from("\x1b[H");
        let columns = columns();
        let mut line = |line: &str, cut: bool| {
            let most = if cut { columns } else { usize::MAX };
            let shown: String = line.chars().take(most).collect();
            let _ = writeln!(text, "{shown}\x1b[K");
        };
        line(&format!("\x1b[1mOffhook demo\x1b[0m  {}", self.sums), false);
        line("", true);
        line("QUEUE        waiting  offered  active  longest wait  agents available", true);
        for row in rows(queues) {
            let wait_s = number(row, "longest_wait_ms") / 1_000;
            let counts = (number(row, "waiting"), number(row, "offered"), number(row, "active"));
            let free = number(row, "agents_available");
            let (waiting, offered, active) = counts;
            line(
                &format!(
                    "{:<12} {waiting:>7}  {offered:>7}  {active:>6}  {wait_s:>10} s  {free:>16}",
                    word(row, "queue")
                ),
                true,
            );
        }
        line("", true);
        line("AGENT        connection    status     offers  conversations  load", true);
        for row in rows(agents) {
            let (offers, talks, load) = (number(row, "offers"), number(row, "conversations"), number(row, "load"));
            let name = ["agent", "name"].into_iter().map(|member| word(row, member)).find(|name| !name.is_empty());
            let (connection, status) = (word(row, "connection"), word(row, "status"));
            let name = name.unwrap_or_default();
            line(&format!("{name:<12} {connection:<13} {status:<10} {offers:>6}  {talks:>13}  {load:>4}"), true);
        }
        line("", true);
        for recent in &self.recent {
            line(recent, true);
        }
        line("", true);
        for told in join.lines() {
            line(told, false);
        }
        text.push_str("\x1b[J");
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

fn rows(page: &Value) -> impl Iterator<Item = &Value> {
    page["rows"].as_array().into_iter().flatten().take(20)
}

fn number(row: &Value, member: &str) -> u64 {
    row[member].as_u64().unwrap_or(0)
}

fn word<'a>(row: &'a Value, member: &str) -> &'a str {
    row[member].as_str().unwrap_or_default()
}

/// The terminal's width; a usual one where it does not say.
fn columns() -> usize {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the call fills the struct that it is given, which outlives it; what is no terminal is an error.
    let asked = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    if asked == 0 && size.ws_col > 20 { usize::from(size.ws_col) } else { COLUMNS_DEFAULT }
}
