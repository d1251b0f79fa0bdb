/* A wall clock that the test sets: preloaded into the server, it stands between it and the kernel.
 *
 * The control file, which the test writes while the server runs, holds eight bytes: the milliseconds, as a signed number in the
 * machine's own order, by which CLOCK_REALTIME is off. The monotonic clocks are the kernel's: that is what setting a clock is.
 *
 * OFFHOOK_CLOCK_CONTROL    the control file
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

static int64_t *off_ms;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("OFFHOOK_CLOCK_CONTROL");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *mapped = mmap(NULL, sizeof *off_ms, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) abort();
    off_ms = mapped;
    close(fd);
}

static void set_off(struct timespec *at) {
    int64_t off = off_ms ? __atomic_load_n(off_ms, __ATOMIC_RELAXED) : 0;
    int64_t ns = (int64_t)at->tv_nsec + off % 1000 * 1000000;
    at->tv_sec += off / 1000 + (ns < 0 ? -1 : ns >= 1000000000 ? 1 : 0);
    at->tv_nsec = ns < 0 ? ns + 1000000000 : ns >= 1000000000 ? ns - 1000000000 : ns;
}

PUBLIC int clock_gettime(clockid_t clock, struct timespec *at) {
    int result = (int)syscall(SYS_clock_gettime, clock, at);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) set_off(at);
    return result;
}

PUBLIC int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

PUBLIC time_t time(time_t *at) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
