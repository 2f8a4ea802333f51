#define _GNU_SOURCE
#include "forwarders.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { longest_frame = 2048, batch = 128, slots = 2048, slot_size = 2048 };

static int stopped(const int *stop) { return __atomic_load_n(stop, __ATOMIC_RELAXED); }
void bench_set(int *flag, int value) { __atomic_store_n(flag, value, __ATOMIC_RELEASE); }

static int open_socket(void) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;
    if (fd >= 0) setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    return fd;
}

// Protocol 0 binds for sending only.
static int bind_socket(int fd, const char *interface, int protocol) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(protocol),
        .sll_ifindex = (int)if_nametoindex(interface),
    };
    if (address.sll_ifindex == 0) return ENODEV;
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
}

static void set_timeout(int fd, int milliseconds) {
    struct timeval t = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

/// The source of a flow and the checksum of the IPv4 header with it. RFC 1071
static void number_flow(uint8_t *frame, uint32_t flow) {
    uint8_t *ip = frame + 14, *udp = frame + 34;
    uint32_t source = 0x0a400000u + flow / 50000, port = 10000 + flow % 50000, sum = 0;
    for (int i = 0; i < 4; i++) ip[12 + i] = (uint8_t)(source >> (24 - 8 * i));
    udp[0] = (uint8_t)(port >> 8);
    udp[1] = (uint8_t)port;
    ip[10] = ip[11] = 0;
    for (int i = 0; i < 20; i += 2) sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    ip[10] = (uint8_t)(~sum >> 8);
    ip[11] = (uint8_t)~sum;
}

static int wait_for(const long *known, long wanted, const int *stop) {
    for (int turn = 0; turn < 400 && !stopped(stop); turn++) {
        if (__atomic_load_n(known, __ATOMIC_RELAXED) >= wanted) return 1;
        usleep(50);
    }
    return 0;
}

// A transmit ring: one call sends a batch, and the kernel reads no message headers. Each slot is a tpacket2_hdr and,
// behind it, the frame. packet(7), Documentation/networking/packet_mmap.rst
enum { ring_slot = 128, ring_data = TPACKET_ALIGN(sizeof(struct tpacket2_hdr)), ring_block = 4096 };

static uint8_t *map_ring(int fd) {
    int version = TPACKET_V2;
    struct tpacket_req request = {
        .tp_block_size = ring_block,
        .tp_block_nr = batch * ring_slot / ring_block,
        .tp_frame_size = ring_slot,
        .tp_frame_nr = batch,
    };
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &request, sizeof request) != 0)
        return NULL;
    void *ring = mmap(NULL, batch * ring_slot, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return ring == MAP_FAILED ? NULL : ring;
}

int bench_open_flows(
    const char *out, const uint8_t *frame, int length, uint32_t count, const long *known, int flood, const int *stop) {
    enum { ahead = 4 * batch };
    if (length > ring_slot - ring_data) return EMSGSIZE;
    int fd = open_socket(), one = 1;
    if (fd < 0) return errno;
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    uint8_t *ring = map_ring(fd);
    int error = ring == NULL ? errno : bind_socket(fd, out, 0);
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(out)};
    for (int i = 0; error == 0 && i < batch; i++) memcpy(ring + i * ring_slot + ring_data, frame, (size_t)length);
    uint32_t slot = 0;
    for (uint32_t first = 0; error == 0 && first < count && !stopped(stop);) {
        uint32_t now = count - first < (uint32_t)batch ? count - first : (uint32_t)batch;
        for (uint32_t i = 0; i < now; i++, slot = (slot + 1) % batch) {
            volatile struct tpacket2_hdr *header = (void *)(ring + slot * ring_slot);
            // Given back as soon as the far end has copied the frame, which is before the call returns on one
            // processor; and what a call did not take, the next one does.
            while (__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE && !stopped(stop)) {
                sendto(fd, NULL, 0, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address);
                usleep(50);
            }
            number_flow(ring + slot * ring_slot + ring_data, first + i);
            header->tp_len = (uint32_t)length;
            __atomic_store_n(&header->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
        }
        if (sendto(fd, NULL, 0, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address) < 0 && errno != ENOBUFS &&
            errno != EAGAIN)
            error = errno;
        first += now;
        if (flood) {
            // Again and again, until the box has them all.
            if (first == count && __atomic_load_n(known, __ATOMIC_RELAXED) < (long)count) first = 0;
            continue;
        }
        // Lost ones are among the last few batches: those are sent again.
        long wanted = first == count ? (long)count : (long)first - ahead;
        if (!wait_for(known, wanted, stop))
            first = first > ahead + (uint32_t)batch ? first - ahead - (uint32_t)batch : 0;
    }
    if (ring != NULL) munmap(ring, batch * ring_slot);
    close(fd);
    return error;
}

int bench_open(const char *interface, int timeout_milliseconds) {
    int fd = open_socket();
    if (fd < 0) return -errno;
    int error = bind_socket(fd, interface, ETH_P_ALL);
    if (error != 0) {
        close(fd);
        return -error;
    }
    set_timeout(fd, timeout_milliseconds);
    return fd;
}

static void open_pair(const char *out, int *receiver, int *sender, int *error) {
    *receiver = open_socket();
    *sender = open_socket();
    *error = *receiver < 0 || *sender < 0 ? errno : bind_socket(*sender, out, 0);
}

static void close_pair(int receiver, int sender) {
    if (receiver >= 0) close(receiver);
    if (sender >= 0) close(sender);
}

int bench_forward_by_receive_and_send(const char *in, const char *out, const int *stop) {
    int receiver, sender, error;
    open_pair(out, &receiver, &sender, &error);
    if (error == 0) {
        // A receive buffer as large as the ring of the others.
        int bytes = slots * slot_size;
        setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
        set_timeout(receiver, 20);
        error = bind_socket(receiver, in, ETH_P_ALL);
    }
    char frame[longest_frame];
    while (error == 0 && !stopped(stop)) {
        ssize_t length = recv(receiver, frame, sizeof frame, 0);
        if (length > 0) send(sender, frame, (size_t)length, 0);
    }
    close_pair(receiver, sender);
    return error;
}

static void forward_ring(char *ring, int receiver, int sender, const int *stop) {
    struct mmsghdr messages[batch];
    struct iovec vectors[batch];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < batch; i++) {
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    unsigned head = 0;
    while (!stopped(stop)) {
        int count = 0;
        while (count < batch) {
            struct tpacket2_hdr *slot = (void *)(ring + (size_t)((head + count) % slots) * slot_size);
            if (!(__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) break;
            vectors[count].iov_base = (char *)slot + slot->tp_mac;
            vectors[count].iov_len = slot->tp_snaplen;
            count++;
        }
        if (count == 0) {
            struct pollfd wait = {.fd = receiver, .events = POLLIN};
            poll(&wait, 1, 20);
            continue;
        }
        for (int sent = 0; sent < count;) {
            int n = sendmmsg(sender, messages + sent, (unsigned)(count - sent), MSG_DONTWAIT);
            sent += n > 0 ? n : 1;
        }
        for (int i = 0; i < count; i++) {
            struct tpacket2_hdr *slot = (void *)(ring + (size_t)((head + i) % slots) * slot_size);
            __atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        }
        head += (unsigned)count;
    }
}

int bench_forward_by_ring(const char *in, const char *out, const int *stop) {
    int receiver, sender, error;
    open_pair(out, &receiver, &sender, &error);
    char *ring = MAP_FAILED;
    if (error == 0) {
        int version = TPACKET_V2;
        struct tpacket_req request = {
            .tp_block_size = 65536,
            .tp_block_nr = slots * slot_size / 65536,
            .tp_frame_size = slot_size,
            .tp_frame_nr = slots,
        };
        if (setsockopt(receiver, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
            setsockopt(receiver, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
            error = errno;
        else
            ring = mmap(NULL, slots * slot_size, PROT_READ | PROT_WRITE, MAP_SHARED, receiver, 0);
        if (error == 0 && ring == MAP_FAILED) error = errno;
    }
    if (error == 0) error = bind_socket(receiver, in, ETH_P_ALL);
    if (error == 0) forward_ring(ring, receiver, sender, stop);
    if (ring != MAP_FAILED) munmap(ring, slots * slot_size);
    close_pair(receiver, sender);
    return error;
}

int bench_generate(const char *out, const uint8_t *frame, int length, const int *stop) {
    int fd = open_socket(), one = 1;
    if (fd < 0) return errno;
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    int error = bind_socket(fd, out, 0);
    struct mmsghdr messages[batch];
    struct iovec vector = {.iov_base = (void *)frame, .iov_len = (size_t)length};
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < batch; i++) {
        messages[i].msg_hdr.msg_iov = &vector;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (error == 0 && !stopped(stop)) sendmmsg(fd, messages, batch, 0);
    close(fd);
    return error;
}
