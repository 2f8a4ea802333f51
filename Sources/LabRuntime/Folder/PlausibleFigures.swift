internal import Evidence
internal import Integrity
internal import LabTime
internal import Measurement

// What figures of a run can be. A saved run may hold any numbers: beyond these they are damage, and arithmetic on what
// is within cannot overflow.

/// A value that no run writes.
struct Implausible: Error, CustomStringConvertible {
    var description: String

    init(_ what: String) { description = what }
}

private enum Bounds {
    /// Frames, probes, bytes: the sum over ten million flows still fits.
    static let count = 0...100_000_000_000
    /// A hundred years either way.
    static let length: ClosedRange<Duration> = .seconds(-3_155_760_000)...(.seconds(3_155_760_000))

    static func check(_ value: Int, _ what: String) throws(Implausible) {
        guard count.contains(value) else { throw Implausible("\(what) is \(value)") }
    }

    static func check(_ value: Duration?, _ what: String) throws(Implausible) {
        guard let value, !length.contains(value) else { return }
        throw Implausible("\(what) is longer than a hundred years")
    }

    static func check(_ value: Double, _ what: String, most: Double = 1e12) throws(Implausible) {
        guard value >= 0, value <= most else { throw Implausible("\(what) is \(value)") }
    }
}

extension RunSummary {
    func check() throws(Implausible) {
        // From 1970 to 2100, so that no end of a run is beyond what nanoseconds reach.
        guard (0...4_102_444_800_000_000_000).contains(started.nanoseconds) else {
            throw Implausible("'started' is \(started)")
        }
        try Bounds.check(seconds, "'seconds'", most: 3_155_760_000)
        try Bounds.check(abs(clockStepMilliseconds ?? 0), "'clockStepMilliseconds'")
        for gap in leftOut ?? [] {
            for figure in [gap.offset, gap.bytes, gap.lines] {
                try Bounds.check(figure, "a figure of what \(gap.path) left out")
            }
        }
        for file in files ?? [] {
            try Bounds.check(file.bytes, "'bytes' of \(file.path)")
            // A file of the run folder cannot make the reader open files outside it.
            let parts = file.path.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, !parts.contains(".."), !parts.contains(""), !file.path.utf8.contains(0) else {
                throw Implausible("a file has the path '\(file.path)'")
            }
        }
    }
}

extension CaptureSummary {
    func check() throws(Implausible) {
        try Bounds.check(frames, "'frames' of \(path)")
        try Bounds.check(dropped, "'dropped' of \(path)")
        try Bounds.check(leftOut, "'leftOut' of \(path)")
        for loss in losses { if let frames = loss.frames { try Bounds.check(frames, "'frames' of a loss of \(path)") } }
        // A file of the run folder cannot make the reader open files outside it.
        guard path.hasPrefix("captures/"), path != "captures/..", path.count(where: { $0 == "/" }) == 1,
            !path.utf8.contains(0)
        else {
            throw Implausible("the capture of \(node).\(interface) has the path '\(path)'")
        }
    }
}

extension TrafficResult {
    func check() throws(Implausible) {
        let name = program.name
        let numbers: [(name: String, value: Int)] = [
            ("flows", program.flows), ("payload", program.payload), ("late", late), ("skipped", skipped),
        ]
        for (what, value) in numbers + program.options.numbers { try Bounds.check(value, "'\(what)' of \(name)") }
        let times: [(name: String, value: Duration)] = [("every", program.every), ("patience", program.timeout)]
        for (what, value) in times + program.options.times { try Bounds.check(value, "'\(what)' of \(name)") }
        for flow in flows { try flow.check(of: name) }
        if let further {
            for (value, what) in [
                (further.count, "count"), (further.sent, "sent"), (further.received, "received"),
                (further.lost, "lost"),
                (further.duplicated, "duplicated"), (further.reordered, "reordered"),
            ] {
                try Bounds.check(value, "'\(what)' of the further flows of \(name)")
            }
            for (outcome, count) in further.outcomes { try Bounds.check(count, "'\(outcome)' of \(name)") }
            try Bounds.check(further.lossDerivedGap, "'lossDerivedGap' of \(name)")
            try further.telling?.check(of: name)
        }
        if let connect {
            for (value, what) in [
                (connect.sent, "sent"), (connect.received, "received"), (connect.lost, "lost"),
            ] {
                try Bounds.check(value, "'\(what)' of the connections of \(name)")
            }
            for value in [
                connect.lostPercent, connect.minimumMilliseconds, connect.maximumMilliseconds,
                connect.averageMilliseconds,
            ] {
                try Bounds.check(value, "a figure of the connections of \(name)")
            }
        }
    }
}

extension FlowResult {
    fileprivate func check(of name: String) throws(Implausible) {
        for (value, what) in [
            (sent, "sent"), (received, "received"), (lost, "lost"), (duplicated, "duplicated"),
            (reordered, "reordered"), (garbage, "garbage"), (status ?? 0, "status"), (reconnects ?? 0, "reconnects"),
            (exit ?? 0, "exit"),
        ] {
            try Bounds.check(value, "'\(what)' of a flow of \(name)")
        }
        for (value, what) in [
            (longestGap?.length, "longestGap"), (lossDerivedGap, "lossDerivedGap"), (latency, "latency"),
            (longestDisconnection, "longestDisconnection"),
        ] as [(Duration?, String)] {
            try Bounds.check(value, "'\(what)' of a flow of \(name)")
        }
        for (what, value) in values ?? [:] {
            try Bounds.check(abs(value), "'\(what)' of a run of \(name)", most: CommandTraffic.greatestValue)
        }
    }
}
