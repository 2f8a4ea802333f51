// Calls on TCP sockets that need _GNU_SOURCE, or structures of which Swift sees another module's view.
#pragma once
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A non-blocking TCP socket, or a UDP socket. Returns it, or -1 with errno.
int cl_tcp_socket(int is_ipv6);
int cl_udp_socket(int is_ipv6);

/// Lets an address be bound whose last connections are over.
void cl_allow_address_reuse(int fd);
/// Lets small pieces leave at once; inherited by what a listener accepts.
void cl_disable_nagle(int fd);
/// Whether what the peer sends is acknowledged at once, or with what is sent next: TCP_QUICKACK of tcp(7).
void cl_acknowledge_at_once(int fd, int at_once);

/// The next connection that waits on a listener, non-blocking; -1 with errno if there is none.
/// `address` has room for 28 bytes, the longer one of struct sockaddr_in and sockaddr_in6; all zero if unknown.
int cl_accept_client(int listener, void *address);

/// Sends three pieces of memory by one call, without SIGPIPE; bytes sent, or -1 with errno.
ssize_t cl_send_three(int fd, const void *a, size_t a_count, const void *b, size_t b_count, const void *c,
                      size_t c_count);

/// Lets close(2) abort the connection: the peer gets RST. socket(7), SO_LINGER
void cl_reset_when_closed(int fd);

/// Bytes that were sent and that the peer has not acknowledged, those not sent yet included: SIOCOUTQ of tcp(7).
int cl_unacknowledged(int fd);

/// What a socket has failed with, which the kernel tells once; 0 if nothing.
int cl_socket_error(int fd);

/// Starts a thread that gets no signals. Returns 0 or errno.
int cl_start_thread(pthread_t *thread, void *(*body)(void *), void *context, const char *name);
