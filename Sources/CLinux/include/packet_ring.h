// Packet sockets. The headers are listed here because Swift's Glibc module leaves <linux/if_packet.h> out; what is
// beyond them is what Swift cannot express.
#pragma once
#include <linux/filter.h>
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

/// recvmmsg(2), hidden as well. Returns how many messages were received, or -1 with errno where there is none.
static inline int cl_receive_messages(int socket, struct cl_message *messages, unsigned int count, int flags) {
    return (int)syscall(SYS_recvmmsg, socket, messages, count, flags, NULL);
}

/// Has a packet socket hear only IPv4 packets of a kind, or only what is not of it: UDP without IP options by one
/// interface to a range of ports or, where the interface is 0, a protocol. A classic BPF program, whose macros Swift
/// cannot import. Each frame fits exactly one of two sockets that differ in `takes_it`.
static inline int cl_separate(
    int socket, int interface, int protocol, int lowest_port, int highest_port, int takes_it) {
    const unsigned int all = 0x40000;
    struct sock_filter code[] = {
        // Up to and with the UDP destination port.
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 38, 0, 14),
        // The kernel has taken a VLAN tag out of the frame.
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 12),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)(SKF_AD_OFF + SKF_AD_IFINDEX)),
        BPF_JUMP(BPF_JMP | (interface == 0 ? BPF_JGE : BPF_JEQ) | BPF_K, (unsigned int)interface, 0, 10),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0800, 0, 8),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)protocol, 0, 6),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14),
        BPF_JUMP(BPF_JMP | (interface == 0 ? BPF_JGE : BPF_JEQ) | BPF_K, interface == 0 ? 0 : 0x45, 0, 4),
        // The ports of UDP, behind a header without options.
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 36),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned int)lowest_port, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned int)highest_port, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, takes_it ? all : 0),
        BPF_STMT(BPF_RET | BPF_K, takes_it ? 0 : all),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/// An interface's MTU; negative where the kernel does not say.
static inline int cl_interface_mtu(int socket, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    return ioctl(socket, SIOCGIFMTU, &request) == 0 ? request.ifr_mtu : -1;
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
