//! The process: its allocator, and the way into the command line.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// jemalloc reads this before `main`, as `const char *_rjem_malloc_conf`; `_RJEM_MALLOC_CONF` in the environment wins over it.
/// A background thread gives dirty pages back after 0.2 s, so that memory falls again after a burst: with 1 s, what 15,000
/// handshakes had freed while everybody came back stood beside what they held. Two arenas: each keeps its own free pages,
/// and eight of them keep four times as much; thread caches keep threads apart. These are small: what lies in them counts as allocated,
/// and offers are no slower by it.
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
pub static MALLOC_CONF: Option<&'static std::ffi::c_char> = {
    const CONF: &std::ffi::CStr = c"background_thread:true,dirty_decay_ms:200,muzzy_decay_ms:0,narenas:2,\
        tcache_nslots_small_max:20,tcache_nslots_large:2,lg_tcache_max:12";
    // SAFETY: the text is 'static and ends with a zero; only its first character is borrowed in Rust.
    Some(unsafe { &*CONF.as_ptr() })
};

fn main() -> ExitCode {
    offhook::cli::run()
}
