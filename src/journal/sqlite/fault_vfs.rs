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
    by_file: HashMap<usize, (Arc<Faults>, Methods)>,
    /// The patched table for each real one: main files and WALs have different ones.
    patched: HashMap<usize, Methods>,
}

type Methods = &'static ffi::sqlite3_io_methods;

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
/// The address of the default VFS.
static REAL: OnceLock<usize> = OnceLock::new();

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
            real as usize
        }
    });
    let faults = Arc::new(Faults::default());
    let dir = dir.canonicalize().unwrap();
    KNOWN.lock().unwrap().by_dir.insert(dir, Arc::clone(&faults));
    faults
}

fn of(file: *mut ffi::sqlite3_file) -> (Arc<Faults>, Methods) {
    KNOWN.lock().unwrap().by_file[&(file as usize)].clone()
}

unsafe extern "C" fn open(
    _ours: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let vfs = *REAL.get().unwrap() as *mut ffi::sqlite3_vfs;
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
            let original: Methods = &*(*file).pMethods;
            let address = std::ptr::from_ref(original) as usize;
            let patched = *known.patched.entry(address).or_insert_with(|| {
                let mut patched = *original;
                patched.xWrite = Some(write);
                patched.xSync = Some(sync);
                patched.xClose = Some(close);
                Box::leak(Box::new(patched))
            });
            (*file).pMethods = patched;
            known.by_file.insert(file as usize, (faults, original));
        }
        code
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let (_, real) = of(file);
    KNOWN.lock().unwrap().by_file.remove(&(file as usize));
    // SAFETY: the file was opened by the real VFS, with these methods.
    unsafe { real.xClose.unwrap()(file) }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, bytes: *const c_void, count: c_int, offset: i64) -> c_int {
    let (faults, real) = of(file);
    let full = faults.full_while.lock().unwrap();
    if full.as_ref().is_some_and(|path| path.exists()) {
        return ffi::SQLITE_FULL;
    }
    drop(full);
    match faults.write.load(Ordering::SeqCst) {
        // SAFETY: as above.
        ffi::SQLITE_OK => unsafe { real.xWrite.unwrap()(file, bytes, count, offset) },
        code => code,
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let (faults, real) = of(file);
    match faults.sync.load(Ordering::SeqCst) {
        // SAFETY: as above.
        ffi::SQLITE_OK => unsafe { real.xSync.unwrap()(file, flags) },
        code => code,
    }
}
