// What separates a program of a lab from the host: user namespace, mounts, capabilities, system calls. Swift's Glibc
// module has none of open_tree, move_mount, mount_setattr, pivot_root, capset, prctl and seccomp.
#pragma once
#include <stdint.h>

/// Enters a new user namespace. Its maps are written by a process that stays outside, because a map of more than one
/// ID needs capabilities over the outer namespace.
/// - users, groups: as /proc/<pid>/uid_map has them; where they are refused, `one_user` and `one_group` are tried,
///   which need no capability (user_namespaces(7))
/// Returns 0, 1 where only the maps of one ID were allowed, or -errno.
int cl_new_user_namespace(const char *users, const char *groups, const char *one_user, const char *one_group);

/// Becomes user and group 0 of the own user namespace, without further groups where it may drop them.
/// Returns 0 or errno.
int cl_become_namespace_root(void);

/// Attributes of a mount: MOUNT_ATTR_… of mount_setattr(2).
enum { cl_read_only = 1, cl_no_suid = 2, cl_no_devices = 4, cl_no_exec = 8 };

/// A detached copy of the mount at a path, and where `with_all_below` of those below; of the descriptor itself where
/// the path is empty. A symbolic link at its end is not followed. Returns a descriptor or -errno.
int cl_copy_mounts(int at, const char *path, int with_all_below);
/// Sets attributes of a mount and of all below it. Returns 0 or errno.
int cl_set_attributes(int mount, uint64_t set, uint64_t clear);
/// The same for the one mount at a path.
int cl_set_attributes_at(const char *path, uint64_t set, uint64_t clear);
/// Shows users and groups of a detached mount as a user namespace maps them (an idmapped mount). Returns 0 or errno.
int cl_map_owners(int mount, int user_namespace);
/// Attaches a detached mount. Returns 0 or errno.
int cl_attach_mount(int mount, const char *path);
/// mount(2) of a new file system of a kind, with cl_… attributes. Returns 0 or errno.
int cl_mount_new(const char *kind, const char *path, unsigned attributes, const char *options);
/// Makes a folder the root, and lets go of the old one and of every mount in it. Returns 0 or errno.
int cl_change_root(const char *path);
/// Lets go of a mount of the own namespace at once. Returns 0 or errno.
int cl_let_go_of_mount(const char *path);

/// Keeps the capabilities whose bits are set, for this process and all that it executes. Returns 0 or errno.
int cl_keep_capabilities(uint64_t kept);
/// RLIMIT_NPROC of setrlimit(2), a macro that Swift does not see.
enum { cl_limit_processes = 6 };

/// From now on no program that is executed gains privileges. Returns 0 or errno.
int cl_no_new_privileges(void);
/// No core dumps, no reading of this process's memory by others of its user.
void cl_hide_memory(void);

/// From now on, in this process and its children, system calls that reach beyond a lab fail: mounts, namespaces,
/// tracing, kernel modules, BPF, keys, io_uring, the clock, and input put into a terminal. Calls of another
/// architecture fail as well. Returns 0 or errno.
int cl_forbid_calls(void);

/// From now on, in this process and its children, the system calls that change users, groups and owners of files
/// report success and do nothing: what a daemon needs that gives up root where only one user exists.
/// Returns 0 or errno.
int cl_pretend_user_changes(void);

/// The same of capset(2), for a daemon that asks for capabilities it cannot have, and does without them.
/// Returns 0 or errno.
int cl_pretend_capability_changes(void);

/// Sends SIGCONT and the terminal to a process group. Returns nothing: what has ended needs neither.
void cl_continue_in_foreground(int terminal, int group);
