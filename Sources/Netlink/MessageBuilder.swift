internal import CNetlink
internal import Glibc
internal import Wire

/// Writes one message with libmnl into memory of its own.
struct MessageBuilder: ~Copyable {
    /// Longer than any request of this module; a name that makes it longer is reported, not cut.
    static let capacity = 1024

    private let memory: UnsafeMutableRawPointer
    private let header: UnsafeMutablePointer<nlmsghdr>
    private var unresolved: [(name: String, offset: Int)] = []
    private var problem: String?

    /// - Parameter flags: beside `NLM_F_REQUEST`
    init(type: some BinaryInteger, flags: some BinaryInteger = NLM_F_ACK) {
        memory = .allocate(byteCount: Self.capacity, alignment: 8)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: Self.capacity)
        header = mnl_nlmsg_put_header(memory)
        header.pointee.nlmsg_type = UInt16(type)
        header.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST) | UInt16(flags)
    }

    deinit { memory.deallocate() }

    private var length: Int { Int(header.pointee.nlmsg_len) }

    /// Puts a fixed structure behind the message's header, or inside an attribute.
    mutating func putStructure<T: BitwiseCopyable>(_ value: T) {
        let place = mnl_nlmsg_put_extra_header(header, MemoryLayout<T>.size)
        place?.copyMemory(from: [value], byteCount: MemoryLayout<T>.size)
    }

    /// Puts a reference into a structure that was just put, `fieldOffset` bytes from its start.
    mutating func putIndex(_ reference: LinkReference, ofStructureSize size: Int, fieldOffset: Int) {
        let offset = length - (size + 3) / 4 * 4 + fieldOffset
        switch reference {
        case .index(let index): memory.storeBytes(of: index, toByteOffset: offset, as: Int32.self)
        case .name(let name): unresolved(name, at: offset)
        }
    }

    /// Puts a reference so many bytes before the end of what was just put.
    mutating func putIndex(_ reference: LinkReference, beforeEnd distance: Int) {
        switch reference {
        case .index(let index): memory.storeBytes(of: index, toByteOffset: length - distance, as: Int32.self)
        case .name(let name): unresolved(name, at: length - distance)
        }
    }

    mutating func put(_ type: some BinaryInteger, u8 value: UInt8) {
        check(mnl_attr_put_u8_check(header, Self.capacity, UInt16(type), value))
    }

    mutating func put(_ type: some BinaryInteger, u32 value: UInt32) {
        check(mnl_attr_put_u32_check(header, Self.capacity, UInt16(type), value))
    }

    mutating func put(_ type: some BinaryInteger, bytes: [UInt8]) {
        check(mnl_attr_put_check(header, Self.capacity, UInt16(type), bytes.count, bytes))
    }

    mutating func put(_ type: some BinaryInteger, string: String) {
        check(mnl_attr_put_strz_check(header, Self.capacity, UInt16(type), string))
    }

    /// A name that the kernel is to give or to find; refused here where it cannot be one.
    mutating func put(_ type: some BinaryInteger, name: String) {
        if let problem = InterfaceName.problem(in: name) {
            self.problem = self.problem ?? problem
        } else {
            put(type, string: name)
        }
    }

    mutating func put(_ type: some BinaryInteger, mac: MACAddress) {
        var bytes = [UInt8](repeating: 0, count: 6)
        bytes.withUnsafeMutableBytes { $0.baseAddress!.write(mac, at: 0) }
        put(type, bytes: bytes)
    }

    /// An attribute that holds the index of an interface.
    mutating func put(_ type: some BinaryInteger, indexOf reference: LinkReference) {
        switch reference {
        case .index(let index): put(type, u32: UInt32(bitPattern: index))
        case .name(let name):
            put(type, u32: 0)
            unresolved(name, at: length - 4)
        }
    }

    mutating func nest(_ type: some BinaryInteger, _ body: (inout MessageBuilder) -> Void) {
        let start = mnl_attr_nest_start_check(header, Self.capacity, UInt16(type))
        check(start != nil)
        body(&self)
        if let start { mnl_attr_nest_end(header, start) }
    }

    /// - Parameter problem: replaces what the builder found, if anything is wrong on the caller's side
    consuming func finish(
        verb: String, interface: String?, changesNames: Bool = false, problem: String? = nil
    ) -> NetlinkRequest {
        let bytes = Array(UnsafeRawBufferPointer(start: memory, count: (length + 3) / 4 * 4))
        return NetlinkRequest(
            verb: verb, interface: interface, bytes: bytes, unresolved: unresolved, changesNames: changesNames,
            problem: problem ?? self.problem)
    }

    private mutating func unresolved(_ name: String, at offset: Int) {
        problem = problem ?? InterfaceName.problem(in: name)
        unresolved.append((name, offset))
    }

    private mutating func check(_ fits: Bool) {
        if !fits { problem = problem ?? "it is longer than \(Self.capacity) bytes" }
    }
}
