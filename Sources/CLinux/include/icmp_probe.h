// Echo requests to a gateway. Swift's Glibc module exports SOCK_… flags in no form that can be combined.
#pragma once
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/// A raw socket that receives every ICMP packet of its namespace. Descriptor or -errno.
static inline int cl_icmp_socket(void) {
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
    return fd < 0 ? -errno : fd;
}

/// Sends an ICMP message to an address in network byte order; bytes sent or -errno.
static inline int cl_icmp_send(int fd, uint32_t address, const void *message, size_t length) {
    struct sockaddr_in to;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = address;
    ssize_t sent = sendto(fd, message, length, 0, (struct sockaddr *)&to, sizeof to);
    return sent < 0 ? -errno : (int)sent;
}
