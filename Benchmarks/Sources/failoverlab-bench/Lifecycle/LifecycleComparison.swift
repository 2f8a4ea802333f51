internal import Topology

/// Who builds the same thing.
enum Contestant: Hashable {
    case script
    case failoverlab(String)
    case mininet

    var name: String {
        switch self {
        case .script: "ip commands in a shell script"
        case .failoverlab(let how): "failoverlab, \(how)"
        case .mininet: "Mininet 2.3"
        }
    }
}

/// The measurements of all who build one network.
struct LifecycleComparison {
    let network: LabNetwork
    let title: String
    private(set) var order: [Contestant] = []
    private(set) var measured: [Contestant: Lifetimes] = [:]
    /// Who cannot work on this host, and why.
    private(set) var unavailable: [Contestant: String] = [:]

    init(_ network: LabNetwork, title: String) {
        self.network = network
        self.title = title
    }

    mutating func measure(_ contestant: Contestant, _ body: () throws -> Lifetime) throws {
        if !order.contains(contestant) { order.append(contestant) }
        measured[contestant, default: Lifetimes()].append(try body())
    }

    /// One that may be missing here is asked once.
    mutating func measureIfPossible(_ contestant: Contestant, _ body: () throws -> Lifetime) {
        guard unavailable[contestant] == nil else { return }
        do { try measure(contestant, body) } catch { unavailable[contestant] = "\(error)" }
    }

    var script: Lifetimes { measured[.script] ?? Lifetimes() }
    var own: Lifetimes {
        measured.first { if case .failoverlab = $0.key { true } else { false } }?.value ?? Lifetimes()
    }
}
