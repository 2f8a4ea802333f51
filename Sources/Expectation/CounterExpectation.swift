public import Evidence
internal import LabEvents

/// What a node must have counted until the run's end, the kernel of a host included.
public struct CounterExpectation: ExpectationKind {
    public var node: String
    /// `TcpExt.IPReversePathFilter`, a box's own `drop.standby`, or a program's `nftables/refused.packets`
    public var name: String
    /// Subtracted from it: `Ip.InReceives` less `Ip.InDelivers` is what the kernel received and delivered to no socket.
    public var minus: String?
    public var value: Comparison<Int>

    public init(node: String, name: String, minus: String? = nil, value: Comparison<Int>) {
        self.node = node
        self.name = name
        self.minus = minus
        self.value = value
    }

    /// The value of these counters; nil where one of the names is not among them.
    public func value(in counters: [String: UInt64]) -> Int? {
        guard let first = counters[name] else { return nil }
        guard let minus else { return Int(clamping: first) }
        return counters[minus].map { Int(clamping: first) - Int(clamping: $0) }
    }

    /// The programs of the node whose counters it needs.
    public var programs: [String] {
        Set([name, minus].compactMap { $0.flatMap(Self.program) }).sorted()
    }

    private static func program(of name: String) -> String? {
        name.firstIndex(of: "/").map { String(name[..<$0]) }
    }

    /// Of counters of one kind: all of a program, or a group of the kernel's or a box's.
    public static func group(of name: String) -> Substring { name.prefix { $0 != "/" && $0 != "." } }

    public var sentence: String { "\(words) of \(node) \(value.relation.rawValue) \(value.value)" }
    private var words: String { name + (minus.map { " less \($0)" } ?? "") }

    public var isBorneOutByAbsence: Bool { value.holds(for: 0) }

    public func events(in evidence: RunEvidence) -> [EventReference] { [] }

    public func evaluate(id: String, in evidence: RunEvidence) throws -> ExpectationResult {
        guard let counters = evidence.counters[node] else {
            throw UndecidableExpectation("\(node) left no counters: it was powered off, or hung, at the end")
        }
        func count(_ name: String) throws -> Int {
            guard let count = counters[name] else {
                let near = counters.keys.filter { Self.group(of: $0) == Self.group(of: name) }
                throw UndecidableExpectation(
                    "\(node) has no counter \(name)"
                        + (near.isEmpty ? "" : "; in that group it has \(near.sorted().joined(separator: ", "))")
                        + (Self.program(of: name).flatMap { unread($0, in: evidence) }.map { "; \($0)" } ?? ""))
            }
            return Int(clamping: count)
        }
        let (first, second) = (try count(name), try minus.map(count))
        let seen = first - (second ?? 0)
        var verdict: ExpectationVerdict = value.holds(for: seen) ? .pass : .fail
        var words = second.map { "\(first) less \($0) is \(seen)" } ?? "\(seen)"
        if verdict == .pass, value.holds(for: 0), let lack = lackOfControl(counters, in: evidence) {
            verdict = .inconclusive
            words += "; but \(lack)"
        }
        return ExpectationResult(id: id, verdict: verdict, expected: sentence, seen: words)
    }

    /// Why the counters of a program could not be read; nil where they could.
    private func unread(_ program: String, in evidence: RunEvidence) -> String? {
        let event = evidence.events.last {
            $0.isOf(.countersUnread) && $0.node == node && $0.details[EventDetail.program.rawValue] == program
        }
        return event?.details[EventDetail.reason.rawValue]
    }

    /// Why a counter that is low proves nothing; nil where it does.
    private func lackOfControl(_ counters: [String: UInt64], in evidence: RunEvidence) -> String? {
        if counters.values.allSatisfy({ $0 == 0 }) {
            return "\(node) counted nothing at all, so there is no evidence that it would have counted this"
        }
        if let restart = evidence.events.last(where: { $0.isOf(.powerOn) && $0.node == node }) {
            return "\(node) was powered on again at \(restart.name), which reset its counters"
        }
        return nil
    }
}

extension ExpectationSpecification.Subject {
    public static func counter(_ expectation: CounterExpectation) -> Self { Self(expectation) }
}
