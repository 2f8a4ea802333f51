import Foundation
import Testing
import TestSupport
import Wire

/// Wireshark's dissectors as a second opinion on what the emitters write.
@Suite(.enabled(if: Package.tool("tshark") != nil, "tshark is not installed"))
struct `Wireshark's opinion` {
    /// A capture file of the classic format with nanoseconds. Source: draft-ietf-opsawg-pcap, 4 and 5
    static func capture(_ frames: [[UInt8]]) -> [UInt8] {
        func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        var file = word(0xa1b2_3c4d) + [2, 0, 4, 0] + word(0) + word(0) + word(65535) + word(1)
        for (number, frame) in frames.enumerated() {
            file += word(number) + word(0) + word(frame.count) + word(frame.count) + frame
        }
        return file
    }

    static let frames: [[UInt8]] = {
        var frames = [Example.tcp, Example.udp, Example.ping, Example.arp, Example.vrrp, Example.unreachable]
        let memory = GuardedMemory()
        let syn = PacketView(memory.place(Example.tcp))!
        frames.append(Example.frame { FrameBuilder.tcpReset(refusing: syn, mac: Example.serviceMAC, into: $0) })
        withExtendedLifetime(memory) {}
        frames.append(
            Example.frame {
                FrameBuilder.vrrp(
                    VRRPHeader(version: .v2, id: 7, priority: 200, centiseconds: 100), addresses: [Example.service],
                    from: Example.client, mac: .virtualRouter(ipv4: 7), into: $0)
            })
        frames.append(
            Example.frame {
                FrameBuilder.vrrp(
                    VRRPHeader(version: .v3, id: 7, priority: 0, centiseconds: 100),
                    addresses: [IPv6Address.linkLocal(for: .virtualRouter(ipv6: 7))],
                    from: .linkLocal(for: Example.clientMAC), mac: .virtualRouter(ipv6: 7), into: $0)
            })
        frames += Example6.all
        for message in `ICMPv6 and Neighbour Discovery`.all {
            frames.append(
                Example.frame {
                    FrameBuilder.neighborDiscovery(
                        message, from: .linkLocal(for: Example.clientMAC), mac: Example.clientMAC, to: .allNodes,
                        mac: .multicast(for: .allNodes), into: $0)
                })
        }
        return frames
    }()

    @Test func `the filter for bad frames lets the other zero pass and finds every wrong sum`() throws {
        let checksum = 14 + 20 + 16
        let window = checksum - 2
        func word(_ frame: [UInt8], _ at: Int) -> UInt32 { UInt32(frame[at]) << 8 | UInt32(frame[at + 1]) }
        func set(_ frame: inout [UInt8], _ at: Int, _ value: UInt32) {
            frame[at] = UInt8(truncatingIfNeeded: value >> 8)
            frame[at + 1] = UInt8(truncatingIfNeeded: value)
        }
        // With the checksum added to the window, what remains to be complemented is zero.
        var otherZero = Example.tcp
        let sum = word(otherZero, window) + word(otherZero, checksum)
        set(&otherZero, window, (sum & 0xffff) + (sum >> 16))
        set(&otherZero, checksum, 0xffff)
        var wrongOtherZero = Example.tcp
        set(&wrongOtherZero, checksum, 0xffff)
        var wrong = Example.tcp
        set(&wrong, checksum, word(wrong, checksum) ^ 1)
        let folder = try TemporaryFolder()
        let path = folder.path + "/frames.pcap"
        try Data(Self.capture([Example.tcp, otherZero, wrongOtherZero, wrong])).write(to: URL(fileURLWithPath: path))
        #expect(try TShark.frames(of: path, matching: TShark.badFrames) == [3, 4])
        #expect(try TShark.frames(of: path, matching: "tcp.checksum.ffff") == [2])
    }

    @Test func `of many captures each frame that is selected is named by its capture`() throws {
        let folder = try TemporaryFolder()
        let wrong = Example.tcp.replacing(50, with: 0, 1)
        let captures = [[Example.tcp, wrong], [], [Example.tcp], [wrong, Example.tcp, wrong]]
        let paths = try captures.enumerated().map { number, frames in
            let path = "\(folder.path)/\(number).pcap"
            try Data(Self.capture(frames)).write(to: URL(fileURLWithPath: path))
            return path
        }
        let bad = try TShark.frames(ofAll: paths, matching: TShark.badFrames)
        #expect(bad.map(\.capture) == [paths[0], paths[3], paths[3]])
        #expect(bad.map(\.number) == [2, 1, 3])
        try Data(Self.capture([Example.tcp]).dropLast()).write(to: URL(fileURLWithPath: paths[1]))
        #expect(throws: TShark.Failure.self) { try TShark.frames(ofAll: paths, matching: "frame") }
    }

    @Test func `no frame is malformed and no checksum is bad`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/frames.pcap"
        try Data(Self.capture(Self.frames)).write(to: URL(fileURLWithPath: path))
        let checks = ["ip", "tcp", "udp"].flatMap { ["-o", "\($0).check_checksum:TRUE"] }
        let tshark = try #require(Package.tool("tshark"))
        let result = try Command.run(
            tshark,
            // The example's UDP payload is no DNS, whatever its port says.
            ["-n", "-r", path, "--disable-protocol", "dns"] + checks + [
                "-T", "fields", "-e", "frame.number", "-e", "frame.protocols", "-e", "_ws.malformed",
                "-e", "_ws.expert.message",
            ])
        #expect(result.status == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == Self.frames.count)
        for line in lines {
            let text = line.lowercased()
            #expect(!text.contains("malformed") && !text.contains("checksum") && !text.contains("bad"), "\(line)")
        }
    }

    /// The control: the oracle does see a checksum that is wrong.
    @Test func `a checksum that is bad is seen`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/frames.pcap"
        let damaged = [Example.tcp.replacing(50, with: 0, 1), Example.vrrp.replacing(40, with: 0, 1)]
        try Data(Self.capture(damaged)).write(to: URL(fileURLWithPath: path))
        let tshark = try #require(Package.tool("tshark"))
        let result = try Command.run(
            tshark, ["-n", "-r", path, "-o", "tcp.check_checksum:TRUE", "-T", "fields", "-e", "_ws.expert.message"])
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 2 && lines.allSatisfy { $0.lowercased().contains("checksum") }, "\(result.output)")
    }
}
