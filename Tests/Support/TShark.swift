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

    /// Frames that a display filter selects in any of these captures, which tshark reads one after the other: it takes
    /// longer to start than to read a small capture.
    /// - Throws: also where a file is no capture with nanoseconds of Ethernet, as labs write them
    public static func frames(
        ofAll captures: [String], matching filter: String
    ) throws -> [(capture: String, number: Int)] {
        let folder = try TemporaryFolder()
        let joined = folder.path + "/joined.pcap"
        var bytes = Data()
        var counts: [(capture: String, frames: Int)] = []
        for capture in captures {
            let file = try Data(contentsOf: URL(fileURLWithPath: capture))
            func word(_ offset: Int) -> Int {
                file[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            }
            guard file.count >= 24, word(0) == 0xa1b2_3c4d, word(20) == 1 else {
                throw Failure(text: "\(capture) is no capture with nanoseconds of Ethernet")
            }
            var (offset, frames) = (24, 0)
            while offset + 16 <= file.count {
                offset += 16 + word(offset + 8)
                frames += 1
            }
            guard offset == file.count else { throw Failure(text: "\(capture) ends within a record") }
            bytes += bytes.isEmpty ? file : file.dropFirst(24)
            counts.append((capture, frames))
        }
        try bytes.write(to: URL(fileURLWithPath: joined))
        var (first, selected) = (0, try Self.frames(of: joined, matching: filter)[...])
        var found: [(capture: String, number: Int)] = []
        for (capture, frames) in counts {
            while let number = selected.first, number <= first + frames {
                found.append((capture, number - first))
                selected.removeFirst()
            }
            first += frames
        }
        return found
    }
}
