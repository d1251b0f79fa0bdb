//! A SQLite VFS for tests that breaks the disk on demand: full, failing, or not syncing.
//!
//! It opens files with the default VFS and then puts its own `xWrite` and `xSync` in front of the real ones. Faults
//! belong to a directory, so that tests run beside each other.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use rusqlite::ffi;

pub const NAME: &str = "offhook-faults";
const NAME_C: &CStr = c"offhook-faults";

/// What is broken in one directory. Codes are SQLite's; 0 is none.
#[derive(Default)]
pub struct Faults {
    pub write: AtomicI32,
    pub sync: AtomicI32,
    /// Writing says that the disk is full for as long as this file is there.
    pub full_while: Mutex<Option<PathBuf>>,
}

#[derive(Default)]
struct Known {
    by_dir: HashMap<PathBuf, Arc<Faults>>,
    by_file: HashMap<usize, Arc<Faults>>,
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
static REAL: OnceLock<Real> = OnceLock::new();

struct Real {
    vfs: usize,
    methods: OnceLock<(&'static ffi::sqlite3_io_methods, &'static ffi::sqlite3_io_methods)>,
}

/// Registers the VFS, once, and gives the switch for one directory.
pub fn break_in(dir: &Path) -> Arc<Faults> {
    REAL.get_or_init(|| {
        // SAFETY: asks for the default VFS, which lives as long as the process, and registers a copy of it
        // that is never freed.
        unsafe {
            let real = ffi::sqlite3_vfs_find(std::ptr::null());
            let mut ours = *real;
            ours.zName = NAME_C.as_ptr();
            ours.pNext = std::ptr::null_mut();
            ours.xOpen = Some(open);
            ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 0);
            Real { vfs: real as usize, methods: OnceLock::new() }
        }
    });
    let faults = Arc::new(Faults::default());
    let dir = dir.canonicalize().unwrap();
    KNOWN.lock().unwrap().by_dir.insert(dir, Arc::clone(&faults));
    faults
}

fn real_methods() -> &'static ffi::sqlite3_io_methods {
    REAL.get().and_then(|real| real.methods.get()).unwrap().0
}

fn faults_of(file: *mut ffi::sqlite3_file) -> Option<Arc<Faults>> {
    KNOWN.lock().unwrap().by_file.get(&(file as usize)).cloned()
}

unsafe extern "C" fn open(
    _ours: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let real = REAL.get().unwrap();
    let vfs = real.vfs as *mut ffi::sqlite3_vfs;
    // SAFETY: passes SQLite's own arguments on to the VFS that they are meant for.
    unsafe {
        let code = (*vfs).xOpen.unwrap()(vfs, name, file, flags, out_flags);
        if code != ffi::SQLITE_OK || name.is_null() || (*file).pMethods.is_null() {
            return code;
        }
        let path = Path::new(OsStr::from_bytes(CStr::from_ptr(name).to_bytes()));
        let mut known = KNOWN.lock().unwrap();
        let faults = path.parent().and_then(|dir| known.by_dir.get(dir)).cloned();
        if let Some(faults) = faults {
            let original: &'static ffi::sqlite3_io_methods = &*(*file).pMethods;
            let (_, patched) = real.methods.get_or_init(|| {
                let mut patched = *original;
                patched.xWrite = Some(write);
                patched.xSync = Some(sync);
                patched.xClose = Some(close);
                (original, Box::leak(Box::new(patched)))
            });
            (*file).pMethods = *patched;
            known.by_file.insert(file as usize, faults);
        }
        code
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    KNOWN.lock().unwrap().by_file.remove(&(file as usize));
    // SAFETY: the file was opened by the real VFS.
    unsafe { real_methods().xClose.unwrap()(file) }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, bytes: *const c_void, count: c_int, offset: i64) -> c_int {
    if let Some(faults) = faults_of(file) {
        let full = faults.full_while.lock().unwrap();
        if full.as_ref().is_some_and(|path| path.exists()) {
            return ffi::SQLITE_FULL;
        }
        match faults.write.load(Ordering::SeqCst) {
            ffi::SQLITE_OK => {}
            code => return code,
        }
    }
    // SAFETY: as above.
    unsafe { real_methods().xWrite.unwrap()(file, bytes, count, offset) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    if let Some(faults) = faults_of(file) {
        match faults.sync.load(Ordering::SeqCst) {
            ffi::SQLITE_OK => {}
            code => return code,
        }
    }
    // SAFETY: as above.
    unsafe { real_methods().xSync.unwrap()(file, flags) }
}
