//! What stands between a node and a server of NATS, and can stand still: then no byte goes either way, and no connection ends.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    flows: watch::Sender<bool>,
    resets: watch::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// In front of this address, whether or not anybody listens there yet.
    pub async fn to(address: &str) -> Self {
        let to: SocketAddr = address.parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("its address");
        let (flows, flowing) = watch::channel(true);
        let resets = watch::Sender::new(());
        let reset = resets.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, to, flowing.clone(), reset.subscribe()));
            }
        });
        Self { address, flows, resets, accepting }
    }

    /// From now on nothing comes through. What is sent waits, as do new connections.
    pub fn stall(&self) {
        self.flows.send_replace(false);
    }

    /// Ends the connections that there are, with what waits in them.
    #[allow(dead_code, reason = "not everybody does")]
    pub fn reset(&self) {
        self.resets.send_replace(());
    }

    /// What waited comes through, and all the rest.
    pub fn flow(&self) {
        self.flows.send_replace(true);
    }
}

/// Its connections end with it.
impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(client: TcpStream, to: SocketAddr, mut flowing: watch::Receiver<bool>, mut reset: watch::Receiver<()>) {
    if flowing.wait_for(|flows| *flows).await.is_err() {
        return;
    }
    // Nobody there: its client hears so.
    let Ok(server) = TcpStream::connect(to).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let there = copy(from_client, to_server, flowing.clone());
    let back = copy(from_server, to_client, flowing);
    // Where one direction ends so does the other, as when a process is gone.
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = reset.changed() => {}
    }
}

/// Until one of both is gone, or the proxy.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut flowing: watch::Receiver<bool>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read.unwrap_or(0),
            // Its sender alone is gone: the proxy.
            _ = flowing.wait_for(|_| false) => 0,
        };
        if read == 0 || flowing.wait_for(|flows| *flows).await.is_err() || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::within;

    #[tokio::test]
    async fn what_is_sent_while_it_stands_still_arrives_when_it_goes_on() {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let proxy = Proxy::to(&server.local_addr().expect("its address").to_string()).await;
        let mut client = TcpStream::connect(proxy.address).await.expect("it listens");
        let (mut served, _) = within("a connection", server.accept()).await.expect("a connection");
        let mut bytes = [0; 2];
        client.write_all(b"ab").await.expect("it is taken");
        within("two bytes", served.read_exact(&mut bytes)).await.expect("two bytes");
        assert_eq!(&bytes, b"ab");

        proxy.stall();
        client.write_all(b"cd").await.expect("it is taken");
        served.write_all(b"ef").await.expect("it is taken");
        let _late = TcpStream::connect(proxy.address).await.expect("it is let in, and waits");
        // That nothing comes is seen by what comes afterwards: the late connection too is only made then.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(served.try_read(&mut bytes).is_err() && client.try_read(&mut bytes).is_err());
        proxy.flow();
        within("two bytes", served.read_exact(&mut bytes)).await.expect("two bytes");
        assert_eq!(&bytes, b"cd");
        within("two bytes", client.read_exact(&mut bytes)).await.expect("two bytes");
        assert_eq!(&bytes, b"ef");
        within("the late connection", server.accept()).await.expect("a connection");

        drop(client);
        assert_eq!(within("its end", served.read(&mut bytes)).await.expect("an end"), 0);
    }

    #[tokio::test]
    async fn with_the_proxy_its_connections_end() {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let proxy = Proxy::to(&server.local_addr().expect("its address").to_string()).await;
        let mut client = TcpStream::connect(proxy.address).await.expect("it listens");
        let _served = within("a connection", server.accept()).await.expect("a connection");
        drop(proxy);
        assert_eq!(within("its end", client.read(&mut [0; 1])).await.expect("an end"), 0);
    }
}
