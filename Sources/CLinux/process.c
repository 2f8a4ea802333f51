#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

const int cl_new_user = CLONE_NEWUSER, cl_new_pid = CLONE_NEWPID, cl_new_net = CLONE_NEWNET,
          cl_new_mount = CLONE_NEWNS, cl_new_ipc = CLONE_NEWIPC, cl_new_uts = CLONE_NEWUTS;

const int cl_open_only = O_PATH;

enum { most_descriptors = 512 };

struct start {
    const struct cl_spawn *spawn;
    volatile int failure;
};

/// Runs on the parent's memory, on a stack of its own, until it executes: an error is simply left there.
static int begin(void *argument) {
    struct start *start = argument;
    const struct cl_spawn *s = start->spawn;
    int count = s->descriptor_count, moved[most_descriptors];
    if (s->parent_death_signal) prctl(PR_SET_PDEATHSIG, s->parent_death_signal);
    if (s->new_session) setsid();
    if (s->network_namespace >= 0 && setns(s->network_namespace, CLONE_NEWNET) != 0) goto failed;
    // Out of the way first, so that no dup2 overwrites a descriptor that a later one needs.
    for (int i = 0; i < count; i++)
        if ((moved[i] = fcntl(s->descriptors[i], F_DUPFD_CLOEXEC, count)) < 0) goto failed;
    for (int i = 0; i < count; i++)
        if (dup2(moved[i], i) < 0) goto failed;
    if (syscall(SYS_close_range, (unsigned)count, ~0u, 0) != 0) goto failed;
    for (int i = 1; i < NSIG; i++) signal(i, SIG_DFL);  // also those that this process ignores
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(s->path, s->arguments, s->environment);
failed:
    start->failure = errno;
    _exit(127);
}

pid_t cl_spawn_process(const struct cl_spawn *s) {
    _Alignas(16) char stack[32768];
    struct start start = {.spawn = s, .failure = 0};
    if (s->descriptor_count > most_descriptors) return -E2BIG;
    sigset_t all, before;
    sigfillset(&all);
    // A handler that ran in the child would run on the parent's memory.
    sigprocmask(SIG_SETMASK, &all, &before);
    // As vfork, which knows no flags.
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (s->new_pid_namespace ? CLONE_NEWPID : 0);
    pid_t pid = clone(begin, stack + sizeof stack, flags, &start);
    int clone_error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) return -clone_error;
    return start.failure ? -start.failure : pid;
}

int cl_pidfd_open(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

// MEMBARRIER_CMD_GLOBAL is synchronize_rcu (kernel/sched/membarrier.c).
void cl_wait_for_grace_period(void) { syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }

pid_t cl_fork(void) { return fork(); }
int cl_unshare(int flags) { return unshare(flags) == 0 ? 0 : errno; }
int cl_setns(int fd, int type) { return setns(fd, type) == 0 ? 0 : errno; }
int cl_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal) == 0 ? 0 : errno; }
int cl_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : errno; }
void cl_set_process_name(const char *name) { prctl(PR_SET_NAME, name); }

void cl_set_timer_slack(unsigned long nanoseconds) { prctl(PR_SET_TIMERSLACK, nanoseconds); }

int cl_make_mounts_private(void) {
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 0 : errno;
}
int cl_mount_proc(void) {
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 ? 0 : errno;
}

int cl_socket_pair(int pair[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 ? 0 : errno;
}

static int abstract_socket(const char *name, size_t length, struct sockaddr_un *address, socklen_t *size) {
    if (length + 1 > sizeof address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path + 1, name, length);
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int close_failed(int fd) {
    int error = errno;
    close(fd);
    return -error;
}

int cl_listen_abstract(const char *name, size_t length) {
    struct sockaddr_un address;
    socklen_t size;
    int fd = abstract_socket(name, length, &address, &size);
    if (fd < 0) return fd;
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 16) != 0) return close_failed(fd);
    return fd;
}

int cl_connect_abstract_at_once(const char *name, size_t length) {
    struct sockaddr_un address;
    socklen_t size;
    int fd = abstract_socket(name, length, &address, &size);
    if (fd < 0) return fd;
    int flags = fcntl(fd, F_GETFL);
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return close_failed(fd);
    if (connect(fd, (struct sockaddr *)&address, size) != 0) return close_failed(fd);
    fcntl(fd, F_SETFL, flags);
    return fd;
}

int cl_connect_abstract(const char *name, size_t length) {
    struct sockaddr_un address;
    socklen_t size;
    int fd = abstract_socket(name, length, &address, &size);
    if (fd < 0) return fd;
    if (connect(fd, (struct sockaddr *)&address, size) != 0) return close_failed(fd);
    return fd;
}

int cl_connect_path(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    // openat2(2), Linux 5.6, with RESOLVE_NO_SYMLINKS
    struct {
        uint64_t flags, mode, resolve;
    } how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW, .resolve = 4};
    int file = (int)syscall(437, AT_FDCWD, path, &how, sizeof how);
    if (file < 0) return -errno;
    struct stat status;
    int fd = -1, error = 0;
    if (fstat(file, &status) != 0) error = errno;
    else if (!S_ISSOCK(status.st_mode)) error = ENOTSOCK;
    else if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) error = errno;
    if (!error) {
        snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) error = errno;
    }
    close(file);
    if (!error) return fd;
    if (fd >= 0) close(fd);
    return -error;
}

int cl_accept(int fd) {
    int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    return accepted < 0 ? -errno : accepted;
}

int64_t cl_peer_user(int fd) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? (int64_t)peer.uid : -1;
}

// SCM_MAX_FD of the kernel (include/net/scm.h)
enum { most_passed = 253 };

int cl_send_descriptors(int socket, const int *descriptors, int count) {
    if (count < 1 || count > most_passed) return -EINVAL;
    char byte = 0;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int) * most_passed)];
        struct cmsghdr align;
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)count);
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : count;
}

int cl_receive_descriptors(int socket, int *descriptors, int most) {
    if (most < 1 || most > most_passed) return -EINVAL;
    char byte;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int) * most_passed)];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t received;
    do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    if (received == 0) return -ECONNRESET;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        const int *passed = (const int *)CMSG_DATA(header);
        for (int i = 0; i < count; i++) {
            if (i < most) descriptors[i] = passed[i];
            else close(passed[i]);
        }
        return count < most ? count : most;
    }
    return 0;
}

void cl_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int cl_open(const char *path, int flags, int mode) {
    int fd = open(path, flags | O_CLOEXEC, mode);
    return fd < 0 ? -errno : fd;
}

int cl_open_in(int folder, const char *name, int flags, int mode) {
    int fd = openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
    return fd < 0 ? -errno : fd;
}

void cl_close_from(int first) { syscall(SYS_close_range, (unsigned)first, ~0u, 0); }

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

int cl_open_in_root(int root, const char *path, int flags) {
    struct {
        uint64_t flags, mode, resolve;
    } how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = 0x10 /* RESOLVE_IN_ROOT */ | 0x02 /* no magic links */};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd < 0 ? -errno : fd;
}

int cl_lock_file(int fd, int waits) {
    while (flock(fd, LOCK_EX | (waits ? 0 : LOCK_NB)) != 0)
        if (errno != EINTR) return -errno;
    return 0;
}
