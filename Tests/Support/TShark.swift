import Foundation

/// Wireshark's own opinion on a capture file.
public enum TShark {
    public static let path = Package.tool("tshark")

    public struct Failure: Error {
        public var text: String
    }

    /// Selects frames that are malformed or carry a wrong checksum.
    ///
    /// A TCP checksum of 0xffff whose calculated value is 0 is one's complement's other zero, which every receiver
    /// accepts. Wireshark calls it bad, but Linux sends it for one frame in 65,536 (`skb_checksum_help` writes
    /// `CSUM_MANGLED_0` whatever the protocol); `tcp.checksum.ffff` names this case alone.
    public static let badFrames = """
        _ws.malformed or ip.checksum.status == "Bad" or udp.checksum.status == "Bad" \
        or (tcp.checksum.status == "Bad" and not tcp.checksum.ffff) or icmp.checksum.status == "Bad" \
        or icmpv6.checksum.status == "Bad" or vrrp.checksum.status == "Bad"
        """

    /// Numbers of the frames that a display filter selects, with every checksum checked.
    public static func frames(of capture: String, matching filter: String) throws -> [Int] {
        guard let path else { throw Failure(text: "tshark is not installed") }
        let checks = ["ip", "tcp", "udp"].flatMap { ["-o", "\($0).check_checksum:TRUE"] }
        let arguments = ["-n", "-r", capture] + checks + ["-Y", filter, "-T", "fields", "-e", "frame.number"]
        let result = try Command.run(path, arguments)
        guard result.status == 0 else { throw Failure(text: "\(capture): \(result.errors)") }
        return result.output.split(separator: "\n").compactMap { Int($0) }
    }
}
