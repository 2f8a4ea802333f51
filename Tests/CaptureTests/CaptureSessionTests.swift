@testable import Capture
import Evidence
import Glibc
import Netlink
import SystemPackage
import TestSupport
import Testing

@Suite("Live captures", .enabled(if: Host.canCreateNamespaces, Comment(rawValue: Host.needsNamespaces)))
struct CaptureSessionTests {
    let folder = TemporaryFolder()

    private static func points(_ lab: borrowing CaptureLab, _ folder: TemporaryFolder) -> [CapturePoint] {
        [("left", lab.left.descriptor), ("right", lab.right.descriptor)].map {
            CapturePoint(
                node: $0, interface: "inside", namespace: $1, path: folder.file("\($0).inside.pcap"),
                reportedPath: "\($0).inside.pcap")
        }
    }

    private static func frames(_ path: String, _ filter: String? = nil) throws -> [[UInt8]] {
        var file = try CaptureFile(path: path)
        let compiled = try filter.map { try CaptureFilter($0) }
        var frames: [[UInt8]] = []
        while let record = try file.next(matching: compiled) { frames.append(Array(record.bytes)) }
        return frames
    }

    @Test func `both ends of a link see the same frames, and no sentinel`() throws {
        let folder = folder
        let summaries = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder))
            try session.barrier(nonce: 1)
            try lab.sendDatagrams(100)
            try session.barrier(nonce: 2)
            return session.finish()
        }
        #expect(summaries.map(\.dropped) == [0, 0])
        #expect(summaries.map(\.path) == ["left.inside.pcap", "right.inside.pcap"])
        let left = try Self.frames(folder.file("left.inside.pcap"))
        let right = try Self.frames(folder.file("right.inside.pcap"))
        #expect(left == right)
        #expect(summaries.map(\.frames) == [left.count, right.count])
        #expect(try Self.frames(folder.file("left.inside.pcap"), "udp dst port 9").count == 100)
        #expect(try Self.frames(folder.file("right.inside.pcap"), "ether proto 0x88b5").isEmpty)
    }

    @Test func `an event loop can drive the barrier by descriptors`() throws {
        let folder = folder
        let (before, after, frames) = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder))
            try session.barrier(nonce: 1)
            try session.sendSentinels(nonce: 2)
            let before = session.pendingSentinels
            var polls = session.fileDescriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            while !session.pendingSentinels.isEmpty, poll(&polls, nfds_t(polls.count), 10_000) > 0 {
                for (position, entry) in polls.enumerated() where entry.revents != 0 {
                    try session.readable(position)
                }
            }
            return (before, session.pendingSentinels, session.finish().map(\.frames))
        }
        #expect(before == [0, 1])
        #expect(after == [])
        #expect(frames == [0, 0])
    }

    @Test(.enabled(if: TShark.path != nil, "tshark is not installed"))
    func `tshark finds no malformed frame and no bad checksum in a bulk transfer`() throws {
        let folder = folder
        let (arrived, summaries) = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder))
            try session.barrier(nonce: 1)
            try lab.sendDatagrams(3)
            let arrived = try lab.sendStream(1 << 20)
            try session.barrier(nonce: 2)
            return (arrived, session.finish())
        }
        #expect(arrived == 1 << 20)
        #expect(summaries.map(\.dropped) == [0, 0])
        for summary in summaries {
            let path = folder.file(summary.path)
            let unchecked = "tcp.checksum.status == 2 or udp.checksum.status == 2 or ip.checksum.status == 2"
            let bad = "\(TShark.badFrames) or \(unchecked) or frame.len > 1514 or eth.type == 0x88b5"
            #expect(try TShark.frames(of: path, matching: bad) == [])
            #expect(try TShark.frames(of: path, matching: "frame").count == summary.frames)
            #expect(try TShark.frames(of: path, matching: "tcp.len > 0").count > 700)
        }
    }

    @Test func `a capture goes on when its interface went down and came up again`() throws {
        let folder = folder
        let (summaries, failures, pendingWhileDown) = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder))
            try session.barrier(nonce: 1)
            try lab.sendDatagrams(5)
            var socket = try NetlinkSocket(in: lab.left.descriptor)
            try socket.perform(.setDown("inside"))
            // The end that is down cannot send, its peer has no carrier: both are drained by counting.
            try session.barrier(nonce: 2)
            let pending = session.pendingSentinels
            let flushed = try Self.frames(folder.file("left.inside.pcap"), "udp").count
            try socket.perform(.setUp("inside"))
            try session.barrier(nonce: 3)
            try lab.sendDatagrams(7)
            try session.barrier(nonce: 4)
            return (session.finish(), session.failures, pending.count + (flushed == 5 ? 0 : 100))
        }
        #expect(failures == [])
        #expect(pendingWhileDown == 0)
        #expect(summaries.map(\.dropped) == [0, 0])
        #expect(try Self.frames(folder.file("left.inside.pcap"), "udp").count == 12)
        #expect(try Self.frames(folder.file("right.inside.pcap"), "udp").count == 12)
    }

    @Test func `an end that lost its carrier is drained by count, because it can send no sentinel`() throws {
        let folder = folder
        let summaries = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder))
            try session.barrier(nonce: 1)
            try lab.sendDatagrams(5)
            // The far end goes down, as that of a box without power: the near end stays up, without carrier.
            var socket = try NetlinkSocket(in: lab.right.descriptor)
            try socket.perform(.setDown("inside"))
            try session.barrier(nonce: 2)
            return session.finish()
        }
        #expect(try Self.frames(folder.file("left.inside.pcap"), "udp").count == 5)
        #expect(summaries.allSatisfy { $0.dropped == 0 })
    }

    @Test func `an interface that is taken away ends its own capture only, and its file stays`() throws {
        let folder = folder
        let (summaries, failures) = try NamespaceThread.run {
            let lab = try CaptureLab()
            var socket = try NetlinkSocket(in: lab.left.descriptor)
            try socket.perform([.createVethPair(VethEnd("a"), VethEnd("b")), .setUp("a"), .setUp("b")])
            var points = Self.points(lab, folder)
            points.append(
                CapturePoint(
                    node: "left", interface: "a", namespace: lab.left.descriptor, path: folder.file("left.a.pcap")))
            let session = try CaptureSession(points)
            try session.barrier(nonce: 1)
            try socket.perform(.deleteLink("inside"))
            try session.barrier(nonce: 2)
            return (session.finish(), session.failures)
        }
        #expect(summaries.count == 3)
        #expect(failures.allSatisfy { $0.kind == .cannotContinue })
        #expect(try Self.frames(folder.file("left.inside.pcap")).count == summaries[0].frames)
    }

    @Test func `what was captured is in the file after a flush`() throws {
        let folder = folder
        let counts = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder))
            try session.barrier(nonce: 1)
            let empty = try Self.frames(folder.file("right.inside.pcap")).count
            try lab.sendDatagrams(50)
            try session.barrier(nonce: 2)
            try session.flush()
            var file = try CaptureFile(path: folder.file("right.inside.pcap"))
            let udp = try CaptureFilter("udp")
            var count = 0
            while try file.next(matching: udp) != nil { count += 1 }
            let isTruncated = file.isTruncated
            _ = session.finish()
            return [empty, count, isTruncated ? 1 : 0]
        }
        #expect(counts == [0, 50, 0])
    }

    @Test func `interfaces that are down, missing or impossible are refused by name`() throws {
        let folder = folder
        let errors = try NamespaceThread.run {
            let lab = try CaptureLab()
            var socket = try NetlinkSocket(in: lab.left.descriptor)
            try socket.perform(.createVethPair(VethEnd("down"), VethEnd("other")))
            return ["down", "nowhere", "any", "lo"].map { name -> CaptureError? in
                do {
                    _ = try CaptureSession([
                        CapturePoint(
                            node: "fw", interface: name, namespace: lab.left.descriptor, path: folder.file("x.pcap"))
                    ])
                    return nil
                } catch { return error as? CaptureError }
            }
        }
        for error in errors { #expect(error?.kind == .cannotOpenInterface) }
        #expect(errors[0]?.capture == "fw.down")
        #expect(errors[0]?.detail?.contains("not up") == true)
        #expect(errors[1]?.detail?.contains("no such interface") == true)
    }

    @Test func `a file that cannot be created is named`() throws {
        let folder = folder
        let error = try NamespaceThread.run { () -> CaptureError? in
            let lab = try CaptureLab()
            var points = Self.points(lab, folder)
            points[1].path = folder.file("missing/right.pcap")
            do {
                _ = try CaptureSession(points)
                return nil
            } catch { return error as? CaptureError }
        }
        #expect(error?.kind == .cannotCreateFile)
        #expect(error?.path == folder.file("missing/right.pcap"))
        #expect(error?.errno == .noSuchFileOrDirectory)
    }

    @Test func `a full disk is told once, the file stays readable, and other captures go on`() throws {
        let folder = folder
        let result = try NamespaceThread.run {
            () throws -> (CaptureError?, CaptureError?, [CaptureSummary], Int, Bool) in
            let lab = try CaptureLab()
            // A file system of 64 KiB, which only this thread sees.
            try SmallDisk.mount(at: folder.path, bytes: 65_536)
            defer { SmallDisk.unmount(folder.path) }
            var points = Self.points(lab, folder)
            points[1].path = "/dev/null"
            let session = try CaptureSession(points)
            try session.barrier(nonce: 1)
            try lab.sendDatagrams(2000)
            for nonce in 2..<4 { try session.barrier(nonce: UInt64(nonce)) }
            let failure = session.failure(of: 0)
            var second: CaptureError?
            do { try session.flush() } catch { second = error as? CaptureError }
            let summaries = session.finish()
            var file = try CaptureFile(path: points[0].path)
            while try file.next() != nil {}
            return (failure, second, summaries, file.count, file.isTruncated)
        }
        let (failure, second, summaries, readable, isTruncated) = result
        #expect(failure?.kind == .cannotWriteFile)
        #expect(failure?.errno == .noSpace)
        #expect(failure?.path == folder.file("left.inside.pcap"))
        #expect(second == nil)
        #expect(readable == summaries[0].frames)
        #expect(readable > 500)
        #expect(!isTruncated)
        #expect(summaries[0].frames + summaries[0].dropped >= 2000)
        #expect(summaries[0].frames + summaries[0].dropped == summaries[1].frames)
        #expect(summaries[1].dropped == 0)
    }

    @Test func `twenty captures open at once, each in its own namespace`() throws {
        let folder = folder
        let summaries = try NamespaceThread.run {
            let lab = try CaptureLab()
            var socket = try NetlinkSocket(in: lab.left.descriptor)
            var points: [CapturePoint] = []
            for number in 0..<10 {
                let (a, b) = ("a\(number)", "b\(number)")
                try socket.perform([
                    .createVethPair(VethEnd(a), VethEnd(b, namespace: lab.right.descriptor)), .setUp(.name(a)),
                ])
                var there = try NetlinkSocket(in: lab.right.descriptor)
                try there.perform(.setUp(.name(b)))
                for (name, namespace) in [(a, lab.left.descriptor), (b, lab.right.descriptor)] {
                    points.append(
                        CapturePoint(
                            node: "n", interface: name, namespace: namespace, path: folder.file("\(name).pcap")))
                }
            }
            let session = try CaptureSession(points, settings: CaptureSettings(ringSize: 1 << 20))
            try session.barrier(nonce: 1)
            return session.finish()
        }
        #expect(summaries.count == 20)
        #expect(summaries.allSatisfy { $0.frames == 0 && $0.dropped == 0 })
    }
}
