internal import CLinux
internal import Dataplane
internal import Glibc

/// Message headers for sendmmsg(2), made once and filled in for each batch.
///
/// Not a transmit ring: forwarded frames lie in the receive ring and would have to be copied into it, and a frame that
/// the far end keeps would keep its slot.
struct TransmitBatch: ~Copyable {
    private let messages: UnsafeMutablePointer<cl_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let addresses: UnsafeMutablePointer<sockaddr_ll>
    private let capacity: Int

    /// - Parameter capacity: most frames a call; the kernel takes 1,024 (UIO_MAXIOV)
    init(capacity: Int) {
        precondition(capacity > 0 && capacity <= 1024)
        self.capacity = capacity
        messages = .allocate(capacity: capacity)
        vectors = .allocate(capacity: capacity)
        addresses = .allocate(capacity: capacity)
        messages.initialize(repeating: cl_message(), count: capacity)
        vectors.initialize(repeating: iovec(), count: capacity)
        var address = sockaddr_ll()
        address.sll_family = sa_family_t(AF_PACKET)
        addresses.initialize(repeating: address, count: capacity)
        for i in 0..<capacity {
            messages[i].header.msg_name = UnsafeMutableRawPointer(addresses + i)
            messages[i].header.msg_namelen = socklen_t(MemoryLayout<sockaddr_ll>.size)
            messages[i].header.msg_iov = vectors + i
            messages[i].header.msg_iovlen = 1
        }
    }

    deinit {
        messages.deallocate()
        vectors.deallocate()
        addresses.deallocate()
    }

    /// Sends the queue's frames in order. Never waits: what the kernel does not take at once is dropped and counted.
    mutating func transmit(
        _ queue: borrowing FrameQueue, through socket: Int32, to links: borrowing Links,
        counters: inout PacketCounters
    ) {
        var next = 0
        while next < queue.count {
            var filled = 0
            while next < queue.count, filled < capacity {
                let frame = queue[next]
                next &+= 1
                guard let interface = links.interface(port: frame.port, side: frame.side) else {
                    counters.noLink &+= 1
                    continue
                }
                addresses[filled].sll_ifindex = interface
                vectors[filled].iov_base = frame.base
                vectors[filled].iov_len = Int(frame.length)
                filled &+= 1
            }
            send(filled, through: socket, counters: &counters)
        }
    }

    private func send(_ count: Int, through socket: Int32, counters: inout PacketCounters) {
        var sent = 0
        while sent < count {
            let taken = cl_send_messages(socket, messages + sent, UInt32(count &- sent), Int32(MSG_DONTWAIT))
            if taken > 0 {
                sent &+= Int(taken)
                counters.sent &+= UInt64(taken)
            } else {
                // The error is the first frame's; the next call begins behind it.
                counters.countRefusal(errno)
                sent &+= 1
            }
        }
    }
}
