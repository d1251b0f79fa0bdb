/* A disk that is as bad as the test wants: preloaded into the server, it stands between SQLite and the kernel.
 *
 * 1. It forgets. Every write under the data directory first notes what was there before in an undo log; fsync and fdatasync
 *    note that the file is safe. The next start takes back, last first, what no sync has made safe. So a kill -9 and a start
 *    are a power cut: files hold exactly what was synced, and (OFFHOOK_DISK_KEEP_PERMILLE) a part of what came after.
 * 2. It fails. The first byte of the control file, which the test writes while the server runs, says how:
 *      f  full: a file grows only by what unlinking and truncating gave back (ENOSPC)
 *      r  read-only (EROFS)      w  writes fail (EIO)      s  syncs fail (EIO)      h  syncs hang
 *      l  syncs take 1.5 s longer
 *
 * OFFHOOK_DISK_DIR    the directory that is covered; everything else passes
 * OFFHOOK_DISK_STATE  where `undo` and `control` are; `control` has 64 bytes
 * OFFHOOK_DISK_UNDO   1: keep the undo log, and take it back at start
 * OFFHOOK_DISK_LIE    a suffix; syncs of files whose name ends so are answered and not done
 *
 * Creating, renaming and deleting files is durable at once: what SQLite and this server do between those and the next sync of the
 * directory is too short to be worth the code. A -shm file is mapped, and rebuilt from the WAL at the first opening.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 65536
#define PUBLIC __attribute__((visibility("default")))

enum kind { OPENED = 1, WRITTEN, SYNCED, FORGOTTEN };

/* One entry of the undo log; `length` bytes follow: a path (OPENED), or what was there (WRITTEN). */
struct entry {
    uint32_t kind;
    uint32_t length;
    uint64_t inode;
    uint64_t offset; /* WRITTEN: where; SYNCED: the length of the log when the sync began */
    uint64_t size;   /* WRITTEN: the size of the file before */
};

static char covered_dir[PATH_MAX];
static size_t covered_dir_length;
static const char *lie_suffix;
static unsigned char *control;
static int undo = -1;
static uint64_t undo_length;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* For each descriptor: 0 not covered, else the inode. And whether its syncs are lies. */
static uint64_t inode_of[FDS_MAX];
static char lies_of[FDS_MAX];
static int64_t freed_bytes;

static int raw_open(const char *path, int flags, mode_t mode) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void give_up(const char *why) {
    dprintf(2, "disk shim: %s: %s\n", why, strerror(errno));
    abort();
}

static char mode(void) { return control ? (char)__atomic_load_n(control, __ATOMIC_RELAXED) : 0; }

static int ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static int is_covered_path(const char *path) {
    return covered_dir_length && strncmp(path, covered_dir, covered_dir_length) == 0 &&
           path[covered_dir_length] == '/' && !ends_with(path, "-shm");
}

static uint64_t covered(int fd) { return fd >= 0 && fd < FDS_MAX ? inode_of[fd] : 0; }

/* The lock is held. */
static void note(uint32_t kind, uint64_t inode, uint64_t offset, uint64_t size, const void *bytes, uint32_t length) {
    if (undo < 0) return;
    struct entry entry = {kind, length, inode, offset, size};
    struct iovec parts[2] = {{&entry, sizeof entry}, {(void *)bytes, length}};
    ssize_t wanted = (ssize_t)(sizeof entry + length);
    if (syscall(SYS_writev, undo, parts, 2) != wanted) give_up("the undo log");
    undo_length += (uint64_t)wanted;
}

/* What is at [offset, offset + length) now, before it is written or cut. The lock is held. */
static void note_before(int fd, uint64_t inode, uint64_t offset, uint64_t length, uint64_t size) {
    if (undo < 0) return;
    uint64_t there = offset >= size ? 0 : (offset + length <= size ? length : size - offset);
    char *bytes = malloc(there ? there : 1);
    if (!bytes) give_up("memory");
    for (uint64_t done = 0; done < there;) {
        ssize_t got = syscall(SYS_pread64, fd, bytes + done, there - done, offset + done);
        if (got <= 0) give_up("reading what was there");
        done += (uint64_t)got;
    }
    note(WRITTEN, inode, offset, size, bytes, (uint32_t)there);
    free(bytes);
}

static uint64_t size_of(int fd) {
    struct stat found;
    if (fstat(fd, &found) != 0) give_up("fstat");
    return (uint64_t)found.st_size;
}

/* ---- taking back what no sync has made safe ---- */

struct file { uint64_t inode, safe_below; char path[PATH_MAX]; int fd; };

static struct file *file_of(struct file **files, size_t *count, uint64_t inode) {
    for (size_t i = 0; i < *count; i++)
        if ((*files)[i].inode == inode) return &(*files)[i];
    *files = realloc(*files, (*count + 1) * sizeof **files);
    if (!*files) give_up("memory");
    struct file *file = &(*files)[(*count)++];
    memset(file, 0, sizeof *file);
    file->inode = inode;
    file->fd = -1;
    return file;
}

static void take_back(const char *log_path, unsigned keep_permille) {
    int log = raw_open(log_path, O_RDONLY | O_CLOEXEC, 0);
    if (log < 0) return;
    uint64_t length = size_of(log);
    if (length == 0) { syscall(SYS_close, log); return; }
    char *bytes = mmap(NULL, length, PROT_READ, MAP_PRIVATE, log, 0);
    if (bytes == MAP_FAILED) give_up("mapping the undo log");
    uint64_t entries = 0, at = 0;
    uint64_t *places = NULL;
    struct file *files = NULL;
    size_t files_count = 0;
    while (at + sizeof(struct entry) <= length) {
        struct entry *entry = (struct entry *)(bytes + at);
        uint64_t next = at + sizeof *entry + entry->length;
        if (next > length) break; /* killed while noting: the write itself never happened */
        if ((entries & (entries + 1)) == 0) {
            places = realloc(places, (2 * entries + 2) * sizeof *places);
            if (!places) give_up("memory");
        }
        places[entries++] = at;
        struct file *file = file_of(&files, &files_count, entry->inode);
        if (entry->kind == OPENED) {
            memcpy(file->path, entry + 1, entry->length);
            file->path[entry->length] = 0;
        }
        if (entry->kind == SYNCED && entry->offset > file->safe_below) file->safe_below = entry->offset;
        if (entry->kind == FORGOTTEN) file->safe_below = next;
        at = next;
    }
    uint64_t loose = 0, kept = 0;
    for (uint64_t i = 0; i < entries; i++) {
        struct entry *entry = (struct entry *)(bytes + places[i]);
        if (entry->kind == WRITTEN && places[i] >= file_of(&files, &files_count, entry->inode)->safe_below) loose++;
    }
    /* The first of them reached the disk by themselves, in order. */
    kept = loose * keep_permille / 1000;
    uint64_t to_take_back = loose - kept, bytes_back = 0, done = 0;
    for (uint64_t i = entries; i-- > 0 && done < to_take_back;) {
        struct entry *entry = (struct entry *)(bytes + places[i]);
        struct file *file = file_of(&files, &files_count, entry->inode);
        if (entry->kind != WRITTEN || places[i] < file->safe_below) continue;
        done++;
        if (file->fd < 0) {
            struct stat found;
            file->fd = raw_open(file->path, O_RDWR | O_CLOEXEC, 0);
            if (file->fd < 0) continue; /* it was deleted */
            if (fstat(file->fd, &found) != 0 || found.st_ino != entry->inode) {
                syscall(SYS_close, file->fd);
                file->fd = -1;
                continue;
            }
        }
        if (entry->length && syscall(SYS_pwrite64, file->fd, entry + 1, entry->length, entry->offset) != entry->length)
            give_up("taking back");
        if (syscall(SYS_ftruncate, file->fd, entry->size) != 0) give_up("taking back a size");
        bytes_back += entry->length;
    }
    dprintf(2, "disk shim: of %llu unsynced writes %llu were forgotten (%llu bytes)\n", (unsigned long long)loose,
            (unsigned long long)done, (unsigned long long)bytes_back);
    for (size_t i = 0; i < files_count; i++)
        if (files[i].fd >= 0) syscall(SYS_close, files[i].fd);
    free(files);
    free(places);
    munmap(bytes, length);
    syscall(SYS_close, log);
}

__attribute__((constructor)) static void begin(void) {
    const char *dir = getenv("OFFHOOK_DISK_DIR"), *state = getenv("OFFHOOK_DISK_STATE");
    if (!dir || !state || strlen(dir) >= sizeof covered_dir) return;
    strcpy(covered_dir, dir);
    covered_dir_length = strlen(dir);
    lie_suffix = getenv("OFFHOOK_DISK_LIE");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/control", state);
    int fd = raw_open(path, O_RDWR | O_CLOEXEC, 0);
    if (fd >= 0) {
        control = mmap(NULL, 64, PROT_READ, MAP_SHARED, fd, 0);
        if (control == MAP_FAILED) give_up("mapping the control file");
        syscall(SYS_close, fd);
    }
    const char *wanted = getenv("OFFHOOK_DISK_UNDO");
    if (!wanted || *wanted != '1') return;
    snprintf(path, sizeof path, "%s/undo", state);
    const char *keep = getenv("OFFHOOK_DISK_KEEP_PERMILLE");
    take_back(path, keep ? (unsigned)atoi(keep) : 0);
    undo = raw_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (undo < 0) give_up("opening the undo log");
}

/* ---- what the server calls ---- */

static int open_covered(const char *path, int flags, mode_t permissions) {
    int writes = (flags & O_ACCMODE) != O_RDONLY;
    if (mode() == 'r' && (writes || flags & O_CREAT)) { errno = EROFS; return -1; }
    pthread_mutex_lock(&lock);
    struct stat before;
    int was_there = stat(path, &before) == 0;
    if (was_there && flags & O_TRUNC && writes && before.st_size > 0) {
        int fd = raw_open(path, O_RDONLY | O_CLOEXEC, 0);
        if (fd >= 0) {
            note(OPENED, before.st_ino, 0, 0, path, (uint32_t)strlen(path));
            note_before(fd, before.st_ino, 0, (uint64_t)before.st_size, (uint64_t)before.st_size);
            syscall(SYS_close, fd);
        }
    }
    int fd = raw_open(path, flags, permissions);
    struct stat found;
    if (fd >= 0 && fd < FDS_MAX && fstat(fd, &found) == 0 && S_ISREG(found.st_mode)) {
        /* The number may have been another file's. */
        if (!was_there) note(FORGOTTEN, found.st_ino, 0, 0, "", 0);
        note(OPENED, found.st_ino, 0, 0, path, (uint32_t)strlen(path));
        inode_of[fd] = found.st_ino;
        lies_of[fd] = lie_suffix && ends_with(path, lie_suffix);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

static int open_any(int dir, const char *path, int flags, mode_t permissions) {
    if (is_covered_path(path)) return open_covered(path, flags, permissions);
    return (int)syscall(SYS_openat, dir, path, flags, permissions);
}

#define PERMISSIONS(flags)                                                                                             \
    mode_t permissions = 0;                                                                                            \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        permissions = va_arg(rest, mode_t);                                                                            \
        va_end(rest);                                                                                                  \
    }

PUBLIC int open(const char *path, int flags, ...) {
    PERMISSIONS(flags)
    return open_any(AT_FDCWD, path, flags, permissions);
}
PUBLIC int open64(const char *path, int flags, ...) {
    PERMISSIONS(flags)
    return open_any(AT_FDCWD, path, flags | O_LARGEFILE, permissions);
}
PUBLIC int openat(int dir, const char *path, int flags, ...) {
    PERMISSIONS(flags)
    return open_any(dir, path, flags, permissions);
}
PUBLIC int openat64(int dir, const char *path, int flags, ...) {
    PERMISSIONS(flags)
    return open_any(dir, path, flags | O_LARGEFILE, permissions);
}

PUBLIC int close(int fd) {
    if (fd >= 0 && fd < FDS_MAX) inode_of[fd] = 0;
    return (int)syscall(SYS_close, fd);
}

/* 0, or the errno of a write that would make the file `end` bytes long. The lock is held. */
static int fault_of_growth(uint64_t size, uint64_t end) {
    switch (mode()) {
    case 'r': return EROFS;
    case 'w': return EIO;
    case 'f':
        if (end <= size) return 0;
        if ((int64_t)(end - size) > freed_bytes) return ENOSPC;
        freed_bytes -= (int64_t)(end - size);
        return 0;
    default: return 0;
    }
}

static ssize_t write_at(int fd, uint64_t inode, const void *bytes, size_t length, uint64_t offset) {
    pthread_mutex_lock(&lock);
    uint64_t size = size_of(fd);
    int fault = fault_of_growth(size, offset + length);
    ssize_t written = -1;
    if (fault) errno = fault;
    else {
        note_before(fd, inode, offset, length, size);
        written = syscall(SYS_pwrite64, fd, bytes, length, offset);
    }
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

PUBLIC ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    uint64_t inode = covered(fd);
    if (!inode) return syscall(SYS_pwrite64, fd, bytes, length, offset);
    return write_at(fd, inode, bytes, length, (uint64_t)offset);
}
PUBLIC ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    return pwrite(fd, bytes, length, offset);
}

PUBLIC ssize_t write(int fd, const void *bytes, size_t length) {
    uint64_t inode = covered(fd);
    if (!inode) return syscall(SYS_write, fd, bytes, length);
    int append = fcntl(fd, F_GETFL) & O_APPEND;
    off_t offset = append ? (off_t)size_of(fd) : lseek(fd, 0, SEEK_CUR);
    ssize_t written = write_at(fd, inode, bytes, length, (uint64_t)offset);
    if (written > 0) lseek(fd, offset + written, SEEK_SET);
    return written;
}

PUBLIC int ftruncate(int fd, off_t length) {
    uint64_t inode = covered(fd);
    if (!inode) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    uint64_t size = size_of(fd), wanted = (uint64_t)length;
    int fault = fault_of_growth(size, wanted), result = -1;
    if (fault) errno = fault;
    else {
        if (wanted < size) {
            note_before(fd, inode, wanted, size - wanted, size);
            if (mode() == 'f') freed_bytes += (int64_t)(size - wanted);
        } else {
            note_before(fd, inode, size, 0, size);
        }
        result = (int)syscall(SYS_ftruncate, fd, length);
    }
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
PUBLIC int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

/* Gives the error, and does not set errno. */
PUBLIC int posix_fallocate(int fd, off_t offset, off_t length) {
    uint64_t inode = covered(fd);
    int fault = 0;
    pthread_mutex_lock(&lock);
    if (inode) {
        uint64_t size = size_of(fd);
        fault = fault_of_growth(size, (uint64_t)(offset + length));
        if (!fault) note_before(fd, inode, size, 0, size);
    }
    if (!fault && syscall(SYS_fallocate, fd, 0, offset, length) != 0) {
        fault = errno;
        if (fault == EOPNOTSUPP && size_of(fd) < (uint64_t)(offset + length))
            fault = syscall(SYS_ftruncate, fd, offset + length) != 0 ? errno : 0;
    }
    pthread_mutex_unlock(&lock);
    return fault;
}
PUBLIC int posix_fallocate64(int fd, off64_t offset, off64_t length) { return posix_fallocate(fd, offset, length); }

static int sync_covered(int fd, uint64_t inode, long call) {
    if (mode() == 's') { errno = EIO; return -1; }
    while (mode() == 'h') usleep(10000);
    for (int waited = 0; mode() == 'l' && waited < 150; waited++) usleep(10000);
    if (lies_of[fd]) return 0;
    pthread_mutex_lock(&lock);
    uint64_t began = undo_length;
    pthread_mutex_unlock(&lock);
    int result = (int)syscall(call, fd);
    if (result == 0) {
        pthread_mutex_lock(&lock);
        note(SYNCED, inode, began, 0, "", 0);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

PUBLIC int fsync(int fd) {
    uint64_t inode = covered(fd);
    return inode ? sync_covered(fd, inode, SYS_fsync) : (int)syscall(SYS_fsync, fd);
}
PUBLIC int fdatasync(int fd) {
    uint64_t inode = covered(fd);
    return inode ? sync_covered(fd, inode, SYS_fdatasync) : (int)syscall(SYS_fdatasync, fd);
}

PUBLIC int unlink(const char *path) {
    if (!is_covered_path(path)) return (int)syscall(SYS_unlink, path);
    if (mode() == 'r') { errno = EROFS; return -1; }
    pthread_mutex_lock(&lock);
    struct stat found;
    int was_there = stat(path, &found) == 0, result = (int)syscall(SYS_unlink, path), error = errno;
    if (result == 0 && was_there) {
        note(FORGOTTEN, found.st_ino, 0, 0, "", 0);
        if (mode() == 'f') freed_bytes += (int64_t)found.st_size;
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

PUBLIC int rename(const char *from, const char *to) {
    int is_covered = is_covered_path(to);
    if (is_covered && mode() == 'r') { errno = EROFS; return -1; }
    struct stat found;
    int known = is_covered && stat(from, &found) == 0;
    int result = (int)syscall(SYS_rename, from, to), error = errno;
    if (result == 0 && known) {
        pthread_mutex_lock(&lock);
        note(OPENED, found.st_ino, 0, 0, to, (uint32_t)strlen(to));
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return result;
}
