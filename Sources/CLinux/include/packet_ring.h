// Packet sockets. The headers are listed here because Swift's Glibc module leaves <linux/if_packet.h> out; what is
// beyond them is what Swift cannot express.
#pragma once
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/// Layout of struct mmsghdr, which <sys/socket.h> declares only under _GNU_SOURCE, a macro that a module's header
/// cannot define for the headers of another module.
struct cl_message {
    struct msghdr header;
    unsigned int sent;
};

/// sendmmsg(2), hidden by the same macro. Returns how many messages were sent, or -1 with errno for the first one.
static inline int cl_send_messages(int socket, struct cl_message *messages, unsigned int count, int flags) {
    return (int)syscall(SYS_sendmmsg, socket, messages, count, flags);
}

/// Who owns a slot of a TPACKET_V2 ring (TP_STATUS_…). An atomic load of memory that the kernel shares: Swift's
/// Atomic must own its storage. Acquire, so that the frame's bytes are read after the status says they are there.
static inline uint32_t cl_ring_status(const struct tpacket2_hdr *slot) {
    return __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
}

/// Gives a slot back to the kernel. Release, so that nothing is read from, or written to, the slot after it.
static inline void cl_ring_give_back(struct tpacket2_hdr *slot) {
    __atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

/// Whether the kernel says that an interface in the socket's namespace is running: up, with carrier, and known to be.
/// struct ifreq's flags are in a union that Swift does not name.
static inline int cl_interface_is_running(int socket, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    return ioctl(socket, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}
