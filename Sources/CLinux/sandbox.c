#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

// MARK: User namespaces

static int write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    ssize_t length = (ssize_t)strlen(text), count = write(fd, text, (size_t)length);
    int error = count == length ? 0 : count < 0 ? errno : EIO;
    close(fd);
    return error;
}

static int write_for(pid_t pid, const char *file, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    return write_text(path, text);
}

/// Where only one ID may be mapped, groups must be given up for good first (user_namespaces(7)).
static int map_own_id(const char *user, const char *group) {
    int error = write_text("/proc/self/setgroups", "deny");
    if (!error) error = write_text("/proc/self/uid_map", user);
    if (!error) error = write_text("/proc/self/gid_map", group);
    return error;
}

int cl_new_user_namespace(const char *users, const char *groups, const char *one_user, const char *one_group) {
    int pair[2], own, error = 0;
    if (!users) {
        if (unshare(CLONE_NEWUSER) != 0) return -errno;
        error = map_own_id(one_user, one_group);
        return error ? -error : 1;
    }
    // The helper's /proc may be that of an outer PID namespace: it finds this process by a link that it makes itself.
    char number[32];
    ssize_t length = readlink("/proc/self", number, sizeof number - 1);
    if (length < 0) return -errno;
    number[length] = 0;
    if (sscanf(number, "%d", &own) != 1) return -ENOENT;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -errno;
    pid_t helper = fork();
    if (helper < 0) {
        error = errno;
        close(pair[0]), close(pair[1]);
        return -error;
    }
    char byte = 0;
    if (helper == 0) {
        close(pair[0]);
        if (read(pair[1], &byte, 1) == 1) {
            error = write_for(own, "uid_map", users);
            if (!error) error = write_for(own, "gid_map", groups);
            if (write(pair[1], &error, sizeof error) != sizeof error) _exit(1);
        }
        _exit(0);
    }
    close(pair[1]);
    if (unshare(CLONE_NEWUSER) != 0) {
        error = errno;
    } else if (write(pair[0], &byte, 1) != 1 || read(pair[0], &error, sizeof error) != sizeof error) {
        error = EIO;
    } else if (error) {
        int refusal = map_own_id(one_user, one_group);
        error = refusal ? refusal : -1;
    }
    close(pair[0]);
    while (waitpid(helper, NULL, 0) < 0 && errno == EINTR) {}
    return error == -1 ? 1 : -error;
}

int cl_become_namespace_root(void) {
    // Where groups were denied they stay: the kernel lets nobody drop what may be there to forbid.
    if (setgroups(0, NULL) != 0 && errno != EPERM) return errno;
    if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) return errno;
    return 0;
}

// MARK: Mounts

// The C library's declarations are younger than some that this is built with.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
enum { clone_tree = 1, recursive = 0x8000, empty_from_path = 4 };

struct attributes {
    uint64_t set, clear, propagation, user_namespace;
};

int cl_copy_mounts(int at, const char *path, int with_all_below) {
    unsigned flags = clone_tree | O_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    if (with_all_below) flags |= recursive;
    int fd = (int)syscall(SYS_open_tree, at < 0 ? AT_FDCWD : at, path, flags);
    return fd < 0 ? -errno : fd;
}

static int change(int at, const char *path, unsigned flags, struct attributes attributes) {
    return syscall(SYS_mount_setattr, at, path, flags, &attributes, sizeof attributes) == 0 ? 0 : errno;
}

int cl_set_attributes(int mount, uint64_t set, uint64_t clear) {
    return change(mount, "", AT_EMPTY_PATH | recursive, (struct attributes){.set = set, .clear = clear});
}

int cl_set_attributes_at(const char *path, uint64_t set, uint64_t clear) {
    return change(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, (struct attributes){.set = set, .clear = clear});
}

int cl_map_owners(int mount, int user_namespace) {
    struct attributes attributes = {.set = 0x00100000 /* MOUNT_ATTR_IDMAP */,
                                    .user_namespace = (uint64_t)user_namespace};
    return change(mount, "", AT_EMPTY_PATH, attributes);
}

int cl_attach_mount(int mount, const char *path) {
    return syscall(SYS_move_mount, mount, "", AT_FDCWD, path, empty_from_path) == 0 ? 0 : errno;
}

int cl_mount_new(const char *kind, const char *path, unsigned attributes, const char *options) {
    unsigned long flags = (attributes & cl_read_only ? MS_RDONLY : 0) | (attributes & cl_no_suid ? MS_NOSUID : 0) |
                          (attributes & cl_no_devices ? MS_NODEV : 0) | (attributes & cl_no_exec ? MS_NOEXEC : 0);
    return mount(kind, path, kind, flags, options) == 0 ? 0 : errno;
}

int cl_change_root(const char *path) {
    // Old and new root in one place: no folder for the old one has to exist (pivot_root(2)).
    if (chdir(path) != 0 || syscall(SYS_pivot_root, ".", ".") != 0) return errno;
    if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) return errno;
    return 0;
}

int cl_let_go_of_mount(const char *path) { return umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ? 0 : errno; }

// MARK: Capabilities

int cl_keep_capabilities(uint64_t kept) {
    for (int capability = 0; capability < 64; capability++) {
        if (kept >> capability & 1) continue;
        // EINVAL: the kernel's last capability was the one before.
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) return errno;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return errno;
    for (int half = 0; half < 2; half++) {
        uint32_t mask = (uint32_t)(kept >> 32 * half);
        data[half].permitted &= mask;
        data[half].effective = data[half].permitted;
        data[half].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

int cl_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno; }

void cl_hide_memory(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// MARK: System calls

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define WORD(field) (offsetof(struct seccomp_data, field))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define FAIL(error) RETURN(SECCOMP_RET_ERRNO | (error))
/// The call of a name ends in an error.
#define DENY_NUMBER(number, error) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), FAIL(error)
#define DENY(name) DENY_NUMBER(SYS_##name, EPERM)

#ifdef OWN_ARCHITECTURE
static int install(struct sock_filter *code, size_t count) {
    struct sock_fprog program = {.len = (unsigned short)count, .filter = code};
    int error = cl_no_new_privileges();
    if (error) return error;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}
#endif

int cl_forbid_calls(void) {
#ifdef OWN_ARCHITECTURE
    // Every kind of new namespace: inside a user namespace of its own a program would have all capabilities again.
    const unsigned namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                                CLONE_NEWUTS | 0x02000000 /* CLONE_NEWCGROUP */ | 0x00000080 /* CLONE_NEWTIME */;
    // The low byte of clone(2)'s flags is the signal at the end of the child; it has no CLONE_NEWTIME.
    const unsigned cloned = namespaces & ~0xffu;
    struct sock_filter code[] = {
        LOAD(WORD(arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
        FAIL(ENOSYS),
        LOAD(WORD(nr)),
#ifdef __x86_64__
        // The x32 interface has numbers of its own.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        FAIL(ENOSYS),
#endif
        DENY(mount), DENY(umount2), DENY(pivot_root), DENY(setns), DENY(swapon), DENY(swapoff), DENY(reboot),
        DENY(init_module), DENY(finit_module), DENY(delete_module), DENY(kexec_load), DENY(ptrace),
        DENY(process_vm_readv), DENY(process_vm_writev), DENY(kcmp), DENY(bpf), DENY(perf_event_open),
        DENY(userfaultfd), DENY(add_key), DENY(request_key), DENY(keyctl), DENY(acct), DENY(quotactl),
        DENY(name_to_handle_at), DENY(open_by_handle_at), DENY(settimeofday), DENY(clock_settime),
        DENY(clock_adjtime), DENY(adjtimex), DENY(sethostname), DENY(setdomainname), DENY(syslog), DENY(vhangup),
        DENY(fanotify_init),
#ifdef SYS_kexec_file_load
        DENY(kexec_file_load),
#endif
#ifdef __x86_64__
        DENY(iopl), DENY(ioperm), DENY(modify_ldt),
#endif
        // New ones by number: open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_getfd,
        // process_madvise, mount_setattr, quotactl_fd, open_tree_attr.
        DENY_NUMBER(428, EPERM), DENY_NUMBER(429, EPERM), DENY_NUMBER(430, EPERM), DENY_NUMBER(431, EPERM),
        DENY_NUMBER(432, EPERM), DENY_NUMBER(433, EPERM), DENY_NUMBER(438, EPERM), DENY_NUMBER(440, EPERM),
        DENY_NUMBER(442, EPERM), DENY_NUMBER(443, EPERM), DENY_NUMBER(467, EPERM),
        // As if the kernel did not have them: programs do without. io_uring has calls that no filter sees, and
        // clone3 has its flags in memory, where no filter looks.
        DENY_NUMBER(425, ENOSYS), DENY_NUMBER(426, ENOSYS), DENY_NUMBER(427, ENOSYS), DENY_NUMBER(435, ENOSYS),
        // unshare(flags)
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 4),
        LOAD(WORD(args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, namespaces, 0, 1),
        FAIL(EPERM),
        RETURN(SECCOMP_RET_ALLOW),
        // clone(flags, …)
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
        LOAD(WORD(args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, cloned, 0, 1),
        FAIL(EPERM),
        RETURN(SECCOMP_RET_ALLOW),
        // ioctl(fd, TIOCSTI or TIOCLINUX): the kernel compares the low 32 bits.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5),
        LOAD(WORD(args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x5412, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x541c, 0, 1),
        FAIL(EPERM),
        RETURN(SECCOMP_RET_ALLOW),
        // chmod(path, mode) and its like, and open(path, flags, mode): no file becomes a way into its owner for others.
        // openat2 has its mode in memory.
        DENY_NUMBER(437, ENOSYS),
#ifdef SYS_chmod
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_chmod, 0, 4),
        LOAD(WORD(args[1])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 06000, 0, 1),
        FAIL(EPERM),
        RETURN(SECCOMP_RET_ALLOW),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_creat, 0, 4),
        LOAD(WORD(args[1])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 06000, 0, 1),
        FAIL(EPERM),
        RETURN(SECCOMP_RET_ALLOW),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 0, 6),
        LOAD(WORD(args[1])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | (O_TMPFILE & ~O_DIRECTORY), 0, 3),
        LOAD(WORD(args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 06000, 0, 1),
        FAIL(EPERM),
        RETURN(SECCOMP_RET_ALLOW),
#endif
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fchmod, 0, 4),
        LOAD(WORD(args[1])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 06000, 0, 1),
        FAIL(EPERM),
        RETURN(SECCOMP_RET_ALLOW),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fchmodat, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 452 /* fchmodat2 */, 0, 4),
        LOAD(WORD(args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 06000, 0, 1),
        FAIL(EPERM),
        RETURN(SECCOMP_RET_ALLOW),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 6),
        LOAD(WORD(args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | (O_TMPFILE & ~O_DIRECTORY), 0, 3),
        LOAD(WORD(args[3])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 06000, 0, 1),
        FAIL(EPERM),
        RETURN(SECCOMP_RET_ALLOW),
        // socket(family, …) of families that know no network namespace, or that open the kernel's own code.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4),
        LOAD(WORD(args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_ALG, 0, 1),
        FAIL(EAFNOSUPPORT),
        RETURN(SECCOMP_RET_ALLOW),
    };
    return install(code, sizeof code / sizeof *code);
#else
    return ENOSYS;
#endif
}

#define PRETEND(name) DENY_NUMBER(SYS_##name, 0)

int cl_pretend_user_changes(void) {
#ifdef OWN_ARCHITECTURE
    struct sock_filter code[] = {
        LOAD(WORD(arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
        RETURN(SECCOMP_RET_ALLOW),
        LOAD(WORD(nr)),
        PRETEND(setuid), PRETEND(setgid), PRETEND(setreuid), PRETEND(setregid), PRETEND(setresuid),
        PRETEND(setresgid), PRETEND(setgroups), PRETEND(setfsuid), PRETEND(setfsgid), PRETEND(fchown),
        PRETEND(fchownat),
#ifdef SYS_chown
        PRETEND(chown), PRETEND(lchown),
#endif
        RETURN(SECCOMP_RET_ALLOW),
    };
    return install(code, sizeof code / sizeof *code);
#else
    return ENOSYS;
#endif
}

int cl_pretend_capability_changes(void) {
#ifdef OWN_ARCHITECTURE
    struct sock_filter code[] = {
        LOAD(WORD(arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
        RETURN(SECCOMP_RET_ALLOW),
        LOAD(WORD(nr)),
        PRETEND(capset),
        RETURN(SECCOMP_RET_ALLOW),
    };
    return install(code, sizeof code / sizeof *code);
#else
    return ENOSYS;
#endif
}

void cl_continue_in_foreground(int terminal, int group) {
    if (terminal >= 0) tcsetpgrp(terminal, group);
    kill(-group, SIGCONT);
}
