internal import LabTime

/// What the measurements found, for people.
struct HTTPTable {
    let runs: [HTTPContender: [WrkRun]]
    let held: [HTTPContender: HeldClients]
    let slow: SlowClients?
    let seconds: Int
    let connections: Int
    let hasTwoProcessors: Bool

    var text: String {
        var lines = [
            "Requests through one proxy on one core: wrk (\(connections) connections) ─ proxy ─ nginx that answers 100 bytes, each in a",
            "network namespace. Medians of \(runs[.service]?.count ?? 0) measurements of \(seconds) s, taken in turns; "
                + (hasTwoProcessors
                    ? "generator and member share the other core." : "ONE core for all: compare nothing."),
            "Everybody gets the same requests from the same connections, each with one request at a time (a closed loop: who",
            "answers faster is asked more, and latency contains the queue of all others). Both proxies write the same fields",
            "of every request to an access log, many lines by one call.",
            "",
            row("", ["requests/s", "lowest", "highest", "CPU/request", "p50", "p99", "p99.9"]),
        ]
        for contender in HTTPContender.allCases {
            let all = runs[contender, default: []]
            let rates = all.map(\.requestsPerSecond).sorted()
            guard let lowest = rates.first, let highest = rates.last else { continue }
            lines.append(
                row(
                    contender.name,
                    [
                        grouped(median(rates)), grouped(lowest), grouped(highest),
                        micro(median(all.map { microseconds($0.processorTime) })),
                        milli(median(all.map { microseconds($0.median) })),
                        milli(median(all.map { microseconds($0.percentile99) })),
                        milli(median(all.map { microseconds($0.percentile999) })),
                    ]))
        }
        lines += ["", "Target (median of the rounds' ratios)".padded(to: 58) + "wanted     measured"]
        for contender in HTTPContender.allCases where contender.isService {
            let rate = ratio(contender) { $0.requestsPerSecond }
            let tail = ratio(contender) { microseconds($0.percentile99) }
            let name = contender.keepsConnections ? "with multiplexing" : "without multiplexing"
            lines.append(target("\(name): rate, to nginx's", "at least 0.8", fixed(rate), holds: rate >= 0.8))
            lines.append(target("\(name): p99, to nginx's", "at most 1.5", fixed(tail), holds: tail <= 1.5))
        }
        lines += samples
        if let slow {
            if let clients = held[.multiplexingService] {
                lines.append(
                    target(
                        "\(grouped(Double(clients.clients))) clients held, two requests each: served",
                        "\(2 * clients.clients)", "\(clients.served)", holds: clients.served == 2 * clients.clients))
            }
            lines.append(
                target(
                    "\(grouped(Double(slow.clients))) slow clients: answered with 408", "\(slow.clients)",
                    "\(slow.refused)",
                    holds: slow.refused == slow.clients))
            lines.append(target("the same: still connected afterwards", "0", "\(slow.open)", holds: slow.open == 0))
            lines.append("")
            for (contender, clients) in held.sorted(by: { $0.key.isService && !$1.key.isService }) {
                lines.append(
                    "Memory of an idle connection that had a request: \(grouped(Double(clients.bytes))) bytes of "
                        + (contender.isService ? "failoverlab" : "nginx")
                        + " (without the kernel's; \(clients.served) of \(2 * clients.clients) requests served)")
            }
            lines.append(
                "Ordinary requests: \(grouped(slow.before.requestsPerSecond))/s, p99 \(milli(microseconds(slow.before.percentile99))); "
                    + "while \(grouped(Double(slow.clients))) slow clients wait: \(grouped(slow.meanwhile.requestsPerSecond))/s, "
                    + "p99 \(milli(microseconds(slow.meanwhile.percentile99)))")
        }
        return lines.joined(separator: "\n")
    }

    /// Every measurement, beside the one that it is compared with.
    private var samples: [String] {
        var lines = [""]
        for contender in HTTPContender.allCases where contender.isService {
            lines.append(
                row(
                    "\(contender.name): each round",
                    ["requests/s", "nginx", "ratio", "p99", "nginx", "ratio", "others"]))
            let pairs = zip(runs[contender, default: []], runs[contender.reference, default: []])
            for (round, (ours, nginx)) in pairs.enumerated() {
                let mark = Self.isDisturbed(ours, nginx) ? "  disturbed" : ""
                let (tail, reference) = (microseconds(ours.percentile99), microseconds(nginx.percentile99))
                lines.append(
                    row(
                        "  \(round + 1)\(mark)",
                        [
                            grouped(ours.requestsPerSecond), grouped(nginx.requestsPerSecond),
                            fixed(ours.requestsPerSecond / nginx.requestsPerSecond),
                            milli(tail), milli(reference), fixed(tail / reference),
                            "\(Int(ours.others * 100))/\(Int(nginx.others * 100)) %",
                        ]))
            }
        }
        lines.append("Others: the share of the machine's processor time that programs took which have no part in it.")
        lines.append("Where three rounds were disturbed by no more than 20 %, the ratios above are of those alone.")
        lines.append("")
        return lines
    }

    /// What others take is not taken from both alike: such a round proves little. Decided by what the others took,
    /// never by what was measured.
    private static func isDisturbed(_ ours: WrkRun, _ nginx: WrkRun) -> Bool { max(ours.others, nginx.others) > 0.2 }

    /// Fewer quiet rounds than this, and all rounds count.
    private static let fewestQuiet = 3

    /// The machine may be faster in one round than in another: what alternated is compared within a round.
    private func ratio(_ contender: HTTPContender, _ figure: (WrkRun) -> Double) -> Double {
        let pairs = Array(zip(runs[contender, default: []], runs[contender.reference, default: []]))
        let quiet = pairs.filter { !Self.isDisturbed($0, $1) }
        return median((quiet.count >= Self.fewestQuiet ? quiet : pairs).map { figure($0) / figure($1) })
    }

    private func target(_ what: String, _ wanted: String, _ measured: String, holds: Bool) -> String {
        what.padded(to: 58) + wanted.padded(to: 14) + measured + (holds ? "" : "  MISSED")
    }

    private func row(_ name: String, _ cells: [String]) -> String {
        name.padded(to: 36) + cells.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }.joined()
    }

    private func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }

    private func microseconds(_ duration: Duration) -> Double { Double(duration.nanoseconds) / 1000 }

    private func milli(_ microseconds: Double) -> String { fixed(microseconds / 1000) + " ms" }
    private func micro(_ microseconds: Double) -> String { fixed(microseconds) + " µs" }

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
        guard value.isFinite else { return "?" }
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
