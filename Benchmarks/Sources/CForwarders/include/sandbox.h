// What Swift cannot call: fork, and the namespaces in which other people's tools may do as they like.
#pragma once
#include <sys/types.h>

/// fork(2), which Swift does not import. Only while the process has one thread.
pid_t bench_fork(void);

/// Gives the calling process mounts and a network of its own, and an empty /run: what `ip netns`, a bridge or Mininet
/// leave there vanishes with the process, and nothing of the host is touched. Returns 0 or an errno.
int bench_enter_sandbox(void);
