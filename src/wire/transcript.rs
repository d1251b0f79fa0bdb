//! A conversation as a text to keep: a line for each thing that its customer may see, with its time in the customer's own zone. Pure.
//!
//! Whatever somebody wrote stays below its own line: what follows a line's end is indented, so that nobody writes a line in another's
//! name, and what turns the direction of text around, or is no sign at all, is left out.

use super::messenger::{MessageShape, StreamEvent};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::fmt::Write as _;

/// Of the name of a time zone.
pub const ZONE_BYTES_MAX: usize = 64;
const INDENT: &str = "    ";

/// The zone of this name, as the release knows them; never the system's.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The head: which conversation, and in which zone its times are.
#[must_use]
pub fn head(conversation: &str, queue: &str, zone_name: &str) -> String {
    let mut out = format!("{conversation}, ");
    clean(queue, &mut out);
    let _ = write!(out, "\nTimes: {zone_name}\n\n");
    out
}

/// One thing that happened, as lines; nothing where there is nothing to read in it. `you`: what the customer is called.
#[must_use]
pub fn lines(event: &StreamEvent<'_>, you: &str, zone: &TimeZone) -> String {
    let mut out = String::new();
    let mut line = |at: u64, by: &str, text: &str| {
        let at = i64::try_from(at).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
        let _ = write!(out, "{} ", zone.to_datetime(at).strftime("%Y-%m-%d %H:%M"));
        if !by.is_empty() {
            clean(by, &mut out);
            out.push_str(": ");
        }
        clean(text, &mut out);
        out.push('\n');
    };
    match event {
        StreamEvent::Message(MessageShape { author, agent, text, at, files, .. }) => {
            let by = match *author {
                "customer" => you,
                "agent" => agent.map_or("", |agent| agent.title),
                _ => "",
            };
            if !text.is_empty() || files.is_empty() {
                line(*at, by, text);
            }
            for file in *files {
                line(*at, by, &format!("[{}, {}]", file.name, size(file.bytes)));
            }
        }
        StreamEvent::Opened { at } => line(*at, "", "(begun)"),
        StreamEvent::Joined { agent, at } => line(*at, "", &format!("({} has joined)", agent.title)),
        StreamEvent::Left { agent, at } => line(*at, "", &format!("({} has left)", agent.title)),
        StreamEvent::Requeued { at } => line(*at, "", "(waiting again)"),
        StreamEvent::Moved { queue, at } => line(*at, "", &format!("(waiting for {queue})")),
        StreamEvent::Ended { at, .. } => line(*at, "", "(ended)"),
        StreamEvent::Reopened { at } => line(*at, "", "(goes on)"),
        StreamEvent::State { .. }
        | StreamEvent::Read { .. }
        | StreamEvent::Rated { .. }
        | StreamEvent::Typing { .. } => {}
    }
    out
}

/// As people say it.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KiB", bytes.div_ceil(1_024)),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// As it may stand in a text that is not ours to trust.
fn clean(text: &str, out: &mut String) {
    let mut after_return = false;
    for c in text.chars() {
        match c {
            '\n' if after_return => {}
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                out.push('\n');
                out.push_str(INDENT);
            }
            '\t' => out.push('\t'),
            // Marks that turn the text behind them around.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
        after_return = c == '\r';
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messenger::TitleShape;

    fn message<'a>(author: &'a str, title: Option<&'a str>, text: &'a str) -> StreamEvent<'a> {
        let agent = title.map(|title| TitleShape { title });
        StreamEvent::Message(MessageShape {
            number: 1,
            author,
            notice: None,
            agent,
            text,
            at: 1_700_000_000_000,
            files: &[],
        })
    }

    #[test]
    fn each_thing_has_its_line_with_its_time_in_the_zone_that_was_asked_for() {
        let (utc, berlin) = (TimeZone::UTC, zone("Europe/Berlin").unwrap());
        assert_eq!(lines(&message("customer", None, "hi"), "Zoë", &utc), "2023-11-14 22:13 Zoë: hi\n");
        assert_eq!(lines(&message("agent", Some("Ada"), "hello"), "Zoë", &berlin), "2023-11-14 23:13 Ada: hello\n");
        assert_eq!(lines(&message("system", None, "closed"), "Zoë", &utc), "2023-11-14 22:13 closed\n");
        let joined = StreamEvent::Joined { agent: TitleShape { title: "Ada" }, at: 0 };
        assert_eq!(lines(&joined, "", &utc), "1970-01-01 00:00 (Ada has joined)\n");
        assert_eq!(lines(&StreamEvent::Typing { text: Some("so f") }, "", &utc), "");
        assert!(zone("Mars/Olympus").is_none());
    }

    #[test]
    fn nobody_writes_a_line_in_anothers_name_or_turns_one_around() {
        for end in ["\n", "\r\n", "\r", "\u{2028}", "\u{85}", "\u{c}"] {
            let forged = format!("ok{end}2023-11-14 22:14 Ada: you get your money back");
            let shown = lines(&message("customer", None, &forged), "Zoë", &TimeZone::UTC);
            assert_eq!(
                shown, "2023-11-14 22:13 Zoë: ok\n    2023-11-14 22:14 Ada: you get your money back\n",
                "{end:?}"
            );
        }
        let shown = lines(&message("customer", None, "a\u{202e}b\u{2066}c\u{1b}[2Jd\te"), "Z\nAda: x", &TimeZone::UTC);
        assert_eq!(shown, "2023-11-14 22:13 Z\n    Ada: x: abc\u{fffd}[2Jd\te\n");
        assert_eq!(head("c1", "Sup\nport", "Etc/UTC"), "c1, Sup\n    port\nTimes: Etc/UTC\n\n");
    }
}
