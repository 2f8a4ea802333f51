// Swift's Glibc module does not export <sys/epoll.h>, <sys/signalfd.h> and <sys/eventfd.h> on every distribution,
// and sigset_t is opaque to it.
#pragma once
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static inline int cl_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int cl_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, operation, fd, &event);
}

/// Waits for events; a negative timeout waits for ever. Nanoseconds, because epoll_wait's milliseconds are too coarse
/// for timers of 5 ms heartbeats.
static inline int cl_epoll_wait(int epoll, struct epoll_event *events, int most, int64_t timeout_nanoseconds) {
    struct timespec t = {timeout_nanoseconds / 1000000000, timeout_nanoseconds % 1000000000};
    int count = epoll_pwait2(epoll, events, most, timeout_nanoseconds < 0 ? NULL : &t, NULL);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    // Kernels before 5.11, and seccomp profiles that do not know it: milliseconds, rounded up.
    int64_t milliseconds = timeout_nanoseconds < 0 ? -1 : (timeout_nanoseconds + 999999) / 1000000;
    return epoll_wait(epoll, events, most, milliseconds > 3600000 ? 3600000 : (int)milliseconds);
}

static inline uint64_t cl_epoll_token(const struct epoll_event *event) { return event->data.u64; }

static inline int cl_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

/// Blocks the given signals for the calling thread and returns a descriptor that delivers them.
static inline int cl_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) {
        // Ignored by a parent, a signal stays ignored in what it executes, and is never delivered.
        signal(signals[i], SIG_DFL);
        sigaddset(&set, signals[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/// The number of the next signal that the descriptor holds, 0 if there is none.
static inline int cl_signalfd_next(int fd) {
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

/// A program that is started inherits the mask; it must not start with signals blocked.
static inline void cl_unblock_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
