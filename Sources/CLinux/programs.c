#define _GNU_SOURCE
#include "programs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int cl_cover(const char *path, int mode) {
    char options[32];
    snprintf(options, sizeof options, "mode=%o", (unsigned)mode);
    return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0 ? 0 : errno;
}

int cl_open_folder(const char *path) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int cl_bind_descriptor(int folder, const char *path) {
    char from[32];
    snprintf(from, sizeof from, "/proc/self/fd/%d", folder);
    return mount(from, path, NULL, MS_BIND | MS_REC, NULL) == 0 ? 0 : errno;
}

// mount_setattr(2), Linux 5.12; the C library's declaration is younger than some that this is built with.
struct attributes {
    uint64_t set, clear, propagation, user_namespace;
};

enum { read_only = 1, recursively = 0x8000 };

static int change(const char *path, unsigned flags, struct attributes attributes) {
    return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof attributes) == 0 ? 0 : errno;
}

int cl_make_everything_read_only(void) { return change("/", recursively, (struct attributes){.set = read_only}); }
int cl_make_writable(const char *path) { return change(path, 0, (struct attributes){.clear = read_only}); }

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

int cl_pretend_user_changes(void) {
#ifdef OWN_ARCHITECTURE
#define PRETEND(name) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0)
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        PRETEND(setuid), PRETEND(setgid), PRETEND(setreuid), PRETEND(setregid), PRETEND(setresuid),
        PRETEND(setresgid), PRETEND(setgroups), PRETEND(setfsuid), PRETEND(setfsgid), PRETEND(fchown),
        PRETEND(fchownat),
#ifdef SYS_chown
        PRETEND(chown), PRETEND(lchown),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
#else
    return ENOSYS;
#endif
}
