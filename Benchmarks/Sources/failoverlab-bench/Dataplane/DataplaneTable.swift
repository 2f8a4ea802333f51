internal import LabTime

/// What the measurements found, for people.
struct DataplaneTable {
    let contenders: [Contender]
    let rates: [Contender: [Rate]]
    let latencies: [Contender: [Duration]]
    let seconds: Double
    let repetitions: Int
    let hasTwoCores: Bool

    var text: String {
        var lines = [
            "Frames of 64 bytes (60 and the FCS) through one box: generator ─ box ─ sink, each in a network namespace,",
            "joined by veths. Median of \(repetitions) measurements of \(seconds) s, taken in turns; "
                + (hasTwoCores
                    ? "one core for the box, one for the generator."
                    : "ONE core for box and generator: compare nothing."),
            "",
            row(
                "", ["frames/s", "to plain C", "lowest", "highest", "offered/s", "CPU/frame", "lone frame", "slowest"]),
        ]
        let reference = median(rates[.receiveAndSend, default: []].map(\.forwarded))
        for contender in contenders {
            let measured = rates[contender, default: []]
            let forwarded = measured.map(\.forwarded).sorted()
            let times = latencies[contender, default: []]
            guard let lowest = forwarded.first, let highest = forwarded.last, let slowest = times.last else { continue }
            let cost = median(measured.map { Double($0.processorTime.nanoseconds) })
            lines.append(
                row(
                    contender.name,
                    [
                        grouped(median(forwarded)), fixed(median(forwarded) / reference), grouped(lowest),
                        grouped(highest), grouped(median(measured.map(\.offered))),
                        contender.isKernel ? "–" : "\(Int(cost)) ns", microseconds(times[times.count / 2]),
                        microseconds(slowest),
                    ]))
        }
        lines += [
            "",
            "The kernel forwards on the generator's core, as a part of sending. A forwarder that keeps up gets no more",
            "than is offered: its CPU/frame says what it could do. A lone frame is timed from send to receive, 10 ms",
            "after the one before.",
        ]
        return lines.joined(separator: "\n")
    }

    private func row(_ name: String, _ cells: [String]) -> String {
        let padded = name + String(repeating: " ", count: max(0, 28 - name.count))
        return padded + cells.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
    }

    private func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return .nan }
        return values.sorted()[values.count / 2]
    }

    private func grouped(_ value: Double) -> String {
        var digits = String(Int(value))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }

    private func fixed(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    private func microseconds(_ duration: Duration) -> String { "\(duration.nanoseconds / 1000) µs" }
}
