//! What the benches share: their arguments, their figures, pacing, and lean clients.

#![allow(dead_code, unused_imports, reason = "each bench uses its own part of this")]

#[path = "../../tests/support/mod.rs"]
pub mod support;

pub mod account;
pub mod arguments;
pub mod desk;
pub mod disk;
pub mod figures;
pub mod pace;
pub mod past;
pub mod post;
pub mod relay;
pub mod scan;

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

/// The client's runtime: one thread, so that it takes no more of a small machine than it must.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}
