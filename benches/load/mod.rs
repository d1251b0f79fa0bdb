//! What the benches share: their arguments, their figures, pacing, and lean clients.

#![allow(dead_code, unused_imports, reason = "each bench uses its own part of this")]

#[path = "../../tests/support/mod.rs"]
pub mod support;

pub mod account;
pub mod arguments;
pub mod come;
pub mod desk;
pub mod disk;
pub mod figures;
pub mod pace;
pub mod past;
pub mod post;
pub mod processors;
pub mod relay;
pub mod scan;
pub mod tls;

/// As the server's own (src/main.rs), so that the baselines that run in this binary are allocated alike.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
pub static MALLOC_CONF: Option<&'static std::ffi::c_char> = {
    const CONF: &std::ffi::CStr = c"background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:2";
    // SAFETY: the text is 'static and ends with a zero; only its first character is borrowed in Rust.
    Some(unsafe { &*CONF.as_ptr() })
};

/// The calling thread, and those that it starts from now on, go before others, if the system allows it: load comes from other
/// machines, and is not late because the server is busy. To be called when the server runs, or it would inherit this.
pub fn go_first() {
    if !renice(-10) {
        eprintln!("the clients may not go before the server: what they are late is counted against it");
    }
}

/// For a server that was started by a thread that goes first.
pub fn go_as_others() {
    renice(0);
}

fn renice(nice: i32) -> bool {
    // SAFETY: no pointers; on Linux 0 names the calling thread alone.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) == 0 }
}

/// The client's runtime: one thread, so that it takes no more of a small machine than it must.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}
