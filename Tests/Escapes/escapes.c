// A program of a lab that tries to get out, way by way, and prints for each `held` or `OUT` with what it saw. In C,
// because what it tries are system calls as such.
//
//     escapes try OUTSIDE RUN SECRET WATCHED    OUTSIDE a file, RUN the run's folder, SECRET text of the caller's
//                                               environment, WATCHED the PID of a process, all of the host
//     escapes serve PORT …                      the same; then listens on a port for ever
//     escapes try-image …, serve-image …        the same in a container image, which is writable in memory
//     escapes squat NAME                        listens on an abstract socket for ever
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void tell(const char *what, int is_out, const char *detail) {
    printf("%s\t%s\t%s\n", is_out ? "OUT" : "held", what, detail);
    fflush(stdout);
}

/// A call that must fail, whatever the reason.
static void fails(const char *what, long result) {
    char text[64];
    snprintf(text, sizeof text, "%s", result == -1 ? strerrorname_np(errno) : "it worked");
    tell(what, result != -1, text);
}

/// A call that must not even be looked at: its arguments are worthless.
static void denied(const char *what, long result) {
    int error = errno;
    tell(what, result != -1 || (error != EPERM && error != ENOSYS && error != EAFNOSUPPORT),
         result == -1 ? strerrorname_np(error) : "it worked");
}

/// A file that must not open; /dev/null in its place is as good.
static void closed(const char *path, int flags) {
    char what[256];
    snprintf(what, sizeof what, "open %s%s", path, flags == O_RDONLY ? "" : " for writing");
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return tell(what, 0, strerrorname_np(errno));
    struct stat status;
    int is_null = fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
    tell(what, !is_null, is_null ? "/dev/null in its place" : "it opened");
    close(fd);
}

static int own_root(const char *path) {
    struct stat a, b;
    return stat(path, &a) == 0 && stat("/", &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Whether the root is a container image with a layer in memory over it.
static int has_image;

static void in_memory(const char *what, int result, const char *folder);

/// A folder of the host's, or of an image, which must stay as it is.
static void unwritable(const char *folder) {
    char what[64], path[128];
    snprintf(what, sizeof what, "write into %s", folder);
    snprintf(path, sizeof path, "%s/failoverlab-escape", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (has_image) in_memory(what, fd, folder);
    else fails(what, fd);
    if (fd >= 0) close(fd);
}

static void mounts(void) {
    const char *uncovered[] = {"/tmp", "/run", "/proc", "/proc/sys", "/usr", "/etc", "/sys/class/net", "/"};
    char what[128];
    for (size_t i = 0; i < sizeof uncovered / sizeof *uncovered; i++) {
        snprintf(what, sizeof what, "umount %s", uncovered[i]);
        fails(what, umount2(uncovered[i], MNT_DETACH));
        snprintf(what, sizeof what, "remount %s writable", uncovered[i]);
        fails(what, mount(NULL, uncovered[i], NULL, MS_REMOUNT | MS_BIND, NULL));
    }
    unwritable("/usr");
    unwritable("/etc");
    unwritable("/");
    mkdir("/tmp/place", 0700);
    fails("mount a tmpfs", mount("none", "/tmp/place", "tmpfs", 0, NULL));
    fails("mount a disk", mount("/dev/vda", "/tmp/place", "ext4", 0, NULL));
    fails("bind /proc/1/root", mount("/proc/1/root", "/tmp/place", NULL, MS_BIND, NULL));
    fails("mount sysfs", mount("none", "/tmp/place", "sysfs", 0, NULL));
    denied("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp/place"));
    denied("open_tree", syscall(428, AT_FDCWD, "/", 1));
    denied("move_mount", syscall(429, -1, "", AT_FDCWD, "/tmp/place", 4));
    denied("fsopen", syscall(430, "tmpfs", 0));
    denied("mount_setattr", syscall(442, AT_FDCWD, "/", 0, NULL, 0));
    // Out of a chroot by a second one: what is above must still be the own root.
    if (chroot("/tmp/place") == 0) {
        for (int i = 0; i < 64; i++)
            if (chdir("..") != 0) break;
        if (chroot(".") != 0) fails("chroot", -1);
    }
}

static void namespaces(void) {
    const struct {
        const char *name;
        int flag;
    } kinds[] = {{"user", CLONE_NEWUSER}, {"mount", CLONE_NEWNS}, {"PID", CLONE_NEWPID}, {"network", CLONE_NEWNET},
                 {"IPC", CLONE_NEWIPC}, {"UTS", CLONE_NEWUTS}, {"cgroup", 0x02000000}};
    char what[64];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(what, sizeof what, "unshare a %s namespace", kinds[i].name);
        fails(what, unshare(kinds[i].flag));
        snprintf(what, sizeof what, "clone into a %s namespace", kinds[i].name);
        long pid = syscall(SYS_clone, kinds[i].flag | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0) _exit(0);
        fails(what, pid);
    }
    uint64_t arguments[11] = {CLONE_NEWUSER};
    arguments[4] = SIGCHLD;
    long pid = syscall(435, arguments, sizeof arguments);
    if (pid == 0) _exit(0);
    denied("clone3 into a user namespace", pid);
    int fd = open("/proc/1/ns/mnt", O_RDONLY);
    if (fd < 0) tell("open /proc/1/ns/mnt", 0, strerrorname_np(errno));
    else fails("setns to the mounts of process 1", setns(fd, 0));
}

static int holds(const char *path, const char *secret) {
    static char text[1 << 20];
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 0;
    ssize_t count = read(fd, text, sizeof text);
    close(fd);
    return count > 0 && memmem(text, (size_t)count, secret, strlen(secret)) != NULL;
}

static void processes(const char *secret, pid_t watched) {
    closed("/proc/1/mem", O_RDWR);
    closed("/proc/1/environ", O_RDONLY);
    closed("/proc/1/maps", O_RDONLY);
    DIR *root = opendir("/proc/1/root/");
    tell("list /proc/1/root", root != NULL && !own_root("/proc/1/root/."), root ? "it opened" : strerrorname_np(errno));
    DIR *working = opendir("/proc/1/cwd/");
    tell("list /proc/1/cwd", working != NULL, working ? "it opened" : strerrorname_np(errno));
    DIR *descriptors = opendir("/proc/1/fd");
    tell("list /proc/1/fd", descriptors != NULL, descriptors ? "it opened" : strerrorname_np(errno));
    denied("ptrace process 1", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
    denied("process_vm_readv of process 1", process_vm_readv(1, &here, 1, &there, 1, 0));
    denied("pidfd_getfd", syscall(438, -1, 0, 0));
    denied("kcmp", syscall(SYS_kcmp, 1, getpid(), 0, 0, 0));
    fails("signal a process of the host", kill(watched, 0));
    fails("signal the parent of process 1", kill(0x3fffff, 0));
    kill(1, SIGKILL);
    usleep(20000);
    tell("SIGKILL to process 1", 0, "this program still lives");

    int found = getenv("FAILOVERLAB_SECRET") != NULL, environments = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        char path[300];
        snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
        if (atoi(entry->d_name) == getpid()) found |= holds(path, secret);
        else if (access(path, R_OK) == 0 && holds(path, secret)) environments++;
    }
    tell("the caller's secret in the own environment", found, found ? "there it is" : "not there");
    tell("the caller's secret in another environment", environments > 0, environments ? "there it is" : "not there");
    int open_descriptors = 0;
    for (int fd = 3; fd < 1024; fd++) {
        struct stat status;
        if (fstat(fd, &status) == 0 && fd != (proc ? dirfd(proc) : -1) && !(root && fd == dirfd(root)))
            open_descriptors++;
    }
    char text[64];
    snprintf(text, sizeof text, "%d", open_descriptors);
    tell("inherited descriptors", open_descriptors > 0, text);
    if (proc) closedir(proc);
}

static void kernel(void) {
    closed("/proc/sys/kernel/core_pattern", O_WRONLY);
    closed("/proc/sys/kernel/modprobe", O_WRONLY);
    closed("/proc/sys/vm/overcommit_memory", O_WRONLY);
    closed("/proc/sys/fs/file-max", O_WRONLY);
    closed("/proc/sysrq-trigger", O_WRONLY);
    closed("/proc/kcore", O_RDONLY);
    closed("/proc/kmsg", O_RDONLY);
    closed("/proc/keys", O_RDONLY);
    closed("/proc/1/oom_score_adj", O_WRONLY);
    closed("/sys/kernel/uevent_helper", O_WRONLY);
    closed("/sys/fs/cgroup/cgroup.procs", O_WRONLY);
    closed("/sys/fs/cgroup/memory/release_agent", O_WRONLY);
    closed("/sys/devices/system/cpu/cpu1/online", O_WRONLY);
    closed("/dev/mem", O_RDONLY);
    closed("/dev/kmsg", O_WRONLY);
    closed("/dev/vda", O_RDONLY);
    closed("/dev/sda", O_RDONLY);
    closed("/dev/net/tun", O_RDWR);
    fails("mknod of a disk", mknod("/tmp/disk", S_IFBLK | 0600, makedev(254, 0)));
    fails("mknod of memory", mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)));
    denied("bpf", syscall(SYS_bpf, 0, NULL, 0));
    denied("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    denied("userfaultfd", syscall(SYS_userfaultfd, 0));
    denied("io_uring_setup", syscall(425, 1, NULL));
    denied("keyctl", syscall(SYS_keyctl, 0, -3, 0));
    denied("add_key", syscall(SYS_add_key, "user", "escape", "x", 1, -3));
    denied("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    denied("init_module", syscall(SYS_init_module, NULL, 0, ""));
    denied("finit_module", syscall(SYS_finit_module, -1, "", 0));
    denied("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
    denied("swapon", syscall(SYS_swapon, "/tmp/none", 0));
    denied("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0));
    denied("syslog", syscall(SYS_syslog, 10, NULL, 0));
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    denied("set the clock", clock_settime(CLOCK_REALTIME, &now));
    denied("set the host name", sethostname("escape", 6));
    denied("a socket to the hypervisor (vsock)", socket(40, SOCK_STREAM, 0));
    denied("a socket to the kernel's ciphers", socket(38, SOCK_SEQPACKET, 0));
    int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    denied("TIOCSTI", ioctl(terminal >= 0 ? terminal : 0, TIOCSTI, "x"));
    denied("TIOCLINUX", ioctl(terminal >= 0 ? terminal : 0, 0x541c, "x"));
    // The upper half of the number is not the kernel's concern.
    denied("TIOCSTI with other upper bits", syscall(SYS_ioctl, terminal, 0x100005412ul, "x"));
    if (terminal >= 0) close(terminal);
#ifdef __x86_64__
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
    tell("a 32-bit system call", result != -ENOSYS && result != -EPERM, result < 0 ? "refused" : "it worked");
    denied("an x32 system call", syscall(0x40000000 + 39));
#endif
    close(open("/tmp/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    denied("chmod u+s", chmod("/tmp/file", 04755));
    denied("open with the set-user-ID bit", open("/tmp/file-2", O_CREAT | O_WRONLY, 04755));
    tell("gain of privileges by execution", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1, "no_new_privs");
    const int dropped[] = {16 /* SYS_MODULE */, 17, 19 /* SYS_PTRACE */, 21 /* SYS_ADMIN */, 22, 25 /* SYS_TIME */,
                           27 /* MKNOD */, 2 /* DAC_READ_SEARCH */, 34 /* SYSLOG */, 38, 39};
    int kept = 0;
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
        kept += prctl(PR_CAPBSET_READ, dropped[i], 0, 0, 0) == 1;
    tell("capabilities over the host's parts", kept > 0, kept ? "in the bounding set" : "none in the bounding set");
}

/// What worked must be in the program's own memory; the test looks whether the host has it.
static void in_memory(const char *what, int result, const char *folder) {
    struct stat there, own, root;
    if (result == -1) return tell(what, 0, strerrorname_np(errno));
    int is_own = stat(folder, &there) == 0 && stat("/tmp", &own) == 0 && stat("/", &root) == 0 &&
                 (there.st_dev == own.st_dev || there.st_dev == root.st_dev);
    tell(what, !is_own, is_own ? "in memory of its own" : "it worked");
}

static void files(const char *outside, const char *run) {
    char path[4096];
    closed(outside, O_RDONLY);
    closed("/root/.ssh", O_RDONLY);
    closed("/etc/shadow", O_RDONLY);
    closed("/run/systemd", O_RDONLY);
    closed("/run/docker.sock", O_RDONLY);
    closed("/var/run/dbus", O_RDONLY);
    closed("/var/lib/dpkg", O_RDONLY);
    const char *names[] = {"events.jsonl", "traffic.json", "counters.json", "captures.json", "run.json", "lab.yaml",
                           "verdict.json", "logs/lab.log"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", run, names[i]);
        closed(path, O_WRONLY);
    }
    snprintf(path, sizeof path, "%s/traffic.json.new", run);
    // In a private root the folders above the own one exist, and are nobody's.
    in_memory("a symbolic link where the next file of the run comes", symlink(outside, path), run);
    snprintf(path, sizeof path, "%s/captures/escape", run);
    in_memory("a file among the captures", open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), run);
    fails("a set-user-ID file in the own folder", open("escape", O_CREAT | O_WRONLY, 04755));
    snprintf(path, sizeof path, "%s/nodes/other", run);
    in_memory("a folder beside the program's", mkdir(path, 0700), run);
}

static int connects(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int result = connect(fd, (struct sockaddr *)&address, length);
    close(fd);
    return result;
}

static void network(void) {
    fails("the lab's own control socket (root's)", connects("failoverlab/0/escapes/default/1"));
    fails("the lab's own control socket (a user's)", connects("failoverlab/65534/escapes/default/1"));
    struct if_nameindex *own = if_nameindex();
    int strangers = 0, shown = 0;
    DIR *folder = opendir("/sys/class/net");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        int is_own = 0;
        for (struct if_nameindex *i = own; i && i->if_index; i++) is_own |= strcmp(i->if_name, entry->d_name) == 0;
        strangers += !is_own, shown++;
    }
    char text[64];
    snprintf(text, sizeof text, "%d shown, %d of them not the node's", shown, strangers);
    tell("/sys/class/net of the host", strangers > 0, text);
    if (folder) closedir(folder);
}

static void limits(void) {
    char text[64];
    void *memory = mmap(NULL, 5ull << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    tell("5 GiB of memory", memory != MAP_FAILED, memory == MAP_FAILED ? strerrorname_np(errno) : "it was given");
    struct statvfs size;
    const char *places[] = {"/tmp", "/dev/shm", "/run", "/"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "a folder in memory without bound: %s", places[i]);
        int is_bound = statvfs(places[i], &size) == 0 && (uint64_t)size.f_blocks * size.f_frsize <= 1ull << 30;
        tell(text, !is_bound, is_bound ? "at most 1 GiB" : "more than 1 GiB");
    }
    char score[16] = "";
    int fd = open("/proc/self/oom_score_adj", O_RDONLY);
    if (fd >= 0 && read(fd, score, sizeof score - 1) > 0) score[strcspn(score, "\n")] = 0;
    tell("memory bomb outlives others", atoi(score) < 500, score);
    if (fd >= 0) close(fd);
    int made = 0;
    pid_t first = 0;
    for (; made < 20000; made++) {
        pid_t pid = fork();
        if (pid < 0) break;
        if (pid == 0) {
            if (first == 0) setpgid(0, 0);
            pause();
            _exit(0);
        }
        if (first == 0) first = pid;
        setpgid(pid, first);
    }
    snprintf(text, sizeof text, "ended by the kernel after %d processes", made);
    tell("fork bomb", made >= 20000, text);
    if (first) kill(-first, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0) {}
}

/// Ways out of an image into the files that it is made of, and devices that its layers may have brought.
static void image(void) {
    struct stat status;
    tell("set-user-ID files gain nothing", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1, "no_new_privs");
    closed("/.image/etc", O_RDONLY);
    closed("/outside-link/outside", O_RDONLY);
    tell("a device of a layer", stat("/dev-of-layer", &status) == 0 && !S_ISREG(status.st_mode), "no device");
    tell("root above the image", stat("/..", &status) != 0 || !own_root("/.."), "the root itself");
    fails("mount an overlay", mount("overlay", "/mnt", "overlay", 0, "lowerdir=/,upperdir=/tmp,workdir=/tmp"));
    fails("umount of /dev", umount2("/dev", MNT_DETACH));
    char text[4096];
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[count > 0 ? count : 0] = 0;
    int is_overlay = strstr(text, " / / rw,nosuid,nodev") != NULL;
    tell("an image without nosuid and nodev", !is_overlay, is_overlay ? "rw,nosuid,nodev" : text);
    if (fd >= 0) close(fd);
}

static int attempt(char **arguments) {
    if (has_image) image();
    files(arguments[0], arguments[1]);
    processes(arguments[2], atoi(arguments[3]));
    kernel();
    namespaces();
    network();
    limits();
    mounts();
    closed(arguments[0], O_RDONLY);
    printf("done\n");
    fflush(stdout);
    return 0;
}

static int serve(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0) return perror("listen"), 1;
    for (;;) pause();
}

static int squat(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 64) != 0) return perror("squat"), 1;
    printf("listening\n");
    fflush(stdout);
    for (;;) pause();
}

int main(int count, char **arguments) {
    has_image = count > 1 && strstr(arguments[1], "-image") != NULL;
    if (has_image) *strstr(arguments[1], "-image") = 0;
    if (count == 6 && strcmp(arguments[1], "try") == 0) return attempt(arguments + 2);
    if (count == 7 && strcmp(arguments[1], "serve") == 0) return attempt(arguments + 3) || serve(atoi(arguments[2]));
    if (count == 3 && strcmp(arguments[1], "squat") == 0) return squat(arguments[2]);
    return 2;
}
