//! `offhook cluster check`, as an operator runs it.

use crate::support::nats::Nats;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Output};

fn check(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offhook"));
    command.args(["cluster", "check", "--races", "10", "--appends", "20"]).args(arguments);
    command.output().expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Off the runtime's thread, since it blocks.
async fn checked(arguments: Vec<String>) -> Output {
    let run = move || check(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.expect("it ends")
}

#[tokio::test]
async fn good_servers_are_told_from_others() {
    let nats = Nats::alone("sync_interval: always").await;
    let lazy = Nats::alone("").await;
    let of = |nats: &Nats| {
        ["--server", &nats.address, "--replicas", "1", "--monitor", &nats.monitor].map(str::to_owned).to_vec()
    };
    let good = checked(of(&nats)).await;
    let text = said(&good);
    assert!(good.status.success(), "{good:?}");
    for part in [
        "is NATS 2.",
        "stream  OFFHOOK_JOURNAL is as it has to be: 1 replicas, 0 records",
        "alone has a record on its disk before it answers",
        "of 8 writers one won, 10 times of 10",
        "of 20 one after the other",
        "result  a journal can rest on these servers",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Again: nothing was left of the first time.
    let again = said(&checked(of(&nats)).await);
    assert!(again.contains("1 replicas, 0 records"), "{again}");

    let text = said(&checked(of(&lazy)).await);
    assert!(text.contains("up to 120 s after it answered"), "{text}");
    let unasked = said(&checked(["--server", &lazy.address, "--replicas", "1"].map(str::to_owned).to_vec()).await);
    assert!(unasked.contains("disk    not known"), "{unasked}");

    // It was made with one replica.
    let three = checked(["--server", &lazy.address].map(str::to_owned).to_vec()).await;
    assert_eq!(three.status.code(), Some(1), "{three:?}");
    let text = said(&three);
    assert!(
        text.contains("result  a journal must not rest on these servers")
            && text.contains("num_replicas is 1 and has to be 3"),
        "{text}"
    );
}

#[tokio::test]
async fn servers_are_tried_out_as_the_settings_name_them_and_flags_lie_over_them() {
    let nats = Nats::alone("").await;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("offhook.toml");
    let text = format!("[cluster]\nservers = [\"{}\"]\nname = \"desk\"\nreplicas = 1\n", nats.address);
    std::fs::write(&file, text).expect("a file");
    let config = ["--config".to_owned(), file.display().to_string()];
    let by_file = checked(config.to_vec()).await;
    assert!(by_file.status.success(), "{by_file:?}");
    assert!(said(&by_file).contains("stream  DESK_JOURNAL is as it has to be: 1 replicas"), "{by_file:?}");
    let over = checked([&config[..], &["--name".to_owned(), "other".to_owned()]].concat()).await;
    assert!(said(&over).contains("stream  OTHER_JOURNAL is as it has to be: 1 replicas"), "{over:?}");

    let nowhere = checked(Vec::new()).await;
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("cluster.servers is empty"), "{nowhere:?}");
    let wrong = checked(["--set", "cluster.name=a.b"].map(str::to_owned).to_vec()).await;
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("cluster.name = \"a.b\""), "{wrong:?}");
}

#[test]
fn a_server_that_is_too_old_is_refused_by_its_version() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("nats://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let info = "INFO {\"server_id\":\"old\",\"server_name\":\"old\",\"version\":\"2.9.10\",\"proto\":1,\"headers\":true,\
                        \"max_payload\":1048576,\"jetstream\":true}\r\n";
            stream.write_all(info.as_bytes()).expect("it is heard");
            let mut lines = BufReader::new(stream.try_clone().expect("the same")).lines();
            while let Some(Ok(line)) = lines.next() {
                if line == "PING" {
                    stream.write_all(b"PONG\r\n").expect("it is heard");
                }
            }
        }
    });
    let old = check(&["--server", &address]);
    assert_eq!(old.status.code(), Some(1), "{old:?}");
    assert!(
        said(&old).contains("the server old is NATS 2.9.10, which lets several writers win; use 2.10 or later"),
        "{old:?}"
    );
}

#[test]
fn where_nobody_answers_that_is_said() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let nobody = check(&["--server", &format!("nats://{closed}")]);
    assert_eq!(nobody.status.code(), Some(2), "{nobody:?}");
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("no server answers at nats://"), "{nobody:?}");
    let name = check(&["--server", "nats://127.0.0.1:1", "--name", "a.b"]);
    assert_eq!(name.status.code(), Some(2), "{name:?}");
    assert!(String::from_utf8_lossy(&name.stderr).contains("letters, digits, hyphens and underscores"), "{name:?}");
}
