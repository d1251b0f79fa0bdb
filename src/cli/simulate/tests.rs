//! The command as it is called: files in, text, JSON and pictures out, and what is wrong named by its field.

use clap::Parser;
use serde_json::Value;
use std::path::{Path, PathBuf};

use super::Simulate;
use crate::cli::CommandError;
use crate::config::Config;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    simulate: Simulate,
}

fn simulate(words: &[&str]) -> Result<String, String> {
    simulate_in(Path::new("/nonexistent"), words)
}

fn simulate_in(dir: &Path, words: &[&str]) -> Result<String, String> {
    let words = std::iter::once("simulate").chain(words.iter().copied());
    let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    let set = [format!("server.data_dir={}", dir.display())];
    let config = || Config::from_sources(None, [], &set).map_err(CommandError::of);
    line.simulate.run(config, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn json_of(words: &[&str]) -> Value {
    let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&simulate(&words).unwrap()).unwrap()
}

fn example() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/config/scenario.toml").to_owned()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

const PLAIN: &str = "
[[queues]]
name = 'support'
[run]
hours = 2
replications = 4
[[arrivals]]
queue = 'support'
per_hour = 200
handling_s = { exponential = 240 }
patience_s = { exponential = 120 }
[[staff]]
name = 'crew'
count = 4
queues = ['support']
accept_s = { fixed = 3 }
";

#[test]
fn the_example_is_lived_and_told_as_text_json_and_a_picture() {
    let folder = Folder::new();
    let svg = folder.file("day.svg", "");
    let text = simulate(&[&example(), "--replications", "3", "--svg", &svg]).unwrap();
    for shown in
        ["scenario.toml: 10 h from 2026-11-23T08:00", "accepted in time", " ± ", "sales", "support", "offers made"]
    {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    let picture = std::fs::read_to_string(svg).unwrap();
    for shown in ["<svg ", ">08:00<", ">18:00<", ">Waiting<", ">Agents<", ">with work<", "</svg>\n"] {
        assert!(picture.contains(shown), "{shown}");
    }
    let told = json_of(&[&example(), "--replications", "3"]);
    let result = &told["result"];
    assert_eq!((&result["replications"], &told["seed"]), (&3.into(), &1.into()));
    let arrived = result["queues"]["sales"]["arrived"]["mean"].as_f64().unwrap();
    assert_eq!(arrived, 239.0, "one each 150 s for ten hours, the last of them at the end");
    for name in ["service_level", "wait_mean_ms", "wait_p99_ms", "abandoned", "offers"] {
        assert!(result["customers"][name]["plus_minus"].is_f64(), "{name}: {result:#}");
    }
    assert_eq!(result["over_time"].as_array().unwrap().len(), 160);
}

#[test]
fn the_same_seed_says_the_same_and_another_something_else() {
    let folder = Folder::new();
    let file = folder.file("day.toml", PLAIN);
    let with = |seed: &str| simulate(&[&file, "--seed", seed]).unwrap();
    assert_eq!(with("5"), with("5"));
    assert_ne!(with("5"), with("500"));
}

#[test]
fn a_required_disposition_keeps_nobody_busy() {
    let folder = Folder::new();
    let plain = folder.file("plain.toml", PLAIN);
    let labelled = PLAIN.replacen(
        "[[queues]]\nname = 'support'",
        "[settings.labels]\ndispositions = ['solved']\n[[queues]]\nname = 'support'\nlabels = { dispositions = ['solved'], disposition_required = true }",
        1,
    );
    let labelled = folder.file("labelled.toml", &labelled);
    assert_eq!(json_of(&[&plain])["result"], json_of(&[&labelled])["result"]);
}

#[test]
fn wrap_up_that_only_its_agent_ends_takes_its_time() {
    let folder = Folder::new();
    let of = |name: &str, wrap_up: &str| {
        let queue = format!("name = 'support'\nwrap_up_ms = 45000\n{wrap_up}");
        let file = folder.file(name, &PLAIN.replacen("name = 'support'", &queue, 1));
        json_of(&[&file])["result"].clone()
    };
    let timed = of("timed.toml", "");
    assert_eq!(of("done.toml", "wrap_up = { ends = 'when_done' }"), timed);
    assert_ne!(of("none.toml", "wrap_up = { blocks = 'nothing' }"), timed);
}

#[test]
fn two_settings_are_compared_on_the_same_customers() {
    let folder = Folder::new();
    let file = folder.file("day.toml", PLAIN);
    let same = folder.file("same.toml", "");
    let told = json_of(&[&file, "--against", &same]);
    assert_eq!(told["result"]["first"], told["result"]["second"]);
    let more = folder
        .file("more.toml", "[[staff]]\nname = 'crew'\ncount = 6\nqueues = ['support']\naccept_s = { fixed = 3 }\n");
    let told = json_of(&[&file, "--against", &more]);
    let (first, less) = (&told["result"]["first"]["customers"], &told["result"]["difference"]["customers"]);
    let (apart, paired) = (&first["arrived"]["plus_minus"], &less["arrived"]);
    assert!(apart.as_f64().unwrap() > 0.0 && paired["mean"] == 0.0 && paired["plus_minus"] == 0.0, "{paired}");
    let gain = &less["service_level"];
    assert!(gain["mean"].as_f64().unwrap() > gain["plus_minus"].as_f64().unwrap(), "six do better than four: {gain}");
    let text = simulate(&[&file, "--against", &more]).unwrap();
    assert!(text.contains("second - first") && text.contains(" *\n"), "{text}");
    // Settings too, by member.
    let slow = folder.file("slow.toml", "[[settings.channels]]\nname = 'chat'\nwrap_up_ms = 60000\n");
    let told = json_of(&[&file, "--against", &slow]);
    assert!(told["result"]["difference"]["customers"]["service_level"]["mean"].as_f64().unwrap() < 0.0, "{told:#}");
}

#[test]
fn what_is_wrong_is_named_by_its_field() {
    let folder = Folder::new();
    let with = |from: &str, to: &str| {
        assert!(PLAIN.contains(from), "{from}");
        simulate(&[&folder.file("day.toml", &PLAIN.replace(from, to))]).unwrap_err()
    };
    let cases = [
        ("hours = 2", "hours = 0", "run.hours: more than 0"),
        ("hours = 2", "hour = 2", "run.hour"),
        ("hours = 2", "begin = 'noon'", "run.begin: a day and a time"),
        ("queue = 'support'", "queue = 'sales'", "arrivals[0].queue: there is no queue \"sales\""),
        ("per_hour = 200", "per_hour = [200]", "arrivals[0].per_hour: 1 numbers for a run of 2 hours"),
        ("per_hour = 200", "", "arrivals[0].per_hour: needed"),
        ("per_hour = 200", "per_hour = -1", "arrivals[0].per_hour: each 0 to"),
        ("{ exponential = 240 }", "{ exponential = -240 }", "arrivals[0].handling_s.exponential: a mean of 0"),
        ("{ exponential = 240 }", "{ normal = 240 }", "arrivals[0].handling_s"),
        ("count = 4", "count = 0", "staff[0].count: 1 to"),
        ("count = 4", "counts = 4", "staff[0].counts"),
        ("count = 4", "skills = { french = 11 }", "staff[0].skills.french: a level is 1 to 10"),
        ("queues = ['support']", "queues = ['sales']", "staff[0].queues[0]: there is no queue"),
        ("count = 4", "rejected = 1.5", "staff[0].rejected: a share"),
        ("count = 4", "shifts = [{ from = '8', to = '17:00' }]", "staff[0].shifts[0].from: a time of day"),
        ("count = 4", "count = 4\nby_hour = [3, 5]", "staff[0].by_hour: at most count, which is 4"),
        ("[run]", "offering = { weight = 0 }\n[run]", "queues[0].offering.weight: 1 to 1000"),
        ("[run]", "[runs]", "runs: unknown"),
    ];
    for (from, to, wanted) in &cases {
        let said = with(from, to);
        assert!(said.contains(wanted), "{to}: {said}");
    }
    assert!(simulate(&["/nonexistent/day.toml"]).unwrap_err().starts_with("/nonexistent/day.toml: "));
}

#[test]
fn shifts_by_hour_are_who_is_there() {
    let folder = Folder::new();
    let day = PLAIN.replace("count = 4", "count = 4\nby_hour = [1, 3]").replace("per_hour = 200", "per_hour = 0.0001");
    let told = json_of(&[&folder.file("day.toml", &day)]);
    let hours = told["result"]["agents"]["staffed_hours"]["mean"].as_f64().unwrap();
    assert!((hours - 4.0).abs() < 0.01, "{hours}");
}

const SHADOWED: &str = r#"{"event":"presence","at_ms":1000,"agent":"ann","available":true}
{"event":"presence","at_ms":1000,"agent":"bob","available":true}

{"event":"arrived","at_ms":2000,"conversation":"x1","queue":"support"}
{"event":"assigned","at_ms":9000,"conversation":"x1","agent":"bob"}
{"event":"arrived","at_ms":10000,"conversation":"x2","queue":"support","skills":{"french":3}}
{"event":"assigned","at_ms":12000,"conversation":"x2","agent":"bob"}
{"event":"arrived","at_ms":13000,"conversation":"x3","queue":"support"}
{"event":"ended","at_ms":14000,"conversation":"x3"}
{"event":"ended","at_ms":15000,"conversation":"x1"}
"#;

const SHADOWING: &str = "
[[queues]]
name = 'support'
[[agents]]
name = 'ann'
queues = ['support']
[[agents]]
name = 'bob'
queues = ['support']
";

#[test]
fn beside_another_system_it_says_what_it_would_have_done() {
    let folder = Folder::new();
    let (events, workspace) = (folder.file("events.jsonl", SHADOWED), folder.file("workspace.toml", SHADOWING));
    let told: Value = serde_json::from_str(&simulate(&["--shadow", &events, &workspace, "--json"]).unwrap()).unwrap();
    let count = |name: &str| told[name].as_u64().unwrap();
    assert_eq!((count("conversations"), count("assigned"), count("left")), (3, 2, 1), "{told:#}");
    // The first to ann, who came first, at once; the second to nobody, whom bob should not have had; the third was offered.
    assert_eq!((count("other_agent"), count("nobody_fitted"), count("left_though_offered")), (1, 1, 1));
    assert_eq!(told["excluded_by_rule"]["lacks_skill"], 1);
    assert_eq!(count("saved_ms"), 7_000);
    let first = &told["differences"][0];
    assert_eq!((&first["there"], &first["here"], &first["saved_ms"]), (&"bob".into(), &"ann".into(), &7_000.into()));
    let text = simulate(&["--shadow", &events, &workspace]).unwrap();
    assert!(text.contains("offered to another one") && text.contains("lacks_skill"), "{text}");
}

#[test]
fn a_line_that_cannot_be_followed_is_named() {
    let folder = Folder::new();
    let workspace = folder.file("workspace.toml", SHADOWING);
    let said = |line: &str| {
        let events = folder.file("events.jsonl", &format!("{SHADOWED}{line}\n"));
        simulate(&["--shadow", &events, &workspace]).unwrap_err()
    };
    let cases = [
        ("{", "line 11: EOF"),
        (r#"{"event":"ended","at_ms":1,"conversation":"x2"}"#, "line 11: at_ms: earlier"),
        (r#"{"event":"ended","at_ms":20000,"conversation":"x3"}"#, "line 11: conversation: \"x3\" has not arrived"),
        (r#"{"event":"assigned","at_ms":20000,"conversation":"x2","agent":"eve"}"#, "agent: there is no agent \"eve\""),
        (r#"{"event":"arrived","at_ms":20000,"conversation":"x4","queue":"no"}"#, "queue: there is no queue \"no\""),
        (r#"{"event":"arrived","at_ms":20000,"conversation":"x2","queue":"support"}"#, "arrived before"),
        (
            r#"{"event":"arrived","at_ms":20000,"conversation":"x4","queue":"support","skill":{}}"#,
            "unknown field `skill`",
        ),
    ];
    for (line, wanted) in cases {
        let said = said(line);
        assert!(said.contains(wanted), "{line}: {said}");
    }
}

#[test]
fn a_day_of_the_journal_is_lived_again_under_other_settings() {
    use crate::cli::simulate::recorded::{Stretch, read};
    let dir = crate::cli::why::tests::lived(&[
        "admin queue support",
        "admin agent a0 queues=support",
        "a0 comes s0",
        "a0 sets available",
        "u1 opens chat in support",
        "a0 accepts o1",
        "u2 opens chat in support skills=french:3",
        "u2 closes c2",
        "a0 closes c1",
    ]);
    let stretch = |from, to| Stretch { from, to };
    let (_, recorded) = read(dir.path(), "demo", &stretch(None, None)).unwrap();
    assert_eq!(recorded.unknowns.arrived, 2);
    assert_eq!((recorded.unknowns.gave_up, recorded.unknowns.accepted, recorded.crew.len()), (1, 1, 1));
    let nobody = read(dir.path(), "demo", &stretch(Some(1), Some(4))).unwrap_err().to_string();
    assert!(nobody.contains("nobody arrived"), "{nobody}");
    let data = |words: &[&str]| simulate_in(dir.path(), words);
    let told = data(&["--journal", "--replications", "2", "--json"]).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    let customers = &told["result"]["customers"];
    assert_eq!(
        (&customers["arrived"]["mean"], &customers["abandoned"]["mean"]),
        (&2.0.into(), &0.5.into()),
        "{told:#}"
    );
    assert!(told["note"].as_str().unwrap().contains("What the journal cannot tell"), "{told:#}");
    let folder = Folder::new();
    let learned = folder.file("learned.toml", "[[agents]]\nname = 'a0'\nskills = { french = 5 }\n");
    let text = data(&["--journal", "--against", &learned, "--replications", "2"]).unwrap();
    assert!(text.contains("second - first") && text.contains("they are available as they were"), "{text}");
    let staff = folder.file("staff.toml", "[[staff]]\nname = 'more'\n");
    let refused = data(&["--journal", "--against", &staff]).unwrap_err();
    assert!(refused.contains("with --journal, only"), "{refused}");
}

#[test]
fn opening_hours_hold_in_a_scenario() {
    let folder = Folder::new();
    // The run is from 08:00 to 10:00 in UTC, which is 09:00 to 11:00 in Berlin in winter.
    let hours = "
[settings.hours.office]
time_zone = 'Europe/Berlin'
weekly = { monday = ['10:00-18:00'] }
[[queues]]
name = 'support'
hours = 'office'
waiting = { out_of_hours = 'refuse' }
";
    let closed_first = folder.file("hours.toml", hours);
    let plain = folder.file("plain.toml", PLAIN);
    let told = json_of(&[&plain, "--against", &closed_first]);
    let first = |measure: &str| told["result"]["first"]["customers"][measure]["mean"].as_f64().unwrap();
    let second = |measure: &str| told["result"]["second"]["customers"][measure]["mean"].as_f64().unwrap();
    assert_eq!((first("refused"), first("arrived") - second("arrived")), (0.0, 0.0));
    // The first of the two hours.
    assert!((0.45..0.55).contains(&second("refused")), "{}", second("refused"));
}
