#define _GNU_SOURCE
#include "forwarders.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The processors that the process was given, before any thread was bound to one of them.
static cpu_set_t allowed;
__attribute__((constructor)) static void look_at_processors(void) {
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) memset(&allowed, 0xff, sizeof allowed);
}

int bench_pin(int processor) {
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && processor-- == 0) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            return sched_setaffinity(0, sizeof one, &one) == 0 ? 0 : errno;
        }
    return ENODEV;
}

void bench_unpin(void) { sched_setaffinity(0, sizeof allowed, &allowed); }

int bench_processor_count(void) { return CPU_COUNT(&allowed); }

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    int error = write(fd, text, strlen(text)) < 0 ? errno : 0;
    close(fd);
    return error;
}

int bench_enter_user_namespace(void) {
    char map[64];
    unsigned user = geteuid(), group = getegid();
    if (unshare(CLONE_NEWUSER) != 0) return errno;
    int error = write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", user);
    if (error == 0) error = write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", group);
    if (error == 0) error = write_file("/proc/self/gid_map", map);
    return error;
}
