//! A report as a picture: who waits, and how many agents are there and busy, over the run. Plain SVG that any browser shows.

use super::report::{Moment, Report};
use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const PANEL: f64 = 190.0;
const FIRST_TOP: f64 = 92.0;
const SECOND_TOP: f64 = FIRST_TOP + PANEL + 74.0;
const HEIGHT: f64 = SECOND_TOP + PANEL + 48.0;

/// Of the first report and of the second.
const WAITING: [&str; 2] = ["#c2410c", "#7c3aed"];
const BUSY: [&str; 2] = ["#0369a1", "#15803d"];

/// What the picture is of.
pub struct Picture<'a> {
    pub title: String,
    /// With its name in the legend; one or two.
    pub reports: Vec<(&'a str, &'a Report)>,
    /// Minutes after midnight at which the run begins.
    pub begins_min: u64,
    pub length_ms: u64,
}

impl Picture<'_> {
    #[must_use]
    pub fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#334155\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        );
        let count = self.reports.first().map_or(0, |(_, report)| report.replications);
        text(&mut svg, LEFT, 30.0, "font-size=\"18\" font-weight=\"600\" fill=\"#0f172a\"", &self.title);
        let means = format!("means of {count} replications; the shade: eight of ten were inside it");
        text(&mut svg, LEFT, 50.0, "fill=\"#64748b\"", &means);
        self.waiting(&mut svg);
        self.agents(&mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    fn waiting(&self, svg: &mut String) {
        let most = self.most(|moment| moment.waiting_p90.max(moment.waiting));
        let panel = Panel { top: FIRST_TOP, most: nice(most) };
        self.frame(svg, &panel, "Waiting");
        let mut legend = Vec::new();
        for (place, (name, report)) in self.reports.iter().enumerate() {
            let colour = WAITING[place.min(1)];
            panel.band(svg, report, |moment| moment.waiting_p10, |moment| moment.waiting_p90, colour);
            panel.line(svg, report, |moment| moment.waiting, colour, "");
            legend.push((colour, "", format!("waiting{}", self.of(name))));
        }
        self.legend(svg, &panel, &legend);
    }

    fn agents(&self, svg: &mut String) {
        let panel = Panel { top: SECOND_TOP, most: nice(self.most(|moment| moment.agents)) };
        self.frame(svg, &panel, "Agents");
        let mut legend = Vec::new();
        for (place, (name, report)) in self.reports.iter().enumerate() {
            let colour = BUSY[place.min(1)];
            if place == 0 {
                panel.band(svg, report, |_| 0.0, |moment| moment.agents_busy, colour);
            }
            panel.line(svg, report, |moment| moment.agents_busy, colour, "");
            panel.line(svg, report, |moment| moment.agents, colour, "stroke-dasharray=\"5 4\"");
            legend.push((colour, "", format!("with work{}", self.of(name))));
            legend.push((colour, "stroke-dasharray=\"5 4\"", format!("there{}", self.of(name))));
        }
        self.legend(svg, &panel, &legend);
    }

    fn of(&self, name: &str) -> String {
        if self.reports.len() > 1 { format!(", {name}") } else { String::new() }
    }

    fn most(&self, of: impl Fn(&Moment) -> f64) -> f64 {
        self.reports.iter().flat_map(|(_, report)| &report.over_time).map(of).fold(0.0, f64::max)
    }

    /// Title, grid and both axes.
    fn frame(&self, svg: &mut String, panel: &Panel, title: &str) {
        text(svg, LEFT, panel.top - 12.0, "font-weight=\"600\" fill=\"#0f172a\"", title);
        let bottom = panel.top + PANEL;
        for step in 0..=4 {
            let value = panel.most * f64::from(step) / 4.0;
            let y = panel.y(value);
            line(svg, (LEFT, y), (WIDTH - RIGHT, y), if step == 0 { "#94a3b8" } else { "#e2e8f0" });
            let shown = if panel.most < 4.0 { format!("{value:.1}") } else { format!("{value:.0}") };
            text(svg, LEFT - 8.0, y + 4.5, "text-anchor=\"end\"", &shown);
        }
        let hours = self.length_ms as f64 / 3_600_000.0;
        let every_min = [5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 180.0, 360.0, 720.0, 1_440.0];
        let every_min = every_min.into_iter().find(|every| hours * 60.0 / every <= 13.0).unwrap_or(10_080.0);
        let first = (self.begins_min as f64 / every_min).ceil() * every_min;
        let mut at = first;
        while at <= self.begins_min as f64 + hours * 60.0 + 0.01 {
            let x = LEFT + (at - self.begins_min as f64) / (hours * 60.0) * (WIDTH - LEFT - RIGHT);
            line(svg, (x, bottom), (x, bottom + 5.0), "#94a3b8");
            let of_day = at as u64 % 1_440;
            let mut shown = format!("{:02}:{:02}", of_day / 60, of_day % 60);
            if hours > 24.0 {
                shown = format!("day {} {shown}", at as u64 / 1_440 + 1);
            }
            let small = if hours > 24.0 { "text-anchor=\"middle\" font-size=\"10\"" } else { "text-anchor=\"middle\"" };
            text(svg, x, bottom + 20.0, small, &shown);
            at += every_min;
        }
    }

    fn legend(&self, svg: &mut String, panel: &Panel, entries: &[(&str, &str, String)]) {
        let mut right = WIDTH - RIGHT;
        for (colour, dashes, name) in entries.iter().rev() {
            right -= name.chars().count() as f64 * 7.0 + 8.0;
            text(svg, right, panel.top - 12.0, "", name);
            right -= 30.0;
            let y = panel.top - 16.5;
            let _ = writeln!(
                svg,
                "<line x1=\"{right:.1}\" y1=\"{y}\" x2=\"{:.1}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"2.5\" {dashes}/>",
                right + 24.0
            );
            right -= 10.0;
        }
    }
}

struct Panel {
    top: f64,
    /// The value at its upper edge.
    most: f64,
}

impl Panel {
    fn y(&self, value: f64) -> f64 {
        self.top + PANEL * (1.0 - value / self.most)
    }

    fn points(&self, report: &Report, of: impl Fn(&Moment) -> f64) -> Vec<(f64, f64)> {
        let slots = report.over_time.len() as f64;
        let x = |slot: usize| LEFT + (slot as f64 + 0.5) / slots * (WIDTH - LEFT - RIGHT);
        report.over_time.iter().enumerate().map(|(slot, moment)| (x(slot), self.y(of(moment)))).collect()
    }

    fn line(&self, svg: &mut String, report: &Report, of: impl Fn(&Moment) -> f64, colour: &str, dashes: &str) {
        let points = joined(&self.points(report, of));
        let _ = writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\" {dashes}/>"
        );
    }

    fn band(
        &self,
        svg: &mut String,
        report: &Report,
        low: impl Fn(&Moment) -> f64,
        high: impl Fn(&Moment) -> f64,
        colour: &str,
    ) {
        let mut around = self.points(report, high);
        around.extend(self.points(report, low).into_iter().rev());
        let _ = writeln!(svg, "<polygon points=\"{}\" fill=\"{colour}\" fill-opacity=\"0.14\"/>", joined(&around));
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

/// The next of 1, 2, 4 and 8 times a power of ten that holds it, so that quarters are plain numbers.
fn nice(most: f64) -> f64 {
    let tens = 10f64.powf(most.max(1.0).log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * tens).find(|held| *held >= most).unwrap_or(10.0 * tens)
}

fn text(svg: &mut String, x: f64, y: f64, style: &str, what: &str) {
    let what = what.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{what}</text>");
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), colour: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(svg, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>");
}
