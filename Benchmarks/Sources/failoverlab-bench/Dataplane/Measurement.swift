internal import CForwarders
internal import EventLoop
internal import Glibc
internal import LabTime
internal import Netlink

/// What one measurement under full load found.
struct Rate {
    /// Frames a second that reached the sink.
    let forwarded: Double
    /// Frames a second that the generator sent.
    let offered: Double
    /// Of the forwarding thread, for each frame forwarded.
    let processorTime: Duration
}

enum Measurement {
    private static let warmUp: UInt32 = 300_000  // µs

    /// Feeds a forwarder as fast as the generator can.
    static func rate(of contender: Contender, seconds: Double) throws -> Rate {
        let path = try BenchPath(kernelForwards: contender.isKernel)
        let forwarder = try start(contender, on: path)
        let frame = BenchFrame.make(to: contender.destination)
        let generator = try BackgroundThread(in: path.generator.descriptor, processor: 1) { stop in
            let error = bench_generate("generator", frame, Int32(frame.count), stop)
            guard error == 0 else { throw BenchmarkFailure("generator: \(String(cString: strerror(error)))") }
        }
        usleep(warmUp)
        let (before, received, sent) = (forwarder.processorTime, try LinkCount(of: "sink").received, try offered(path))
        let begin = Instant.monotonic()
        usleep(UInt32(seconds * 1e6))
        let elapsed = Double((Instant.monotonic() - begin).nanoseconds) / 1e9
        let frames = Double(try LinkCount(of: "sink").received - received)
        let offer = Double(try offered(path) - sent)
        let used = forwarder.processorTime - before
        try generator.stop()
        try forwarder.stop()
        return Rate(
            forwarded: frames / elapsed, offered: offer / elapsed,
            processorTime: .nanoseconds(Int64(Double(used.nanoseconds) / max(1, frames))))
    }

    /// The time of single frames from the generator's send to the sink's receive, 10 ms apart: with nothing to batch,
    /// this is what a forwarder adds to a quiet lab.
    static func latencies(of contender: Contender, probes: Int) throws -> [Duration] {
        let path = try BenchPath(kernelForwards: contender.isKernel)
        let forwarder = try start(contender, on: path)
        let frame = BenchFrame.make(to: contender.destination)
        let sink = bench_open("sink", 200)
        let generator = try path.generator.perform { bench_open("generator", 200) }
        guard sink >= 0, generator >= 0 else { throw BenchmarkFailure("no packet socket") }
        defer {
            close(sink)
            close(generator)
        }
        // Beside the box, not on its core: there a frame would need no wake-up of another core.
        _ = bench_pin(1)
        defer { bench_unpin() }
        usleep(warmUp)
        var times: [Duration] = []
        var lost = 0
        var buffer = [UInt8](repeating: 0, count: 2048)
        // The first ones make the box look up its next hop.
        for probe in -5..<probes {
            let begin = Instant.monotonic()
            send(generator, frame, frame.count, 0)
            var count = 0
            // Others, ARP for one, may talk too.
            repeat {
                count = recv(sink, &buffer, buffer.count, 0)
            } while count > 0 && count != contender.forwardedLength
            let end = Instant.monotonic()
            if probe >= 0 { if count > 0 { times.append(end - begin) } else { lost += 1 } }
            usleep(10_000)
        }
        try forwarder.stop()
        guard lost == 0 else { throw BenchmarkFailure("\(contender.name) lost \(lost) of \(probes) lone frames") }
        return times.sorted()
    }

    private static func start(_ contender: Contender, on path: borrowing BenchPath) throws -> BackgroundThread {
        try BackgroundThread(in: path.box.descriptor, processor: 0) { try contender.forward(until: $0) }
    }

    private static func offered(_ path: borrowing BenchPath) throws -> UInt64 {
        try path.generator.perform { try LinkCount(of: "generator").sent }
    }
}
