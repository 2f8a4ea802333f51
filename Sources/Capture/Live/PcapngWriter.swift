internal import Glibc
internal import LabTime

/// Writes frames of several interfaces as pcapng, which names the interface of each; to a file or a pipe.
///
/// ```
/// section:   0a0d0d0a │ length │ 1a2b3c4d │ version 1.0 │ -1 (length unknown) │ options │ length
/// interface: 1 │ length │ link type 1 │ 0 │ snap length │ if_name, if_tsresol 9 │ length
/// frame:     6 │ length │ interface │ time, high │ time, low │ captured │ original │ bytes, padded │ length
/// ```
/// in host byte order, every part padded to 32 bits; times are nanoseconds.
/// Source: draft-ietf-opsawg-pcapng-02, 4
struct PcapngWriter: ~Copyable {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    /// - Parameter descriptor: stays the caller's
    init(to descriptor: Int32, interfaces: [String], snapLength: Int) {
        self.descriptor = descriptor
        block(0x0a0d_0d0a) {
            $0.put(UInt32(0x1a2b_3c4d))
            $0.put(UInt16(1))
            $0.put(UInt16(0))
            $0.put(Int64(-1))
            $0.option(4, Array("failoverlab".utf8))  // shb_userappl
            $0.put(UInt32(0))
        }
        for name in interfaces {
            block(1) {
                $0.put(UInt16(1))
                $0.put(UInt16(0))
                $0.put(UInt32(clamping: snapLength))
                $0.option(2, Array(name.utf8))  // if_name
                $0.option(9, [9])  // if_tsresol: 10^-9 s
                $0.put(UInt32(0))
            }
        }
    }

    mutating func append(_ frame: LiveFrame) {
        let time = UInt64(frame.time.nanoseconds)
        block(6) {
            $0.put(UInt32(frame.interface))
            $0.put(UInt32(truncatingIfNeeded: time >> 32))
            $0.put(UInt32(truncatingIfNeeded: time))
            $0.put(UInt32(frame.bytes.count))
            $0.put(UInt32(clamping: frame.originalLength))
            $0.pad(frame.bytes)
        }
    }

    /// Writes out everything, whole blocks; waits for a reader that is slow.
    /// - Returns: 0, or the errno of write(2): EPIPE where the reader has gone
    mutating func flush() -> Int32 {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return errno }
            written += count
        }
        buffer.removeAll(keepingCapacity: true)
        return 0
    }

    private mutating func block(_ type: UInt32, _ body: (inout [UInt8]) -> Void) {
        var content: [UInt8] = []
        body(&content)
        let length = UInt32(content.count + 12)
        buffer.put(type)
        buffer.put(length)
        buffer += content
        buffer.put(length)
    }
}

extension [UInt8] {
    fileprivate mutating func put(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
    }

    fileprivate mutating func pad(_ bytes: [UInt8]) {
        self += bytes
        append(contentsOf: repeatElement(0, count: -bytes.count & 3))
    }

    fileprivate mutating func option(_ code: UInt16, _ value: [UInt8]) {
        put(code)
        put(UInt16(value.count))
        pad(value)
    }
}
