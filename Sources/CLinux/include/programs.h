// What a third-party program of a lab sees of the host. Swift's Glibc module has no mount flags, no mount_setattr and
// no seccomp.
#pragma once

/// Covers a folder with an empty one in memory. Returns 0 or errno.
int cl_cover(const char *path, int mode);
/// Makes the folder behind an open descriptor appear at a path, with all that is mounted below it. Returns 0 or errno.
int cl_bind_descriptor(int folder, const char *path);
/// Makes every mount below `/` read-only for the calling process's mount namespace. Returns 0 or errno.
int cl_make_everything_read_only(void);
/// Makes one mount writable again. Returns 0 or errno.
int cl_make_writable(const char *path);
/// open(2) of a folder with O_PATH. Returns a descriptor or -errno.
int cl_open_folder(const char *path);

/// From now on, in this process and its children, the system calls that change users, groups and owners of files
/// report success and do nothing: what a daemon needs that gives up root where only one user exists.
/// Returns 0 or errno.
int cl_pretend_user_changes(void);
