// Plain C forwarders over AF_PACKET, as they are usually written, and a generator of frames: the same for every
// contender of `dataplane`. Each call works in the network namespace of its thread until *stop is not zero.
#pragma once
#include <stdint.h>

/// Ordinary: a blocking recv and a send for each frame.
/// Returns 0 or an errno.
int bench_forward_by_receive_and_send(const char *in, const char *out, const int *stop);

/// With a TPACKET_V2 receive ring of the same size as the box's, poll, and sendmmsg of up to 128 frames.
/// Returns 0 or an errno.
int bench_forward_by_ring(const char *in, const char *out, const int *stop);

/// Sends one frame again and again, as fast as it can, past the queueing discipline.
/// Returns 0 or an errno.
int bench_generate(const char *out, const uint8_t *frame, int length, const int *stop);

/// Sends the first frames of `count` UDP flows: copies of an IPv4 and UDP frame whose source is 10.64.0.0 and up, with
/// 50,000 ports an address. At most 512 are ahead of what *known says that the box has made sessions of; those that the
/// box has lost are sent again after 20 ms. A flood waits for nothing: all are sent again and again, until the box has
/// made sessions of all. Stops early when *stop is not zero.
/// Returns 0 or an errno.
int bench_open_flows(
    const char *out, const uint8_t *frame, int length, uint32_t count, const long *known, int flood, const int *stop);

/// A socket on one interface that sends and receives, with a receive timeout. Returns a descriptor or -errno.
int bench_open(const char *interface, int timeout_milliseconds);

/// Binds the calling thread to the n-th processor, from 0, of those that the process was given. Returns 0 or an errno.
int bench_pin(int processor);
/// Lets it run on all again.
void bench_unpin(void);
/// How many processors this process may use.
int bench_processor_count(void);

/// Lets a process without privilege have network namespaces: a user namespace of its own, in which it is root. Only
/// while it has one thread. Returns 0 or an errno.
int bench_enter_user_namespace(void);

/// Sets and reads a flag that two threads share.
void bench_set(int *flag, int value);
