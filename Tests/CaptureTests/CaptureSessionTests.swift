@testable import Capture
import EventLoop
import Evidence
import Glibc
import LabTime
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

    /// Takes what the kernel has handed over, as the capture process does whenever a ring is readable.
    private static func read(_ session: CaptureSession) throws {
        for position in session.fileDescriptors.indices { try session.readable(position) }
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
            let arrived = try lab.sendStream(1 << 20) { try Self.read(session) }
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

    @Test func `a full disk is reported once, the file stays readable, and other captures go on`() throws {
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
            #expect(throws: CaptureError.self) { try session.flush() }
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

    @Test func `a ring that was full reports when, and only then`() throws {
        let folder = folder
        let (summary, burst) = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder), settings: CaptureSettings(ringSize: 1 << 19))
            try session.barrier(nonce: 1)
            try lab.sendDatagrams(100)
            try session.barrier(nonce: 2)
            let start = Timestamp.now()
            // More than the ring holds, and nobody reads meanwhile.
            try lab.sendDatagrams(20_000)
            let end = Timestamp.now()
            try session.barrier(nonce: 3)
            try lab.sendDatagrams(100)
            try session.barrier(nonce: 4)
            return (session.finish()[0], (start: start, end: end))
        }
        #expect(summary.dropped > 0)
        #expect(summary.droppedAtAnyTime == 0)
        let loss = try #require(summary.losses.first)
        #expect(loss.frames != nil)
        // Between the last look before the burst, which may be as old as a barrier, and the first one after it.
        #expect(loss.from <= burst.start && loss.from > burst.start - .seconds(1))
        #expect(loss.to >= burst.start && loss.to < burst.end + .seconds(1))
        #expect(summary.losses.last!.to < burst.end + .seconds(1))
    }

    @Test func `a kernel that gives no count leaves in doubt what was lost, from the last count on`() throws {
        let folder = folder
        let (summaries, lost) = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder))
            try session.barrier(nonce: 1)
            try lab.sendDatagrams(10)
            try session.barrier(nonce: 2)
            // The ring's descriptor is now another file's, which has no statistics.
            let null = open("/dev/null", O_RDWR)
            let lost = Timestamp.now()
            dup2(null, session.fileDescriptors[0])
            close(null)
            return (session.finish(), lost)
        }
        #expect(summaries[0].frames > 0)
        let loss = try #require(summaries[0].losses.first)
        #expect(loss.frames == nil)
        #expect(loss.from <= lost && loss.to >= lost)
        #expect(summaries[1].losses.isEmpty)
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

    /// Frames of both interfaces of a cable that is added to the lab, with the addresses of its ends.
    private static func secondCable(_ lab: borrowing CaptureLab, _ folder: TemporaryFolder) throws -> [CapturePoint] {
        var socket = try NetlinkSocket(in: lab.left.descriptor)
        try socket.perform([
            .createVethPair(VethEnd("second"), VethEnd("second", namespace: lab.right.descriptor)), .setUp("second"),
        ])
        var there = try NetlinkSocket(in: lab.right.descriptor)
        try there.perform(.setUp("second"))
        return [("left", lab.left.descriptor), ("right", lab.right.descriptor)].map {
            CapturePoint(
                node: $0, interface: "second", namespace: $1, path: folder.file("\($0).second.pcap"),
                reportedPath: "\($0).second.pcap")
        }
    }

    /// A frame of a local experiment, told from others by its number.
    private static func experiment(_ number: UInt8, tag: [UInt8] = [], length: Int = 60) -> [UInt8] {
        let head: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1] + tag + [0x88, 0xb6, number]
        return head + [UInt8](repeating: number, count: length - head.count)
    }

    @Test func `interfaces of one namespace are not mixed up, nor the two directions`() throws {
        let folder = folder
        let summaries = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(
                try Self.points(lab, folder) + Self.secondCable(lab, folder))
            try session.barrier(nonce: 1)
            for number in UInt8(0)..<40 {
                let (end, interface) = (number % 2 == 0, number % 4 < 2 ? "inside" : "second")
                if end {
                    try lab.send(Self.experiment(number), through: interface, of: lab.left)
                } else {
                    try lab.send(Self.experiment(number), through: interface, of: lab.right)
                }
                // Each frame may come later than the block timeout, in a block of its own: more than the ring has.
                try Self.read(session)
            }
            // What passes the loopback is on no cable.
            try lab.left.perform { try lab.sendToItself() }
            try session.barrier(nonce: 2)
            return session.finish()
        }
        #expect(
            summaries.map(\.path) == [
                "left.inside.pcap", "right.inside.pcap", "left.second.pcap", "right.second.pcap",
            ])
        #expect(summaries.map(\.dropped) == [0, 0, 0, 0])
        let all = (UInt8(0)..<40).map { Self.experiment($0) }
        let ofInside = all.enumerated().filter { $0.offset % 4 < 2 }.map(\.element)
        let ofSecond = all.enumerated().filter { $0.offset % 4 >= 2 }.map(\.element)
        for (path, expected) in [
            ("left.inside.pcap", ofInside), ("right.inside.pcap", ofInside), ("left.second.pcap", ofSecond),
            ("right.second.pcap", ofSecond),
        ] {
            #expect(try Self.frames(folder.file(path), "ether proto 0x88b6") == expected, "\(path)")
            #expect(try Self.frames(folder.file(path), "host 127.0.0.1").isEmpty)
        }
    }

    @Test(arguments: [[0x81, 0x00, 0x60, 0x05], [0x88, 0xa8, 0x00, 0x07]] as [[UInt8]])
    func `a VLAN tag is in the capture of both ends`(tag: [UInt8]) throws {
        let folder = folder
        let summaries = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder))
            try session.barrier(nonce: 1)
            for number in UInt8(1)...3 {
                try lab.send(Self.experiment(number, tag: tag, length: 64), through: "inside", of: lab.left)
            }
            try session.barrier(nonce: 2)
            return session.finish()
        }
        let expected = (UInt8(1)...3).map { Self.experiment($0, tag: tag, length: 64) }
        for summary in summaries {
            let frames = try Self.frames(folder.file(summary.path)).filter {
                $0.dropFirst(16).prefix(2) == [0x88, 0xb6]
            }
            #expect(frames == expected, "\(summary.path)")
            if tag[0] == 0x81 { #expect(try Self.frames(folder.file(summary.path), "vlan 5").count == 3) }
        }
    }

    @Test func `a snap length cuts what is kept, and the frame's own length stays`() throws {
        let folder = folder
        let summaries = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder), settings: CaptureSettings(snapLength: 64))
            try session.barrier(nonce: 1)
            try lab.send(Self.experiment(1, length: 60), through: "inside", of: lab.left)
            try lab.send(Self.experiment(2, length: 1514), through: "inside", of: lab.left)
            try lab.send(Self.experiment(3, tag: [0x81, 0, 0, 5], length: 1514), through: "inside", of: lab.left)
            try session.barrier(nonce: 2)
            return session.finish()
        }
        for summary in summaries {
            var file = try CaptureFile(path: folder.file(summary.path))
            var lengths: [[Int]] = []
            while let record = try file.next() { lengths.append([record.bytes.count, record.originalLength]) }
            #expect(lengths == [[60, 60], [64, 1514], [64, 1514]], "\(summary.path)")
        }
    }

    @Test func `a burst that the ring can hold loses nothing`() throws {
        let folder = folder
        let summaries = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(try Self.points(lab, folder) + Self.secondCable(lab, folder))
            try session.barrier(nonce: 1)
            // Nobody reads meanwhile.
            try lab.sendDatagrams(15_000)
            try session.barrier(nonce: 2)
            return session.finish()
        }
        #expect(summaries.allSatisfy { $0.isLossless })
        for summary in summaries.prefix(2) {
            var numbers: [UInt64] = []
            var file = try CaptureFile(path: folder.file(summary.path))
            let datagrams = try CaptureFilter("udp dst port 9")
            while let record = try file.next(matching: datagrams) {
                numbers.append(UInt64(bigEndian: record.bytes.loadUnaligned(fromByteOffset: 42, as: UInt64.self)))
            }
            #expect(numbers == Array(0..<15_000), "\(summary.path)")
        }
    }

    @Test func `frames that a shared ring lost may be of each of its interfaces`() throws {
        let folder = folder
        let summaries = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(
                try Self.points(lab, folder) + Self.secondCable(lab, folder),
                settings: CaptureSettings(ringSize: 1 << 18))
            try session.barrier(nonce: 1)
            try lab.sendDatagrams(20_000)
            try session.barrier(nonce: 2)
            return session.finish()
        }
        // Left and right have a ring each, of two interfaces.
        for (inside, second) in [(summaries[0], summaries[2]), (summaries[1], summaries[3])] {
            #expect(inside.dropped > 0)
            #expect(inside.losses == second.losses && inside.dropped == second.dropped)
            #expect(inside.droppedAtAnyTime == 0)
            let frames = try Self.frames(folder.file(inside.path), "udp dst port 9").count
            #expect(frames + inside.dropped >= 20_000)
        }
    }

    @Test func `three hundred captures share the rings of their namespaces, and a barrier reads each once or twice`()
        throws
    {
        let folder = folder
        let (summaries, descriptors) = try NamespaceThread.run {
            let lab = try CaptureLab()
            var socket = try NetlinkSocket(in: lab.left.descriptor)
            var there = try NetlinkSocket(in: lab.right.descriptor)
            let names = (0..<150).map { "e\($0)" }
            try socket.perform(
                names.map {
                    .createVethPair(VethEnd($0), VethEnd($0, namespace: lab.right.descriptor))
                } + names.map { .setUp(.name($0)) })
            try there.perform(names.map { .setUp(.name($0)) })
            let points = names.flatMap { name in
                [("left", lab.left.descriptor), ("right", lab.right.descriptor)].map {
                    CapturePoint(
                        node: $0, interface: name, namespace: $1, path: folder.file("\($0).\(name).pcap"))
                }
            }
            let session = try CaptureSession(points)
            let descriptors = session.fileDescriptors.count
            try session.barrier(nonce: 1)
            for (number, name) in names.enumerated() {
                try lab.send(Self.experiment(UInt8(number)), through: name, of: lab.right)
            }
            try session.barrier(nonce: 2)
            return (session.finish(), descriptors)
        }
        #expect(descriptors == 2)
        #expect(summaries.count == 300 && summaries.allSatisfy { $0.isLossless })
        for (position, summary) in summaries.enumerated() {
            let expected = Self.experiment(UInt8(position / 2))
            #expect(try Self.frames(summary.path, "ether proto 0x88b6") == [expected], "\(summary.path)")
        }
    }

    // MARK: Limits

    private static func numbers(_ path: String) throws -> [UInt64] {
        var file = try CaptureFile(path: path)
        let datagrams = try CaptureFilter("udp dst port 9")
        var numbers: [UInt64] = []
        while let record = try file.next(matching: datagrams) {
            numbers.append(UInt64(bigEndian: record.bytes.loadUnaligned(fromByteOffset: 42, as: UInt64.self)))
        }
        return numbers
    }

    @Test func `a limit keeps the first frames, counts the others and reports since when`() throws {
        let folder = folder
        let limit = CaptureLimit(bytes: 16_384, policy: .keepsFirst)
        let (summaries, volume, began) = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder), settings: CaptureSettings(limit: limit))
            try session.barrier(nonce: 1)
            let began = Timestamp.now()
            try lab.sendDatagrams(1000)
            try session.barrier(nonce: 2)
            let volume = session.volume
            return (session.finish(), volume, began)
        }
        #expect(summaries.map(\.dropped) == [0, 0])
        #expect(volume.bytes <= limit.bytes && volume.bytes > limit.bytes - 200)
        #expect(volume.leftOut == summaries.reduce(0) { $0 + $1.leftOut })
        #expect(volume.leftOut > 1000)
        #expect(Set(summaries.map { $0.frames + $0.leftOut }).count == 1, "both ends saw the same frames")
        // What is read first fills the files.
        #expect(summaries.reduce(0) { $0 + $1.frames } > 40)
        for summary in summaries {
            let numbers = try Self.numbers(folder.file(summary.path))
            #expect(numbers == Array(0..<UInt64(numbers.count)))
            #expect(try Self.frames(folder.file(summary.path)).count == summary.frames)
            #expect(summary.frames + summary.leftOut >= 1000)
            let loss = try #require(summary.losses.first)
            #expect(summary.losses.count == 1 && loss.cause == .captureLimit && loss.frames == summary.leftOut)
            #expect(loss.from >= began && loss.to > loss.from)
            #expect(!summary.isLossless && summary.droppedAtAnyTime == 0)
        }
    }

    @Test func `a limit keeps the newest frames in files that begin anew`() throws {
        let folder = folder
        let limit = CaptureLimit(bytes: 1 << 20, policy: .keepsNewest)
        let (summaries, volume) = try NamespaceThread.run {
            let lab = try CaptureLab()
            let session = try CaptureSession(Self.points(lab, folder), settings: CaptureSettings(limit: limit))
            try session.barrier(nonce: 1)
            for round in 0..<20 {
                try lab.sendDatagrams(1500, first: round * 1500)
                try session.barrier(nonce: UInt64(round) + 2)
            }
            let volume = session.volume
            return (session.finish(), volume)
        }
        // 30,000 datagrams at both ends are 4 MB.
        #expect(volume.bytes <= limit.bytes && volume.bytes > limit.bytes / 2)
        for end in ["left", "right"] {
            let files = summaries.filter { $0.node == end }
            #expect(files.count > 3)
            #expect(files.last?.path == "\(end).inside.pcap")
            #expect(files.dropLast().allSatisfy { $0.path.hasPrefix("\(end).inside.pcap.") })
            let numbers = try files.flatMap { try Self.numbers(folder.file($0.path)) }
            #expect(numbers.last == 29_999)
            #expect(numbers == Array(numbers[0]...29_999), "no gap in what is kept")
            let loss = try #require(files[0].losses.first)
            #expect(loss.cause == .captureLimit && loss.frames == files[0].leftOut)
            #expect(files.dropFirst().allSatisfy { $0.isLossless })
            #expect(files.reduce(0) { $0 + $1.frames } + files[0].leftOut >= 30_000)
        }
        let onDisk = summaries.reduce(0) { $0 + TemporaryFolder.read(folder.file($1.path)).count }
        #expect(onDisk == volume.bytes)
    }
}
