// Sending a frame beside a capture. Swift's Glibc module exports neither <linux/if_packet.h> nor SOCK_… flags in a
// form that can be combined.
#pragma once
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/// A packet socket that only sends: protocol 0 registers no hook for received frames. Descriptor or -errno.
static inline int cl_packet_sender(void) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

/// Sends a whole Ethernet frame through an interface; bytes sent or -errno.
static inline int cl_packet_send(int fd, int interface, const void *frame, size_t length) {
    struct sockaddr_ll to;
    memset(&to, 0, sizeof to);
    to.sll_family = AF_PACKET;
    to.sll_ifindex = interface;
    ssize_t sent = sendto(fd, frame, length, 0, (struct sockaddr *)&to, sizeof to);
    return sent < 0 ? -errno : (int)sent;
}
