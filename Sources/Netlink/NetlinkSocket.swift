internal import CLinux
internal import CNetlink
internal import Glibc
internal import SystemPackage

/// A `NETLINK_ROUTE` socket, which stays bound to the namespace in which it was opened, whatever its thread enters
/// later.
public struct NetlinkSocket: ~Copyable {
    /// What the kernel is asked to do beyond its oldest behaviour.
    public struct Options: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        /// Dump requests with fields that the kernel does not understand are refused, not ignored.
        public static let strictChecking = Options(rawValue: 1)
        /// Errors come with the kernel's words.
        public static let extendedAcknowledgement = Options(rawValue: 2)
    }

    /// Acknowledgements of one batch must fit into the socket's receive buffer, or they are lost.
    static let mostRequestsInBatch = 64
    static let mostBytesInBatch = 32 * 1024

    let socket: OpaquePointer
    let portID: UInt32
    let buffer: UnsafeMutableRawBufferPointer
    private var sequence: UInt32 = 0

    /// Opens a socket in the namespace of the calling thread.
    public init(options: Options = [.strictChecking, .extendedAcknowledgement]) throws(NetlinkError) {
        self.init(try Self.open(), options: options)
    }

    /// Opens a socket in another namespace; the calling thread is back in its own when this returns.
    public init(
        in namespace: Int32, options: Options = [.strictChecking, .extendedAcknowledgement]
    ) throws(NetlinkError) {
        self.init(try Self.open(in: namespace), options: options)
    }

    init(_ socket: OpaquePointer, options: Options) {
        self.socket = socket
        portID = mnl_socket_get_portid(socket)
        buffer = .allocate(byteCount: 32 * 1024, alignment: 8)
        // Kernels before 4.20 know neither; then requests are checked loosely and errors come without words.
        if options.contains(.strictChecking) { enable(NETLINK_GET_STRICT_CHK) }
        if options.contains(.extendedAcknowledgement) {
            enable(NETLINK_EXT_ACK)
            // Only the header of the refused request comes back with its error.
            enable(NETLINK_CAP_ACK)
        }
    }

    /// - Parameters:
    ///   - flags: of socket(2)
    ///   - groups: a bit for each group of notifications
    ///   - bus: of netlink
    static func open(
        flags: Int32 = 0, groups: UInt32 = 0, bus: Int32 = NETLINK_ROUTE
    ) throws(NetlinkError) -> OpaquePointer {
        let verb = "open a netlink socket"
        guard let socket = mnl_socket_open2(bus, Int32(SOCK_CLOEXEC.rawValue) | flags) else {
            throw NetlinkError(.cannotOpen, verb: verb, errno: Errno(rawValue: Glibc.errno))
        }
        guard mnl_socket_bind(socket, groups, pid_t(MNL_SOCKET_AUTOPID)) == 0 else {
            let code = Glibc.errno
            mnl_socket_close(socket)
            throw NetlinkError(.cannotOpen, verb: verb, errno: Errno(rawValue: code))
        }
        return socket
    }

    static func open(
        in namespace: Int32, flags: Int32 = 0, groups: UInt32 = 0, bus: Int32 = NETLINK_ROUTE
    ) throws(NetlinkError) -> OpaquePointer {
        let before = try NetworkNamespace.current()
        try NetworkNamespace.enter(namespace)
        let opened: Result<OpaquePointer, NetlinkError>
        do { opened = .success(try open(flags: flags, groups: groups, bus: bus)) } catch { opened = .failure(error) }
        try before.enter()
        return try opened.get()
    }

    deinit {
        mnl_socket_close(socket)
        buffer.deallocate()
    }

    /// To poll; the socket's own.
    public var fileDescriptor: Int32 { mnl_socket_get_fd(socket) }

    private func enable(_ option: some BinaryInteger) {
        var one: Int32 = 1
        _ = mnl_socket_setsockopt(socket, Int32(option), &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Carries out requests in order, as many as possible with one system call.
    ///
    /// A request that the kernel refuses does not keep it from trying those behind it in the same batch; the first
    /// refusal is thrown when the whole batch is answered, and later batches are not sent.
    public mutating func perform(_ requests: [NetlinkRequest]) throws(NetlinkError) {
        var batch: [UInt8] = []
        var first = 0
        for (position, request) in requests.enumerated() {
            let isFull =
                batch.count + request.bytes.count > Self.mostBytesInBatch
                || position - first == Self.mostRequestsInBatch
            // A name may belong to a link that is still to be made.
            let mustLookUp = !request.unresolved.isEmpty && requests[first..<position].contains { $0.changesNames }
            if isFull || mustLookUp || request.problem != nil {
                try exchange(batch, requests[first..<position])
                batch.removeAll(keepingCapacity: true)
                first = position
            }
            if let problem = request.problem {
                throw NetlinkError(
                    .invalidRequest, verb: request.verb, interface: request.interface, kernelMessage: problem)
            }
            let start = batch.count
            batch += request.bytes
            for (name, offset) in request.unresolved {
                let index = try index(of: name, for: request.verb)
                batch.store(UInt32(bitPattern: index), at: start + offset)
            }
        }
        try exchange(batch, requests[first...])
    }

    /// Carries out one request.
    public mutating func perform(_ request: NetlinkRequest) throws(NetlinkError) {
        try perform([request])
    }

    /// The index of an interface in the socket's namespace.
    public borrowing func index(of name: String) throws(NetlinkError) -> Int32 {
        try index(of: name, for: "find the interface")
    }

    private borrowing func index(of name: String, for verb: String) throws(NetlinkError) -> Int32 {
        let index = cl_interface_index(fileDescriptor, name)
        guard index > 0 else {
            let kind: NetlinkError.Kind = index == -ENODEV ? .noSuchInterface : .refused
            throw NetlinkError(kind, verb: verb, interface: name, errno: Errno(rawValue: -index))
        }
        return index
    }

    /// A number for the next request; it distinguishes replies to older ones.
    mutating func nextSequence() -> UInt32 {
        sequence &+= 1
        return sequence
    }

    private mutating func exchange(
        _ messages: [UInt8], _ requests: ArraySlice<NetlinkRequest>
    ) throws(NetlinkError) {
        guard !requests.isEmpty else { return }
        var messages = messages
        var start = 0
        let firstSequence = sequence &+ 1
        for request in requests {
            messages.store(nextSequence(), at: start + NetlinkRequest.sequenceOffset)
            start += request.bytes.count
        }
        let verb = requests.count == 1 ? requests.first!.verb : "send \(requests.count) requests"
        try send(messages, verb: verb)

        var refusal: (position: Int, error: NetlinkError)?
        var answered = 0
        while answered < requests.count {
            for reply in try receive(verb: verb) {
                let position = Int(Int32(bitPattern: reply.sequence &- firstSequence))
                // Left over from a call that an error ended before all its answers were read.
                if position < 0 { continue }
                guard position < requests.count, reply.port == portID, let result = reply.acknowledgement else {
                    throw NetlinkError(.unexpectedReply, verb: verb)
                }
                answered += 1
                guard result.code != 0, position < refusal?.position ?? .max else { continue }
                let request = requests[requests.startIndex + position]
                refusal = (
                    position,
                    NetlinkError(
                        result.code == ENODEV ? .noSuchInterface : .refused, verb: request.verb,
                        interface: request.interface, errno: Errno(rawValue: result.code),
                        kernelMessage: result.message)
                )
            }
        }
        if let refusal { throw refusal.error }
    }

    borrowing func send(_ messages: [UInt8], verb: String) throws(NetlinkError) {
        while mnl_socket_sendto(socket, messages, messages.count) < 0 {
            guard Glibc.errno == EINTR else {
                throw NetlinkError(.cannotSend, verb: verb, errno: Errno(rawValue: Glibc.errno))
            }
        }
    }

    /// The messages of one datagram; they borrow the socket's buffer until the next call.
    borrowing func receive(verb: String) throws(NetlinkError) -> Replies {
        while true {
            let count = mnl_socket_recvfrom(socket, buffer.baseAddress!, buffer.count)
            if count >= 0 { return Replies(bytes: UnsafeRawBufferPointer(rebasing: buffer[0..<count])) }
            guard Glibc.errno == EINTR else {
                throw NetlinkError(.cannotReceive, verb: verb, errno: Errno(rawValue: Glibc.errno))
            }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func store(_ value: UInt32, at offset: Int) {
        withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: UInt32.self) }
    }
}
