//! The scan that an operator names: shown each file, and believed.

use crate::support::scene::talking;
use crate::support::{Options, Server};
use crate::{picture, stored, upload};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A scanner that answers as its number says; what it was shown is counted. 0: never.
async fn scanner(status: u16, shown: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let shown = shown.clone();
            tokio::spawn(async move {
                let (mut read, mut chunk) = (Vec::new(), [0; 65_536]);
                loop {
                    let text = String::from_utf8_lossy(&read).to_ascii_lowercase();
                    let length = text
                        .split("content-length: ")
                        .nth(1)
                        .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
                    let head = read.windows(4).position(|four| four == b"\r\n\r\n");
                    if let (Some(head), Some(length)) = (head, length)
                        && read.len() >= head + 4 + length
                    {
                        assert!(
                            text.contains("x-file-name: a%20b.png\r\n") && text.contains("content-type: image/png\r\n")
                        );
                        assert_eq!(read[head + 4..], picture()[..]);
                        shown.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                    match stream.read(&mut chunk).await {
                        Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
                        _ => return,
                    }
                }
                if status > 0 {
                    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
                    let _ = stream.write_all(answer.as_bytes()).await;
                } else {
                    let _ = stream.read(&mut chunk).await;
                }
            });
        }
    });
    format!("http://{address}/scan")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_is_shown_to_the_scan_and_kept_when_that_says_so() {
    for (status, answered, code) in [
        (200, 201, ""),
        (403, 422, "file_refused"),
        (422, 422, "file_refused"),
        (500, 503, "unavailable"),
        (0, 503, "unavailable"),
    ] {
        let shown = Arc::new(AtomicUsize::new(0));
        let url = scanner(status, shown.clone()).await;
        let options = Options::default().without_rate_limits();
        let server = Server::start(&options.set(&format!("files.scan_url={url}")).set("files.scan_timeout_ms=2000"));
        let (_ada, zoe) = talking(&server, "ada").await;
        let answer = upload(&server, &zoe, "a%20b.png", &picture()).await;
        assert_eq!((answer.status, shown.load(Ordering::SeqCst)), (answered, 1), "{status}: {}", answer.text());
        assert_eq!(stored(&server).len(), usize::from(status == 200));
        if status != 200 {
            assert_eq!(answer.json()["code"], code);
        }
    }
    // Nobody there: nothing is taken, and everything else goes on.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Server::start(&Options::default().set(&format!("files.scan_url=http://{nobody}/")));
    let (_ada, mut zoe) = talking(&server, "ada").await;
    assert_eq!(upload(&server, &zoe, "a.png", &picture()).await.json()["code"], "unavailable");
    assert!(stored(&server).is_empty());
    assert_eq!(server.metric(r#"offhook_files_scanned_total{result="unknown"}"#).await, 1.0);
    zoe.post("still here").await;
}
