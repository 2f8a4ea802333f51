// Captures: a packet ring of a whole network namespace, and sending a frame beside it. Swift's Glibc module exports
// neither <linux/if_packet.h> nor SOCK_… flags in a form that can be combined, and cannot express the rest.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/// A packet socket of the calling thread's namespace that receives nothing: protocol 0 registers no hook for received
/// frames. It sends; a ring is made of it by `cl_capture_ring` and `cl_capture_bind`. Descriptor or -errno.
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

/// Gives a socket a receive ring of TPACKET_V3, to be mapped from its descriptor. A block with any frame is handed over
/// when it is full, or after the timeout in milliseconds. 0 or -errno. Waits for a grace period (synchronize_net).
static inline int cl_capture_ring(int fd, unsigned block_size, unsigned block_count, unsigned timeout) {
    int version = TPACKET_V3;
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0) return -errno;
    struct tpacket_req3 request;
    memset(&request, 0, sizeof request);
    request.tp_block_size = block_size;
    request.tp_block_nr = block_count;
    // Only checked; frames of this version lie one behind the other.
    request.tp_frame_size = 2048;
    request.tp_frame_nr = block_size / 2048 * block_count;
    request.tp_retire_blk_tov = timeout;
    return setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0 ? 0 : -errno;
}

enum { cl_capture_most_ranges = 64 };

/// Has a packet socket take only frames of interfaces whose indexes lie in some ranges, and `length` bytes of each.
/// `ranges` holds the first and the last index of each range. 0 or -errno.
static inline int cl_capture_select(int fd, const int *ranges, int count, unsigned length) {
    struct sock_filter code[3 + 2 * cl_capture_most_ranges];
    if (count < 0 || count > cl_capture_most_ranges) return -EINVAL;
    int at = 0;
    code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(SKF_AD_OFF + SKF_AD_IFINDEX));
    for (int i = 0; i < count; i++) {
        code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)ranges[2 * i], 0, 1);
        // To the last instruction: within 255, by the number of ranges.
        code[at++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JGT | BPF_K, (unsigned)ranges[2 * i + 1], 0, (unsigned char)(2 * (count - i) - 1));
    }
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, length);
    struct sock_fprog program = {.len = (unsigned short)at, .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : -errno;
}

/// From now on a socket receives what passes an interface, or all interfaces of its namespace (0). 0 or -errno.
static inline int cl_capture_bind(int fd, int interface) {
    struct sockaddr_ll to;
    memset(&to, 0, sizeof to);
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_ALL);
    to.sll_ifindex = interface;
    return bind(fd, (struct sockaddr *)&to, sizeof to) == 0 ? 0 : -errno;
}

/// What came since the last call, and how much of it found no room in the ring. 0 or -errno.
static inline int cl_capture_statistics(int fd, unsigned *frames, unsigned *dropped) {
    struct tpacket_stats_v3 statistics;
    socklen_t size = sizeof statistics;
    memset(&statistics, 0, sizeof statistics);
    if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0) return -errno;
    *frames = statistics.tp_packets;
    *dropped = statistics.tp_drops;
    return 0;
}

/// What an interface in the socket's namespace is; negative errno where there is none of that name.
struct cl_interface_facts {
    int is_up, is_ethernet, mtu;
};

static inline int cl_interface_look(int socket, const char *name, struct cl_interface_facts *facts) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    if (ioctl(socket, SIOCGIFFLAGS, &request) != 0) return -errno;
    facts->is_up = (request.ifr_flags & IFF_UP) != 0;
    if (ioctl(socket, SIOCGIFHWADDR, &request) != 0) return -errno;
    facts->is_ethernet = request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
    if (ioctl(socket, SIOCGIFMTU, &request) != 0) return -errno;
    facts->mtu = request.ifr_mtu;
    return 0;
}

// MARK: Blocks of the ring (struct tpacket_block_desc), and the frames in them (struct tpacket3_hdr)

/// Whether the kernel has handed a block over. Acquire: its frames are read after it.
static inline int cl_block_is_ready(const void *block) {
    const struct tpacket_block_desc *described = (const struct tpacket_block_desc *)block;
    return (__atomic_load_n(&described->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) != 0;
}

/// Gives a block back. Release: nothing is read from it after this.
static inline void cl_block_give_back(void *block) {
    struct tpacket_block_desc *described = (struct tpacket_block_desc *)block;
    __atomic_store_n(&described->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

/// How many frames a block holds, and where the first one is.
static inline unsigned cl_block_frames(const void *block, unsigned *first) {
    const struct tpacket_block_desc *described = (const struct tpacket_block_desc *)block;
    *first = described->hdr.bh1.offset_to_first_pkt;
    return described->hdr.bh1.num_pkts;
}

struct cl_captured_frame {
    /// To the next frame of the block.
    uint32_t next;
    uint32_t seconds, nanoseconds;
    const uint8_t *bytes;
    uint32_t captured, original;
    int32_t interface;
    /// A VLAN tag that the kernel took out of the frame.
    uint16_t tag_protocol, tag;
    uint8_t has_tag;
};

static inline void cl_captured_read(const void *frame, struct cl_captured_frame *out) {
    const struct tpacket3_hdr *header = (const struct tpacket3_hdr *)frame;
    const struct sockaddr_ll *address =
        (const struct sockaddr_ll *)((const uint8_t *)frame + TPACKET_ALIGN(sizeof *header));
    out->next = header->tp_next_offset;
    out->seconds = header->tp_sec;
    out->nanoseconds = header->tp_nsec;
    out->bytes = (const uint8_t *)frame + header->tp_mac;
    out->captured = header->tp_snaplen;
    out->original = header->tp_len;
    out->interface = address->sll_ifindex;
    out->tag = (uint16_t)header->hv1.tp_vlan_tci;
    out->has_tag = header->hv1.tp_vlan_tci != 0 || (header->tp_status & TP_STATUS_VLAN_VALID) != 0;
    // Kernels before 3.14 did not say which protocol it was.
    int is_said = header->hv1.tp_vlan_tpid != 0 || (header->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    out->tag_protocol = is_said ? header->hv1.tp_vlan_tpid : ETH_P_8021Q;
}
