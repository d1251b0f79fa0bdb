//! Reports are what a recount of the journal gives, to the last number: of simulated days with everything that can happen, and of a day on
//! the real binary; after a kill, after the view was made anew, and after a release without reports wrote it.
//!
//! The recount is `tests/clients/recount.py`, which shares nothing with the server but the journal's lines.

mod support;

use offhook::gateway::auth::agent_token::Role;
use offhook::journal::{Appended, NewRecord, Position, StoredRecord, record};
use offhook::simulate::{Mode, Plan, records_of};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use support::scene::{DEMO, eventually, talking};
use support::{Agent, Customer, Http, Options, Response, Server, as_cluster};

const QUARTER_MS: u64 = 900_000;
const SIMULATED: &str = "simulated";

/// Simulated days are years ago: nothing of them may be too old.
fn options(data_dir: &Path) -> Options {
    let options = Options::default().without_rate_limits().set("journal.reports_days=0");
    Options { data_dir: Some(data_dir.to_owned()), ..options }
}

/// A journal of these records, in a directory that a server can start on.
async fn write_journal(data_dir: &Path, records: &[StoredRecord]) {
    std::fs::create_dir_all(data_dir).unwrap();
    let journal = as_cluster::journal(data_dir).await;
    for StoredRecord { position, turn, body } in records {
        let (turn, body, expected) = (*turn, body.clone(), Position(position.0 - 1));
        let appended = journal.append(&SIMULATED.into(), NewRecord { turn, expected, body, last_resort: false }).await;
        assert!(matches!(appended, Appended::Committed(_)), "{appended:?}");
    }
}

fn wall_ms(stored: &StoredRecord) -> u64 {
    record::decode(&stored.body).unwrap().head.wall_ms
}

/// The whole quarters of an hour around these records.
fn span_of(records: &[StoredRecord]) -> (u64, u64) {
    let (first, last) = (wall_ms(records.first().unwrap()), wall_ms(records.last().unwrap()));
    (first / QUARTER_MS * QUARTER_MS, (last / QUARTER_MS + 1) * QUARTER_MS)
}

async fn report(server: &Server, workspace: &str, what: &str, query: &str) -> Response {
    server.admin("GET", &format!("/v1/workspaces/{workspace}/reports/{what}?{query}"), None).await
}

async fn must_report(server: &Server, workspace: &str, what: &str, query: &str) -> Value {
    let loaded = async || report(server, workspace, what, query).await;
    let answer = eventually("a report", loaded, |answer| answer.status != 503).await;
    assert_eq!(answer.status, 200, "{what}?{query}: {}\n{}", answer.text(), server.log_tail());
    answer.json()
}

/// Every grouping in intervals of several lengths, and some filters.
async fn ask_everything(server: &Server, workspace: &str, (from, to): (u64, u64)) -> Vec<Value> {
    let mut questions = Vec::new();
    let mut ask = async |what: &str, by: &[&str], filters: Value, interval: &str| {
        let mut query = format!("from={from}&to={to}&interval={interval}&by={}", by.join(","));
        for (name, value) in filters.as_object().unwrap() {
            query += &format!("&{name}={}", value.as_str().unwrap());
        }
        let answer = must_report(server, workspace, what, &query).await;
        questions.push(json!({"what": what, "by": by, "filters": filters, "answer": answer}));
    };
    for interval in ["15m", "hour", "day", "none"] {
        ask("agents", &[], json!({}), interval).await;
        ask("agents", &["agent"], json!({}), interval).await;
        for by in [&[][..], &["queue"], &["agent"], &["channel"], &["queue", "channel"], &["agent", "queue", "channel"]]
        {
            ask("conversations", by, json!({}), interval).await;
        }
    }
    let of = |what: &str, name: &str| {
        let answers = questions.iter().filter(|one| one["what"] == what && one["by"] == json!([name]));
        let mut names = answers.flat_map(|one| one["answer"]["rows"].as_array().unwrap()).map(|row| row[name].clone());
        names.next()
    };
    let (queue, agent) = (of("conversations", "queue"), of("conversations", "agent"));
    let (queue, agent) = (queue.expect("a queue"), agent.expect("an agent"));
    let mut ask = async |what: &str, by: &[&str], filters: Value| {
        let mut query = format!("from={from}&to={to}&interval=hour&by={}", by.join(","));
        for (name, value) in filters.as_object().unwrap() {
            query += &format!("&{name}={}", value.as_str().unwrap());
        }
        let answer = must_report(server, workspace, what, &query).await;
        questions.push(json!({"what": what, "by": by, "filters": filters, "answer": answer}));
    };
    ask("conversations", &["channel"], json!({"queue": queue})).await;
    ask("conversations", &["queue"], json!({"agent": agent})).await;
    ask("conversations", &[], json!({"agent": agent, "queue": queue})).await;
    ask("agents", &[], json!({"agent": agent})).await;
    questions
}

/// Rows and totals, without what tells when they were asked for.
fn numbers(questions: &[Value]) -> Vec<[&Value; 2]> {
    questions.iter().map(|one| ["rows", "totals"].map(|member| &one["answer"][member])).collect()
}

/// By the journal as it is shown, in another language.
async fn recount(data_dir: &Path, workspace: &str, questions: &[Value]) {
    let place = tempfile::tempdir().unwrap();
    let (lines, answers) = (place.path().join("journal"), place.path().join("answers"));
    let shown: Vec<String> =
        as_cluster::shown(data_dir, workspace).await.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&lines, shown.concat()).unwrap();
    std::fs::write(&answers, json!(questions).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/recount.py");
    let done = Command::new("python3").arg("-B").arg(script).arg(lines).arg(answers).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    println!("{said}");
}

fn remove_view(data_dir: &Path) {
    for name in ["view.db", "view.db-wal", "view.db-shm"] {
        let _ = std::fs::remove_file(data_dir.join(name));
    }
}

/// As a release leaves the view that knows nothing of reports.
fn forget_reports(data_dir: &Path) {
    let view = rusqlite::Connection::open(data_dir.join("view.db")).unwrap();
    for table in ["report_progress", "report_talk", "report_person", "report_cell"] {
        view.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
}

/// Reports count this record too, and none is left that they do not.
async fn has_caught_up(server: &Server, workspace: &str, position: u64) {
    let reported = async || must_report(server, workspace, "agents", "").await["position"].as_u64();
    eventually("reports that have caught up", reported, |reported| *reported >= Some(position)).await;
    let behind = async || server.metric("offhook_reports_lag_records").await;
    eventually("no record left", behind, |behind| *behind == 0.0).await;
}

async fn simulated_day(seed: u64, steps: u32) {
    let plan = Plan { seed, steps, mode: Mode::Safety, sabotage: None };
    let records = records_of(plan).expect("a good run");
    let span = span_of(&records);
    let place = tempfile::tempdir().unwrap();
    let data_dir = place.path().join("data");
    write_journal(&data_dir, &records).await;
    let mut server = Server::start(&options(&data_dir));
    let first = ask_everything(&server, SIMULATED, span).await;
    recount(&data_dir, SIMULATED, &first).await;
    let busy = |name: &str| first.iter().filter_map(|one| one["answer"]["totals"][name].as_i64()).max().unwrap_or(0);
    for name in ["answered", "offered", "handled", "closed"] {
        assert!(busy(name) > 0, "nothing was {name} on this day");
    }
    // What was counted before the kill, what is counted of the journal alone, and beside a view that was there already.
    for forget in [|_: &Path| {}, remove_view, forget_reports] {
        server.kill();
        forget(&data_dir);
        server.start_again();
        has_caught_up(&server, SIMULATED, records.len() as u64).await;
        let again = ask_everything(&server, SIMULATED, span).await;
        assert!(numbers(&first) == numbers(&again), "not the same as before");
        assert!(again.iter().all(|one| one["answer"]["complete_since"].is_null()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_days_are_reported_as_a_recount_of_the_journal_has_them() {
    // `OFFHOOK_SEEDS=n`: so many days.
    let seeds = std::env::var("OFFHOOK_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2);
    for seed in 1..=seeds {
        simulated_day(seed, 2_500).await;
    }
}

/// Customers who come one after the other: some leave, most are answered, given away, closed and say what it was like.
async fn live(server: &Server, agent: &mut Agent, rounds: usize) {
    for round in 0..rounds {
        let mut customer = Customer::start(server.address, DEMO, "hello").await;
        if round % 7 == 6 {
            customer.call("POST", "leave", None).await;
            continue;
        }
        let of_customer = |frame: &Value| {
            frame["type"] == "offer" && frame["offer"]["conversation"]["conversation"] == customer.conversation.as_str()
        };
        let offer = agent.until("an offer", of_customer).await["offer"].clone();
        agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
        let conversation = json!(customer.conversation);
        if round % 3 > 0 {
            agent.must(json!({"type": "send", "conversation": conversation, "text": "Let me look"})).await;
        }
        customer.post("thank you").await;
        if round % 5 == 4 {
            agent.must(json!({"type": "transfer", "conversation": conversation, "queue": "support"})).await;
            continue;
        }
        agent.must(json!({"type": "close", "conversation": conversation})).await;
        if round % 2 == 0 {
            let score = json!({"score": 1 + round % 5});
            assert_eq!(customer.call("POST", "rating", Some(score)).await.status, 204);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_on_the_real_binary_is_reported_as_its_journal_has_it_and_kills_change_nothing() {
    let options = Options::default().without_rate_limits();
    let mut server = Server::start(&options);
    let from = support::now_s() as u64 * 1_000 / QUARTER_MS * QUARTER_MS;
    let span = (from, from + 4 * QUARTER_MS);
    for _ in 0..3 {
        let mut ada = Agent::available(&server, DEMO, "ada").await;
        live(&server, &mut ada, 8).await;
        // In the middle of a talk, of which the view may have anything or nothing.
        let (_ada, _customer) = talking(&server, "ada").await;
        server.kill();
        server.start_again();
        recount_now(&server, span).await;
    }
    remove_view_and_start_again(&mut server);
    recount_now(&server, span).await;
}

fn remove_view_and_start_again(server: &mut Server) {
    server.kill();
    remove_view(server.data_dir());
    server.start_again();
}

async fn recount_now(server: &Server, span: (u64, u64)) {
    let questions = ask_everything(server, DEMO, span).await;
    recount(server.data_dir(), DEMO, &questions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_journal_was_cut_reports_go_on_from_how_everything_stands() {
    let mut server = Server::start(&Options::default().without_rate_limits());
    let (mut ada, mut zoe) = talking(&server, "ada").await;
    let from = support::now_s() as u64 * 1_000 / QUARTER_MS * QUARTER_MS;
    // What is in the view is what was answered after it: then the journal may lose it.
    zoe.post("are you there?").await;
    ada.must(json!({"type": "send", "conversation": zoe.conversation, "text": "I am"})).await;
    let position = must_report(&server, DEMO, "conversations", "").await["position"].as_u64().unwrap();
    server.kill();
    let data_dir = server.data_dir().to_owned();
    forget_reports(&data_dir);
    let journal = as_cluster::journal(&data_dir).await;
    assert!(journal.cut(&DEMO.into(), Position(position - 1)).await.unwrap() > 0);
    drop(journal);
    server.start_again();
    has_caught_up(&server, DEMO, position).await;
    let mut ada = Agent::connect(&server, DEMO, "ada").await;
    ada.must(json!({"type": "close", "conversation": zoe.conversation})).await;
    let span = format!("from={from}&to={}&by=agent", from + 4 * QUARTER_MS);
    let report = must_report(&server, DEMO, "conversations", &span).await;
    assert!(report["complete_since"].as_u64().is_some_and(|since| since >= from), "{report}");
    let row = &report["rows"][0];
    assert_eq!((&row["agent"], &row["handled"], &row["closed_by_agent"]), (&json!("ada"), &json!(1), &json!(1)));
    assert_eq!(row["answered"], 0, "that was before: {report}");
    let time = must_report(&server, DEMO, "agents", &span).await;
    let row = &time["rows"][0];
    assert!(row["occupied_ms"].as_u64().is_some_and(|ms| ms > 0 && row["connected_ms"].as_u64() >= Some(ms)), "{time}");
}

async fn refused(server: &Server, what: &str, query: &str) -> (u16, String, String) {
    let answer = report(server, DEMO, what, query).await;
    let problem = answer.json();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("code"), text("field"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_with_its_field() {
    let server = Server::start(&Options::default().without_rate_limits());
    Agent::available(&server, DEMO, "ada").await;
    for (what, query, field) in [
        ("conversations", "from=1", "from"),
        ("conversations", "from=yesterday", "from"),
        ("conversations", "from=2026-02-30", "from"),
        ("conversations", "to=99999999999999999999", "to"),
        ("conversations", "from=2026-02-02&to=2026-02-02", "to"),
        ("conversations", "from=2016-01-01&to=2027-01-01", "to"),
        ("conversations", "from=2026-01-01&to=2026-03-01&interval=15m", "interval"),
        ("conversations", "interval=year", "interval"),
        ("conversations", "time_zone=Europe/Atlantis", "time_zone"),
        ("conversations", "by=weather", "by"),
        ("conversations", "format=xml", "format"),
        ("conversations", "limit=2001", "limit"),
        ("conversations", "limit=0", "limit"),
        ("agents", "by=queue", "by"),
        ("agents", "queue=support", "queue"),
        ("agents", "channel=chat", "channel"),
    ] {
        let found = refused(&server, what, query).await;
        assert_eq!(found, (422, "bad_field".to_owned(), field.to_owned()), "{what}?{query}");
    }
    let not_there = |code: &str, field: &str| (404, code.to_owned(), field.to_owned());
    assert_eq!(refused(&server, "conversations", "queue=none").await, not_there("no_such_queue", "queue"));
    assert_eq!(refused(&server, "conversations", "agent=none").await, not_there("no_such_agent", "agent"));
    assert_eq!(refused(&server, "conversations", "channel=none").await, not_there("no_such_channel", "channel"));
    assert_eq!(refused(&server, "weather", "").await, not_there("not_found", ""));
    assert_eq!(refused(&server, "conversations", "sort=up").await.1, "bad_request");
    assert_eq!(refused(&server, "conversations", "cursor=900000").await, (422, "bad_cursor".into(), "cursor".into()));
    assert!(server.metric("offhook_bad_input_total{code=\"bad_field\"}").await >= 16.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn supervisors_read_reports_and_agents_do_not() {
    let server = Server::start(&Options::default().without_rate_limits());
    let path = format!("/v1/workspaces/{DEMO}/reports/agents");
    for (role, status) in [(Role::Agent, 403), (Role::Supervisor, 200), (Role::Admin, 200)] {
        let token = server.agent_token(DEMO, "grace", role);
        let mut http = Http::connect(server.address).await.unwrap();
        let answer = http.ask("GET", &path, &format!("Authorization: Bearer {token}\r\n"), b"").await.unwrap();
        assert_eq!(answer.status, status, "{role:?}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_in_pages_of_whole_intervals_and_as_a_file_for_spreadsheets() {
    let server = Server::start(&Options::default().without_rate_limits());
    let name = "=cmd|' /C calc'!A0";
    let (mut ada, customer) = talking(&server, name).await;
    ada.must(json!({"type": "close", "conversation": customer.conversation})).await;
    // A day of 25 hours, in which nothing happened, told in full.
    let autumn = "from=2026-10-25&to=2026-10-26&time_zone=Europe/Berlin&interval=hour&limit=20";
    let first = must_report(&server, DEMO, "conversations", autumn).await;
    let next = first["next"].as_str().expect("a second page");
    let second = must_report(&server, DEMO, "conversations", &format!("{autumn}&cursor={next}")).await;
    assert_eq!(first["rows"].as_array().unwrap().len() + second["rows"].as_array().unwrap().len(), 25);
    assert_eq!(first["rows"][19]["to"], second["rows"][0]["from"]);
    assert!(first["totals"].is_object() && second["totals"].is_null() && second["next"].is_null());

    let today = support::now_s() as u64 * 1_000 / QUARTER_MS * QUARTER_MS;
    let query = format!("from={today}&to={}&by=agent,queue", today + 4 * QUARTER_MS);
    let path = format!("/v1/workspaces/{DEMO}/reports/conversations?{query}");
    let mut http = Http::connect(server.address).await.unwrap();
    let headers = format!("Authorization: Bearer {}\r\nAccept: text/csv\r\n", server.admin_key());
    let file = http.ask("GET", &path, &headers, b"").await.unwrap();
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let json = must_report(&server, DEMO, "conversations", &query).await;
    let rows = read_csv(file.text());
    assert_eq!(rows.len(), 1, "{}", file.text());
    let row = &json["rows"][0];
    assert_eq!(row["agent"], name);
    assert_eq!(rows[0]["agent"], format!("'{name}"), "no program may take it for a formula");
    for (column, value) in row.as_object().unwrap() {
        if !matches!(column.as_str(), "agent" | "from" | "to") {
            let spelled = value.as_str().map_or_else(|| value.to_string().replace("null", ""), str::to_owned);
            assert_eq!(rows[0][column], spelled, "{column}");
        }
    }
}

/// By Python's own reader.
fn read_csv(text: &str) -> Vec<Value> {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("report.csv");
    std::fs::write(&file, text).unwrap();
    let read = "import csv, json, sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8')))))";
    let done = Command::new("python3").arg("-c").arg(read).arg(file).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}
