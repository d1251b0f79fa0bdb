//! What this binary was built from, as `config/release/build.rs` found it.

pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// 40 hexadecimal digits, or `unknown`.
pub const COMMIT: &str = env!("OFFHOOK_BUILD_COMMIT");
/// Whether the source was as that commit has it: `clean`, `modified` or `unknown`.
pub const TREE: &str = env!("OFFHOOK_BUILD_TREE");
pub const TARGET: &str = env!("OFFHOOK_BUILD_TARGET");
/// `release` or `debug`.
pub const PROFILE: &str = env!("OFFHOOK_BUILD_PROFILE");
pub const OPT_LEVEL: &str = env!("OFFHOOK_BUILD_OPT_LEVEL");
/// The compiler's version, commit and date.
pub const RUSTC: &str = env!("OFFHOOK_BUILD_RUSTC");
/// The source's own time in seconds since 1970, or nothing. Never the time of the build.
pub const SOURCE_DATE: &str = env!("OFFHOOK_BUILD_SOURCE_DATE");
