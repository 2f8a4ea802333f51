internal import Appliances
internal import Wire

/// The TCP connections that a kernel knows, as listed in `/proc/net/tcp`. Source: proc_pid_net(5)
///
///     sl  local_address rem_address   st …
///      0: 0500000A:0FA0 0B00000A:0050 01 …       addresses as the machine's own words, ports as numbers
enum KernelConnections {
    /// In the order of the kernel's numbers, from 1: TCP_ESTABLISHED, TCP_SYN_SENT, …
    private static let states = [
        "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT", "CLOSED", "CLOSE_WAIT",
        "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV",
    ]

    /// Connections of this process's network namespace.
    /// - Parameter isServed: whether an own address and port is one that others connect to: they are then the source
    static func read(isServed: (IPv4Address, UInt16) -> Bool) -> [ConnectionReading] {
        let text = KernelFile.contents("/proc/self/net/tcp") ?? ""
        return text.split(separator: "\n").dropFirst().compactMap { line(String($0), isServed) }
    }

    static func line(_ line: String, _ isServed: (IPv4Address, UInt16) -> Bool) -> ConnectionReading? {
        let words = line.split(separator: " ")
        guard words.count > 3, let own = end(words[1]), let other = end(words[2]), let code = Int(words[3], radix: 16),
            (1...states.count).contains(code), states[code - 1] != "LISTEN"
        else { return nil }
        let (source, destination) = isServed(own.address, own.port) ? (other, own) : (own, other)
        return ConnectionReading(
            source: "\(source.address):\(source.port)", destination: "\(destination.address):\(destination.port)",
            protocol: "tcp", state: states[code - 1])
    }

    private static func end(_ text: Substring) -> (address: IPv4Address, port: UInt16)? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let word = UInt32(parts[0], radix: 16), let port = UInt16(parts[1], radix: 16) else {
            return nil
        }
        return (IPv4Address(rawValue: UInt32(bigEndian: word)), port)
    }
}
