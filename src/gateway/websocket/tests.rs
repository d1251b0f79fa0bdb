//! The protocol by hand-made frames, and against tungstenite as the client.

use super::*;
use futures_util::{SinkExt, StreamExt};
use std::future::poll_fn;
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, protocol::Role};

const MAX: usize = 64 * 1024;

/// A client's frame, masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        middle @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    let mask = [0x12, 0xf4, 0x56, 0x78];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Everything that comes out of these bytes, up to the end or the fault.
async fn read(bytes: &[u8], chunk_bytes: usize) -> (Vec<Message>, Broken) {
    let (mut client, server) = tokio::io::duplex(MAX * 4);
    let mut socket = Socket::new(server, &[], MAX);
    for chunk in bytes.chunks(chunk_bytes) {
        client.write_all(chunk).await.unwrap();
    }
    drop(client);
    let mut messages = Vec::new();
    loop {
        match poll_fn(|cx| socket.poll_message(cx)).await {
            Ok(message) => messages.push(message),
            Err(broken) => return (messages, broken),
        }
    }
}

#[tokio::test]
async fn messages_come_whole_however_the_bytes_are_cut() {
    let mut bytes = frame(0x81, "héllo".as_bytes());
    bytes.extend(frame(0x01, &"é".as_bytes()[..1]));
    bytes.extend(frame(0x89, b"are you there"));
    bytes.extend(frame(0x00, &"é".as_bytes()[1..]));
    bytes.extend(frame(0x80, b"!"));
    bytes.extend(frame(0x8a, b""));
    bytes.extend(frame(0x81, &vec![b'x'; MAX]));
    bytes.extend(frame(0x88, &[0x03, 0xe8]));
    for chunk_bytes in [1, 3, 7, 4096, 1 << 20] {
        let (messages, end) = read(&bytes, chunk_bytes).await;
        assert!(matches!(end, Broken::Gone));
        let expected = [
            Message::Text("héllo".into()),
            Message::Ping,
            Message::Text("é!".into()),
            Message::Pong,
            Message::Text("x".repeat(MAX)),
            Message::Close(Some(1000)),
        ];
        assert_eq!(messages, expected);
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_reading() {
    let unmasked = vec![0x81, 0x01, b'x'];
    let claims_much = [&[0x81, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
    let in_parts = [frame(0x01, &vec![b'x'; MAX]), frame(0x80, b"x")].concat();
    type Is = fn(&Broken) -> bool;
    let cases: [(Vec<u8>, Is); 15] = [
        (unmasked, |b| matches!(b, Broken::Protocol(_))),
        (frame(0xc1, b"x"), |b| matches!(b, Broken::Protocol(_))),
        (frame(0x83, b"x"), |b| matches!(b, Broken::Protocol(_))),
        (frame(0x8b, b"x"), |b| matches!(b, Broken::Protocol(_))),
        (frame(0x09, b"x"), |b| matches!(b, Broken::Protocol(_))),
        (frame(0x89, &[0; 126]), |b| matches!(b, Broken::Protocol(_))),
        (frame(0x80, b"x"), |b| matches!(b, Broken::Protocol(_))),
        ([frame(0x01, b"x"), frame(0x81, b"x")].concat(), |b| matches!(b, Broken::Protocol(_))),
        (frame(0x88, &[3]), |b| matches!(b, Broken::Protocol(_))),
        (frame(0x88, &[0x03, 0xed]), |b| matches!(b, Broken::Protocol(_))),
        (frame(0x81, b"\xff"), |b| matches!(b, Broken::NotUtf8)),
        (frame(0x88, &[0x03, 0xe8, 0xff]), |b| matches!(b, Broken::NotUtf8)),
        (frame(0x81, &vec![b'x'; MAX + 1]), |b| matches!(b, Broken::TooLarge)),
        (claims_much, |b| matches!(b, Broken::TooLarge)),
        (in_parts, |b| matches!(b, Broken::TooLarge)),
    ];
    for (bytes, expected) in cases {
        let (messages, broken) = read(&bytes, 4096).await;
        assert!(messages.is_empty() && expected(&broken), "{:x?}: {broken:?}", &bytes[..bytes.len().min(16)]);
    }
}

#[tokio::test]
async fn a_binary_frame_is_told_before_the_rest_of_it_comes() {
    let (messages, _) = read(&frame(0x02, b"first part"), 4096).await;
    assert_eq!(messages, [Message::Binary]);
}

async fn pair() -> (WebSocketStream<DuplexStream>, Socket<DuplexStream>) {
    let (client, server) = tokio::io::duplex(256);
    (WebSocketStream::from_raw_socket(client, Role::Client, None).await, Socket::new(server, &[], MAX))
}

#[tokio::test]
async fn a_stranger_understands_what_is_sent_and_the_close() {
    let (mut client, mut socket) = pair().await;
    let texts =
        ["", "x", &"y".repeat(125), &"é".repeat(63), &"z".repeat(65_535), &"w".repeat(65_536)].map(str::to_owned);
    let sent = texts.clone();
    let server = tokio::spawn(async move {
        for text in sent {
            socket.send_text(text.into());
            poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
        }
        socket.send_ping();
        assert_eq!(
            poll_fn(|cx| {
                let _ = socket.poll_flush(cx);
                socket.poll_message(cx)
            })
            .await
            .unwrap(),
            Message::Pong
        );
        socket.close(4201, "too_slow".into()).await;
    });
    for text in texts {
        assert_eq!(client.next().await.unwrap().unwrap(), tungstenite::Message::text(text));
    }
    assert!(client.next().await.unwrap().unwrap().is_ping());
    let tungstenite::Message::Close(Some(close)) = client.next().await.unwrap().unwrap() else { panic!("no close") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (4201, "too_slow"));
    assert!(client.next().await.is_none());
    server.await.unwrap();
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload() {
    let (mut client, mut socket) = pair().await;
    client.send(tungstenite::Message::Ping("42".into())).await.unwrap();
    assert_eq!(poll_fn(|cx| socket.poll_message(cx)).await.unwrap(), Message::Ping);
    assert!(socket.take_heard() && !socket.take_heard());
    poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), tungstenite::Message::Pong("42".into()));
}

#[tokio::test]
async fn after_a_burst_nothing_is_kept() {
    let (mut client, server) = tokio::io::duplex(MAX * 2);
    let mut socket = Socket::new(server, &[], MAX);
    client.write_all(&frame(0x81, &vec![b'x'; 60_000])).await.unwrap();
    client.write_all(&[frame(0x81, b"a"), frame(0x81, b"b")].concat()).await.unwrap();
    for _ in 0..3 {
        poll_fn(|cx| socket.poll_message(cx)).await.unwrap();
        socket.send_text("y".repeat(1_000).into());
        poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
    }
    assert_eq!(socket.inbound.allocated_bytes(), 0);
    assert!(socket.outbound.is_none());
}

/// The same numbers in every run (xorshift).
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed), |x| {
        let x = x ^ (x << 13);
        let x = x ^ (x >> 7);
        Some(x ^ (x << 17))
    })
    .skip(1)
}

#[test]
fn no_bytes_whatever_break_the_reader_or_make_it_keep_more_than_was_sent() {
    for seed in 1..3_000 {
        let mut inbound = Inbound::new(&[], 1_000);
        let mut pong = None;
        let mut sent_bytes = 0;
        let mut numbers = noise(seed);
        let mut number = || numbers.next().unwrap() as usize;
        'connection: for _ in 0..20 {
            let payload = vec![number() as u8; number() % 300];
            let mut bytes = frame(
                if number() % 4 == 0 { number() as u8 } else { [0x81, 0x01, 0x00, 0x80, 0x89][number() % 5] },
                &payload,
            );
            if number() % 4 == 0 {
                let place = number() % bytes.len();
                bytes[place] ^= 1 << (number() % 8);
            }
            for chunk in bytes.chunks(1 + number() % 40) {
                inbound.take_in(chunk);
                sent_bytes += chunk.len();
                loop {
                    match inbound.next(&mut pong) {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => break 'connection,
                    }
                }
                assert!(inbound.allocated_bytes() <= 2 * sent_bytes + 64, "seed {seed}");
            }
        }
    }
}
