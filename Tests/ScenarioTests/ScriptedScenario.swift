import Appliances
import Configuration
import Impairment
import LabEvents
import LabTime
import Measurement
import Topology

@testable import Scenario

/// A lab for scenarios: a firewall pair, a client with traffic, a server with a program, and faults on its cable.
enum ScenarioLab {
    private static let text = """
        schema: 1
        name: scenarios
        networks: { outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: }
        nodes:
          client: { role: client, interfaces: { outside: 192.0.2.10 }, gateway: 192.0.2.1 }
          server:
            role: backend
            interfaces: { inside: 198.51.100.10 }
            gateway: 198.51.100.1
            services: { echo: 7/tcp }
            programs: { cache: { run: [cached] } }
          fw-a:
            role: firewall
            interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
            redundancy: { peer: fw-b, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
            rules: &rules
              old: { action: allow, on: outside, protocol: tcp, ports: 7 }
            otherwise: deny
          fw-b:
            role: firewall
            interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: }
            rules: *rules
            otherwise: deny
        traffic:
          old: { from: client, to: "server:7", kind: tcp-stream, every: 10ms, patience: 500ms }
          new: { from: client, to: "server:7", kind: tcp-connect, every: 20ms, patience: 12s }
        pushes:
          change: { add: { rules: { new: { action: allow, protocol: tcp, ports: 9 } } }, delete: { rules: old } }
        faults:
          late: { on: server.inside, armed: off, do: { hold: { until: { event: fw-b.active } } } }
        scenario:

        """

    static func variant(_ steps: [String]) throws -> Variant {
        let lab = try Lab(parsing: text + steps.map { "  - \($0)\n" }.joined(), path: "lab.yaml")
        return lab.variants[0]
    }
}

/// Plays a scenario in virtual time from a text: a line is an input with its time in milliseconds, and the orders that
/// follow from it are lines below it, which begin with `>`.
struct ScriptedScenario {
    private(set) var player: ScenarioPlayer
    private static let limits = ScenarioLimits(
        preparation: .seconds(30), counters: .seconds(10), captures: .seconds(60))

    init(_ steps: [String]) throws { player = ScenarioPlayer(try ScenarioLab.variant(steps)) }

    init(_ variant: Variant) { player = ScenarioPlayer(variant) }

    /// A lab that is up; every node watches for delays.
    static func begun(_ steps: [String]) throws -> ScriptedScenario {
        var scenario = try ScriptedScenario(steps)
        _ = scenario.play("0 play")
        for node in ["client", "server", "fw-a", "fw-b", "server.inside"] { _ = scenario.play("0 watches \(node)") }
        return scenario
    }

    /// - Returns: the text with the orders that came of its inputs
    mutating func play(_ script: String) -> String {
        var lines: [String] = []
        for line in script.split(separator: "\n") where !line.hasPrefix(">") {
            lines.append(String(line))
            let words = line.split(separator: " ").map(String.init)
            guard let milliseconds = Int(words[0]), let input = Self.input(Array(words[1...])) else {
                lines.append("> not understood")
                continue
            }
            lines += step(input, milliseconds).map { "> \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    mutating func step(_ input: ScenarioInput, _ milliseconds: Int) -> [String] {
        player.step(input, at: Self.at(milliseconds)).map(Self.text)
    }

    /// Milliseconds.
    var deadline: Int? { player.deadline.map { Int($0.nanoseconds / 1_000_000) } }

    static func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: Int64(milliseconds) * 1_000_000) }

    // MARK: Inputs

    private static func input(_ words: [String]) -> ScenarioInput? {
        func rest(_ number: Int) -> String { words.dropFirst(number).joined(separator: " ") }
        switch words[0] {
        case "play": return .play(limits)
        case "watches": return .watchesDelays(node: words[1])
        case "event": return .event(words[1])
        case "hung": return .condition(node: words[1], .hung)
        case "off": return .condition(node: words[1], .poweredOff)
        case "on": return .condition(node: words[1], .running)
        case "failure": return .failed(ScenarioFailure(.lab, rest(1)))
        case "done": return Int(words[1]).map { .performed(ticket: $0, .done) }
        case "failed": return Int(words[1]).map { .performed(ticket: $0, .failed(ScenarioFailure(.lab, rest(2)))) }
        case "active": return Int(words[1]).map { .performed(ticket: $0, .reply(.role(isActive: true))) }
        case "backup": return Int(words[1]).map { .performed(ticket: $0, .reply(.role(isActive: false))) }
        case "reply": return Int(words[1]).map { .performed(ticket: $0, .reply(.done)) }
        case "refused": return Int(words[1]).map { .performed(ticket: $0, .reply(.refused(reason: rest(2)))) }
        case "finished": return .trafficFinished(name: words[1])
        case "counters":
            let readings = words.dropFirst(2).compactMap { word -> CounterReading? in
                let sides = word.split(separator: "=").map(String.init)
                guard let value = Int(sides[1]) else { return nil }
                return CounterReading(.sessions, value)
            }
            return .counters(node: words[1], readings)
        case "captured": return .capturesComplete
        case "request":
            return fault(words[2], words[3]).flatMap { fault in Int(words[1]).map { ($0, fault) } }
                .map { .request($0, $1, as: words.count > 4 ? words[4] : nil) }
        case "time": return .time
        case "stopped": return .stopped
        default: return nil
        }
    }

    private static func fault(_ kind: String, _ target: String) -> Fault? {
        switch kind {
        case "power-off": .powerOff(node: target)
        case "power-on": .powerOn(node: target)
        case "switchover": .switchover(node: target)
        case "arm": .arm(rule: target, element: "")
        default: nil
        }
    }

    // MARK: Orders

    static func text(_ order: ScenarioOrder) -> String {
        switch order {
        case .announce(let label): return "step: \(label)"
        case .record(let event):
            let details = event.details.sorted { $0.key.rawValue < $1.key.rawValue }
                .map { " \($0.key.rawValue)=\($0.value)" }.joined()
            return "record \(event.name), \(event.kind.rawValue)\(event.node.map { " at \($0)" } ?? "")\(details)"
        case .notify(let element, let event): return "notify \(element) of \(event)"
        case .watchDelays(let nodes): return "watch \(nodes.joined(separator: ", "))"
        case .startTraffic(let program, let number): return "start \(program.name), \(number) at \(program.from)"
        case .finishTraffic(let name, let node): return "finish \(name) at \(node)"
        case .readCounters(let node, _): return "read counters of \(node)"
        case .perform(let actions, let ticket):
            return "perform \(ticket): \(actions.map(text).joined(separator: "; "))"
        case .answer(let request, let failure): return "answer \(request): \(failure.map(text) ?? "done")"
        case .readFinalCounters(let nodes): return "read final counters of \(nodes.joined(separator: ", "))"
        case .completeCaptures: return "complete captures"
        case .end(.finished): return "end"
        case .end(.failed(let failure)): return "end, \(text(failure))"
        }
    }

    static func text(_ failure: ScenarioFailure) -> String {
        "\(failure.kind): \(failure.message)" + (failure.remedy.map { " (\($0))" } ?? "")
    }

    static func text(_ action: NodeAction) -> String {
        switch action {
        case .kill(let node): "kill \(node)"
        case .start(let node): "start \(node)"
        case .stop(let node): "stop \(node)"
        case .freeze(let node): "freeze \(node)"
        case .resume(let node): "resume \(node)"
        case .setLinks(let node, let isUp): "links of \(node) \(isUp ? "up" : "down")"
        case .setLink(let interface, let isUp): "link \(interface) \(isUp ? "up" : "down")"
        case .command(let command, let node): "\(node) \(text(command))"
        case .killProgram(let program): "kill \(program)"
        case .startProgram(let program): "start \(program)"
        case .signalProgram(let program, let signal, let ends):
            "\(signal) to \(program)\(ends ? ", which may end" : "")"
        case .restartProgram(let program): "restart \(program)"
        case .run(let command, let node, let event): "\(node) runs \(command.words), \(event)"
        case .network(let change, let node): "\(node) \(change)"
        }
    }

    private static func text(_ command: ApplianceCommand) -> String {
        switch command {
        case .switchover: "switchover"
        case .weight(let service, let member, let weight): "weight \(service)/\(member)=\(weight)"
        case .fault(.arm(let rule)): "arm \(rule)"
        case .fault(.disarm(let rule)): "disarm \(rule)"
        case .fault(.release(let rule)): "release \(rule)"
        case .policy(.role): "role"
        case .policy(.check): "check"
        case .policy(.agree): "agree"
        case .policy(.push(let change)):
            "push \(change.deletions.isEmpty ? "additions" : change.additions.isEmpty ? "deletions" : "all")"
        default: "\(command)"
        }
    }
}
