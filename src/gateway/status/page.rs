//! The status page's HTML: pure. One style and one small script, whose hashes are all that the policy allows, and nothing from elsewhere.
//!
//! Nothing is told by colour alone: states are written out, and a day's bar is the taller the worse it was. Nothing is told by a pointer
//! alone either: the days on which something was are listed below the bars. Without the script all of it is there; the script asks again,
//! and never loads the page anew under somebody who reads it.

use crate::health::history::{DAY_MS, DAYS, Day, Incident};
use crate::health::shown::{Shown, ShownComponent};
use crate::health::{Component, ComponentState};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::OnceLock;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("again.js");
/// Incidents that the page tells of; JSON has them all.
const INCIDENTS_SHOWN: usize = 20;
const BAR_HEIGHTS: [u32; 4] = [18, 24, 29, 34];
const BAR_HEIGHT_MAX: u32 = BAR_HEIGHTS[3];

/// What a browser lets the page do: its own style, its own script, to ask again, and no more.
pub(super) fn policy() -> HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    let made = || {
        let [style, script] = [STYLE, SCRIPT].map(|text| STANDARD.encode(Sha256::digest(text)));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; connect-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        );
        HeaderValue::from_str(&policy).expect("a policy of plain letters")
    };
    POLICY.get_or_init(made).clone()
}

/// The whole page.
pub(super) fn page(shown: &Shown) -> String {
    let mut out = String::with_capacity(32 * 1024);
    let class = class_of(shown.status);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Status: {title}</title><style>{STYLE}</style></head>\
         <body><header><h1>Status</h1><p class=\"now {class}\"><span class=\"mark\" aria-hidden=\"true\"></span>{title}</p>\
         <p id=\"changed\" role=\"status\"></p></header><main>\
         <h2>Components</h2><p class=\"dim\">One bar a day; the taller, the worse.</p><ul>",
        title = sentence(shown.status),
    );
    for component in &shown.components {
        one_component(&mut out, shown, component);
    }
    out.push_str("</ul><h2>Incidents</h2>");
    if shown.incidents.is_empty() {
        let _ = write!(out, "<p class=\"dim\">None since {}.</p>", time(shown.known_since));
    } else {
        out.push_str("<ol>");
        shown.incidents.iter().rev().take(INCIDENTS_SHOWN).for_each(|incident| one_incident(&mut out, incident));
        out.push_str("</ol>");
    }
    let _ = write!(
        out,
        "</main><footer><p class=\"dim\">As of {}. Times are UTC. <span id=\"asked\"></span></p></footer><script>{SCRIPT}</script></body></html>",
        time(shown.at)
    );
    out
}

fn sentence(status: ComponentState) -> &'static str {
    match status {
        ComponentState::Operational => "Everything is operational",
        ComponentState::Degraded => "Something is degraded",
        ComponentState::PartialOutage => "There is a partial outage",
        ComponentState::MajorOutage => "There is a major outage",
    }
}

fn one_component(out: &mut String, shown: &Shown, held: &ShownComponent) {
    let (title, state) = (escaped(&held.title), held.state);
    let _ = write!(
        out,
        "<li class=\"component\"><div class=\"head\"><h3>{title}</h3><span class=\"state {}\">{}</span></div>",
        class_of(state),
        capital(state.words())
    );
    if !held.why.is_empty() {
        let _ = write!(out, "<p class=\"why\">Since {}: {}</p>", time(held.since), escaped(&held.why));
    }
    bars(out, shown, held);
    let known_days = (shown.at / DAY_MS + 1).saturating_sub((shown.known_since / DAY_MS).max(first_day(shown)));
    let since = if known_days >= DAYS { "90 days ago".to_owned() } else { format!("known for {}", days(known_days)) };
    let _ = write!(
        out,
        "<p class=\"foot\"><span>{since}</span><span class=\"up\">{:.2} % up</span><span>today</span></p>",
        held.uptime_percent
    );
    bad_days(out, shown, held.component);
    out.push_str("</li>");
}

/// The same as the bars, for who has no pointer, or no eyes for bars: the newest first.
fn bad_days(out: &mut String, shown: &Shown, component: Component) {
    let first = first_day(shown);
    let bad: Vec<&Day> = shown
        .days
        .iter()
        .filter(|held| held.day >= first && held.worst(component) != ComponentState::Operational)
        .collect();
    if bad.is_empty() {
        return;
    }
    let count = days(bad.len() as u64);
    let _ = write!(out, "<details><summary>{count} with trouble</summary><ul class=\"days\">");
    for day in bad.into_iter().rev() {
        let at = day.day * DAY_MS;
        let up = up_percent(shown, day, component);
        let _ = write!(
            out,
            "<li><span class=\"{}\"><span class=\"mark\" aria-hidden=\"true\"></span></span><time datetime=\"{}\">{}</time> <span>{}</span> <span class=\"dim\">{up:.2} % up</span></li>",
            class_of(day.worst(component)),
            date(at, "%Y-%m-%d"),
            date(at, "%-d %b %Y"),
            spans(day, component)
        );
    }
    out.push_str("</ul></details>");
}

/// Of the part of the day that is known.
fn up_percent(shown: &Shown, day: &Day, component: Component) -> f64 {
    let (from, to) = (day.day * DAY_MS, (day.day + 1) * DAY_MS);
    let known = to.min(shown.at).saturating_sub(from.max(shown.known_since)).max(1);
    let [_, partial, major] = day.bad_ms[component.place()];
    let out = (partial + major).min(known);
    // What was out for a moment was not up all of the day.
    ((1.0 - out as f64 / known as f64) * 10_000.0).floor() / 100.0
}

fn first_day(shown: &Shown) -> u64 {
    (shown.at / DAY_MS + 1).saturating_sub(DAYS)
}

fn days(count: u64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// One bar for each day, the oldest first. A row of well days is one path: the page is small when nothing was wrong.
fn bars(out: &mut String, shown: &Shown, held: &ShownComponent) {
    let component = held.component;
    let (mut unknown, mut well, mut bad) = (String::new(), String::new(), String::new());
    let first = first_day(shown);
    let mut bad_days = 0;
    for day in first..first + DAYS {
        let x = (day - first) * 5;
        let of_day = shown.days.iter().find(|held| held.day == day);
        match of_day.map(|held| (held, held.worst(component))) {
            Some((of_day, state)) if state != ComponentState::Operational => {
                bad_days += 1;
                let height = BAR_HEIGHTS[usize::from(state.number())];
                let _ = write!(
                    bad,
                    "<rect class=\"{}\" x=\"{x}\" y=\"{}\" width=\"4\" height=\"{height}\" rx=\"1\"><title>{}</title></rect>",
                    class_of(state),
                    BAR_HEIGHT_MAX - height,
                    told(of_day, component)
                );
            }
            _ if day < shown.known_since / DAY_MS => {
                let _ = write!(unknown, "M{x} {}h4v4h-4z", BAR_HEIGHT_MAX - 4);
            }
            _ => {
                let _ = write!(well, "M{x} {}h4v{h}h-4z", BAR_HEIGHT_MAX - BAR_HEIGHTS[0], h = BAR_HEIGHTS[0]);
            }
        }
    }
    let label = match bad_days {
        0 => format!("{}: no day with trouble", held.title),
        count => format!("{}: {} with trouble", held.title, days(count)),
    };
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 449 {BAR_HEIGHT_MAX}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\"><path class=\"n\" d=\"{unknown}\"/>\
         <path class=\"s0\" d=\"{well}\"/>{bad}</svg>",
        escaped(&label)
    );
}

/// "2026-11-26: major outage 3 min, degraded 10 s".
fn told(day: &Day, component: Component) -> String {
    format!("{}: {}", date(day.day * DAY_MS, "%Y-%m-%d"), spans(day, component))
}

/// "major outage 3 min, degraded 10 s".
fn spans(day: &Day, component: Component) -> String {
    let states = ComponentState::ALL.into_iter().skip(1).zip(day.bad_ms[component.place()]).rev();
    let said = states.filter(|(_, ms)| *ms > 0).map(|(state, ms)| format!("{} {}", state.words(), span(ms)));
    said.collect::<Vec<_>>().join(", ")
}

fn one_incident(out: &mut String, incident: &Incident) {
    let names: Vec<&str> = incident.components.iter().map(|component| component.title()).collect();
    let names = if names.len() == Component::ALL.len() { "Everything".to_owned() } else { names.join(", ") };
    let lasted = match incident.ended_at {
        Some(ended_at) => format!("to {}, {}", time(ended_at), span(ended_at.saturating_sub(incident.began_at))),
        None => "and under way".to_owned(),
    };
    let _ = write!(
        out,
        "<li class=\"incident\"><div class=\"head\"><h3>{names}</h3><span class=\"state {}\">{}</span></div>\
         <p class=\"dim\">From {} {lasted}</p><ul>",
        class_of(incident.worst),
        capital(incident.worst.words()),
        time(incident.began_at)
    );
    for line in &incident.lines {
        let _ = write!(out, "<li><time>{}</time> {}", date(line.at, "%H:%M:%S"), escaped(&line.text));
        if !line.why.is_empty() {
            let _ = write!(out, " <span class=\"dim\">{}</span>", escaped(&line.why));
        }
        out.push_str("</li>");
    }
    out.push_str("</ul></li>");
}

fn class_of(state: ComponentState) -> &'static str {
    ["s0", "s1", "s2", "s3"][usize::from(state.number())]
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn time(ms: u64) -> String {
    format!("<time datetime=\"{}\">{}</time>", date(ms, "%Y-%m-%dT%H:%M:%SZ"), date(ms, "%Y-%m-%d %H:%M"))
}

fn date(ms: u64, form: &str) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    at.strftime(form).to_string()
}

/// In the largest unit that says enough.
fn span(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        10_000..120_000 => format!("{} s", ms / 1_000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        7_200_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} days", ms / DAY_MS),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
