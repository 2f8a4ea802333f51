// Starting processes inside namespaces. Swift's Glibc module exports neither unshare, setns, prctl nor clone flags
// (they need _GNU_SOURCE or are variadic), and code between vfork and exec must not run Swift's runtime.
#pragma once
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Where a new process begins.
struct cl_spawn {
    const char *path;
    char *const *arguments;
    char *const *environment;
    /// The child's descriptors 0 … count-1 in order; every other descriptor is closed in it.
    const int *descriptors;
    int descriptor_count;
    /// Network namespace that the child enters before it executes; -1 to stay.
    int network_namespace;
    /// Non-zero: the child leads a session of its own, out of reach of the terminal's signals.
    int new_session;
    /// Non-zero: the child is the first process of a PID namespace of its own: with it ends all that it started.
    int new_pid_namespace;
    /// Signal that the child gets when its parent's thread ends; 0 for none.
    int parent_death_signal;
};

/// Starts a process; blocks until it executes or has failed to.
/// Returns its PID, or -errno.
pid_t cl_spawn_process(const struct cl_spawn *spawn);

/// fork(), which Swift declares unavailable. Only for a process with one thread.
pid_t cl_fork(void);

/// A descriptor that becomes readable when the process ends. Returns it or -errno.
int cl_pidfd_open(pid_t pid);

/// Waits until the kernel has freed what it frees after a grace period of RCU, some 10 ms.
void cl_wait_for_grace_period(void);

/// Leaves the namespaces that are named by CLONE_NEW… flags. Returns 0 or errno.
int cl_unshare(int flags);
/// Enters a namespace; type 0 accepts any kind. Returns 0 or errno.
int cl_setns(int fd, int type);

extern const int cl_new_user, cl_new_pid, cl_new_net, cl_new_mount, cl_new_ipc, cl_new_uts;

/// Asks the kernel to send this process a signal when its parent ends. Returns 0 or errno.
int cl_set_parent_death_signal(int signal);
/// Descendants whose parent ends become this process's children instead of init's. Returns 0 or errno.
int cl_adopt_orphans(void);
/// Name in `ps` and in the logs, at most 15 bytes.
void cl_set_process_name(const char *name);

/// How late the kernel may wake this process for a timer, to save power: 50 µs unless told otherwise.
void cl_set_timer_slack(unsigned long nanoseconds);

/// mount(2) with flags by name; returns 0 or errno.
int cl_make_mounts_private(void);
int cl_mount_proc(void);

/// A connected pair of stream sockets, closed on exec. Returns 0 or errno.
int cl_socket_pair(int pair[2]);
/// A listening, or connected, stream socket on an abstract address: a name that is no file and ends with its socket.
/// Returns a descriptor or -errno.
int cl_listen_abstract(const char *name, size_t length);
int cl_connect_abstract(const char *name, size_t length);
/// The same without waiting: -EAGAIN where the listener's queue is full.
int cl_connect_abstract_at_once(const char *name, size_t length);
/// A stream socket connected to the Unix socket at a path, in which no symbolic link is followed: whoever may write
/// there cannot lead elsewhere. Returns a descriptor or -errno.
int cl_connect_path(const char *path);
int cl_accept(int fd);
/// The user of the peer of a Unix socket, as this process's user namespace sees it; -1 on failure.
int64_t cl_peer_user(int fd);

/// Sends one byte with descriptors attached, or receives them. Returns how many were passed, or -errno.
int cl_send_descriptors(int socket, const int *descriptors, int count);
int cl_receive_descriptors(int socket, int *descriptors, int most);

/// Raises the soft limit of open descriptors to the hard limit.
void cl_raise_descriptor_limit(void);

/// open(2) with O_CLOEXEC, which Swift sees only as a variadic function. Returns a descriptor or -errno.
int cl_open(const char *path, int flags, int mode);
/// openat(2) with O_CLOEXEC and O_NOFOLLOW. Returns a descriptor or -errno.
int cl_open_in(int folder, const char *name, int flags, int mode);
/// openat2(2) with O_CLOEXEC of a path below a folder as if that were the root: no symbolic link on the way leads out
/// of it. Returns a descriptor or -errno. Source: openat2(2), RESOLVE_IN_ROOT
int cl_open_in_root(int root, const char *path, int flags);
/// A descriptor that stands for a file without opening it (O_PATH).
extern const int cl_open_only;
/// An exclusive lock of an open file, which ends with its descriptor; -EWOULDBLOCK where it would wait and shall not.
/// Returns 0 or -errno.
int cl_lock_file(int fd, int waits);
/// Closes every descriptor from a number on.
void cl_close_from(int first);
