import Impairment
import Testing
import Topology

@testable import Scenario

/// What faults are in a lab, and what becomes of them.
struct ScenarioFaultTests {
    /// - Returns: the event and the actions, or why it is not possible
    private func plan(
        _ fault: Fault, _ condition: NodeCondition = .running, as name: String? = nil
    ) throws -> String {
        let variant = try ScenarioLab.variant(["wait: 1s"])
        var nodes = NodeTable(variant)
        nodes.set(condition, of: fault.node)
        do {
            let plan = try FaultPlan(fault, as: name, of: nodes, FrameFaultTable(variant.elements))
            return "\(ScriptedScenario.text(.record(plan.event))): "
                + plan.actions.map(ScriptedScenario.text).joined(separator: "; ")
        } catch {
            return ScriptedScenario.text(error)
        }
    }

    private static let cache = ProgramReference(node: "server", program: "cache")
    private static let inside = InterfaceReference(node: "fw-a", interface: "inside")

    @Test(arguments: [
        (Fault.switchover(node: "fw-a"), "record switchover, switchover at fw-a: fw-a switchover"),
        (.powerOff(node: "fw-a"), "record power-off, power-off at fw-a: kill fw-a; links of fw-a down"),
        (
            .powerOff(node: "server"),
            "record power-off, power-off at server: freeze server; links of server down; kill server"
        ),
        (.linkDown(inside), "record link-down, link-down at fw-a interface=inside: link fw-a.inside down"),
        (.linkUp(inside), "record link-up, link-up at fw-a interface=inside: link fw-a.inside up"),
        (.hang(node: "fw-a"), "record hang, hang at fw-a: stop fw-a"),
        (.kill(cache), "record kill, kill at server program=cache: kill server/cache"),
        (.startProgram(cache), "record start, start at server program=cache: start server/cache"),
        (
            .weight(node: "fw-a", service: "web", member: "one", weight: 3),
            "record weight, weight at fw-a member=one service=web weight=3: fw-a weight web/one=3"
        ),
        (.arm(rule: "late", element: ""), "record arm, arm at server.inside rule=late: server.inside arm late"),
        (
            .disarm(rule: "late", element: ""),
            "record disarm, disarm at server.inside rule=late: server.inside disarm late"
        ),
        (
            .release(rule: "late", element: ""),
            "record release, release at server.inside rule=late: server.inside release late"
        ),
    ])
    func `of a node that runs`(_ fault: Fault, _ expected: String) throws {
        #expect(try plan(fault) == expected)
    }

    @Test(arguments: [
        (
            "exec: { client: ls -l }",
            "record exec, exec at client command=ls -l: client runs [\"/bin/sh\", \"-c\", \"ls -l\"], exec"
        ),
        (
            "signal: { server/cache: QUIT }",
            "record signal, signal at server program=cache signal=QUIT: QUIT to server/cache, which may end"
        ),
        (
            "signal: { server/cache: HUP }",
            "record signal, signal at server program=cache signal=HUP: HUP to server/cache"
        ),
        ("restart: server/cache", "record restart, restart at server program=cache: restart server/cache"),
        ("clear: client", "record clear, clear at client what=conntrack: client clearConntrack"),
    ])
    func `a step on a node`(_ text: String, _ expected: String) throws {
        let variant = try ScenarioLab.variant(["wait: 1s"])
        let step = try Fault.parsing(step: text, of: variant).step
        #expect(try plan(step) == expected)
        #expect(try plan(step, .hung).hasSuffix(" is not possible: it hangs"))
        #expect(try plan(step, .poweredOff).hasSuffix(" is not possible: it is powered off"))
    }

    @Test func `a command has its own time, and the scenario waits for its end`() throws {
        var scenario = try ScriptedScenario.begun(["{ exec: { client: ls }, within: 30s, as: look }", "wait: 1s"])
        #expect(scenario.deadline == 40_000)
        #expect(scenario.play("5 event look.exited") == "5 event look.exited")
        #expect(scenario.play("5 reply 1") == "5 reply 1\n> step: wait 1.0 seconds")
        var other = try ScriptedScenario.begun(["exec: { client: ls }"])
        #expect(
            other.play("5 refused 1 it ended with exit code 2").hasSuffix("end, lab: client: it ended with exit code 2")
        )
    }

    @Test func `what happened while a command ran does not count after the next fault`() throws {
        var scenario = try ScriptedScenario.begun([
            "exec: { client: ls }", "fail: { hang: server }", "wait-for: fw-a.active",
        ])
        #expect(scenario.play("5 event fw-a.active") == "5 event fw-a.active")
        let rest = scenario.play("6 reply 1\n6 hung server\n6 done 2")
        #expect(rest.hasSuffix("> step: wait for fw-a.active, at most 10.0 seconds"), "\(rest)")
        #expect(scenario.deadline == 10_006, "\(rest)")
    }

    @Test func `the event has the name that the step gives`() throws {
        #expect(try plan(.hang(node: "fw-a"), as: "frozen") == "record frozen, hang at fw-a: stop fw-a")
    }

    @Test func `a node that is powered off, or hangs, comes back`() throws {
        #expect(
            try plan(.powerOn(node: "fw-a"), .poweredOff)
                == "record power-on, power-on at fw-a: links of fw-a up; start fw-a")
        #expect(try plan(.resume(node: "fw-a"), .hung) == "record resume, resume at fw-a: resume fw-a")
        // A crash while it hangs.
        #expect(
            try plan(.powerOff(node: "fw-a"), .hung)
                == "record power-off, power-off at fw-a: kill fw-a; links of fw-a down")
    }

    @Test(arguments: [
        (Fault.powerOff(node: "fw-a"), NodeCondition.poweredOff, "is powered off already"),
        (.powerOn(node: "fw-a"), .running, "is not powered off"), (.powerOn(node: "fw-a"), .hung, "is not powered off"),
        (.hang(node: "fw-a"), .poweredOff, "is powered off"), (.hang(node: "fw-a"), .hung, "hangs already"),
        (.resume(node: "fw-a"), .running, "does not hang"), (.resume(node: "fw-a"), .poweredOff, "does not hang"),
        (.switchover(node: "fw-a"), .poweredOff, "is powered off"), (.switchover(node: "fw-a"), .hung, "hangs"),
        (.weight(node: "fw-a", service: "web", member: "one", weight: 1), .hung, "hangs"),
        (.kill(cache), .poweredOff, "is powered off"), (.startProgram(cache), .hung, "hangs"),
    ])
    func `is not possible`(_ fault: Fault, _ condition: NodeCondition, _ reason: String) throws {
        #expect(
            try plan(fault, condition)
                == "lab: \(fault.word) of '\(fault.node)' is not possible: it \(reason)")
    }

    @Test func `names that nothing has are answered with the nearest`() throws {
        #expect(try plan(.hang(node: "fw-c")) == "usage: there is no node 'fw-c' (did you mean 'fw-a'?)")
        #expect(
            try plan(.linkDown(InterfaceReference(node: "client", interface: "dmz")))
                == "usage: there is no interface 'client.dmz' (these are: client.outside)")
        #expect(
            try plan(.kill(ProgramReference(node: "server", program: "dns")))
                == "lab: 'server' has no program 'dns' (it has cache)")
        #expect(
            try plan(.kill(ProgramReference(node: "client", program: "dns")))
                == "lab: 'client' has no program 'dns' (it has none)")
        #expect(
            try plan(.arm(rule: "lat", element: ""))
                == "usage: there is no fault on single frames 'lat' (did you mean 'late'?)")
        var variant = try ScenarioLab.variant(["wait: 1s"])
        variant.elements = []
        let (nodes, rules) = (NodeTable(variant), FrameFaultTable([]))
        #expect {
            try FaultPlan(.arm(rule: "late", element: ""), as: nil, of: nodes, rules)
        } throws: { error in
            (error as? ScenarioFailure).map(ScriptedScenario.text)
                == "usage: there is no fault 'late' on single frames (this lab has none; see 'faults:' in its lab file)"
        }
    }

    // MARK: In a scenario

    @Test func `a step goes on with the reply, and a late reply is nobody's`() throws {
        var scenario = try ScriptedScenario.begun(["fail: { switchover: fw-a }", "wait: 20s"])
        let script = """
            50 reply 1
            > step: wait 20.0 seconds
            60 reply 1
            61 refused 1 too late
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a refusal ends the scenario, with who refused`() throws {
        var scenario = try ScriptedScenario.begun(["fail: { switchover: fw-a }", "wait: 1s"])
        let script = """
            50 refused 1 the peer is down
            > end, lab: fw-a: the peer is down
            """
        #expect(scenario.play(script) == script)
        var program = try ScriptedScenario.begun(["fail: { kill: server/cache }"])
        let ofProgram = """
            50 refused 1 it does not run
            > end, lab: server/cache: it does not run
            """
        #expect(program.play(ofProgram) == ofProgram)
    }

    @Test func `a reply that never comes ends the scenario after ten seconds`() throws {
        var scenario = try ScriptedScenario.begun(["fail: { switchover: fw-a }", "wait: 1s"])
        #expect(scenario.deadline == 10_000)
        let script = """
            9999 time
            10000 time
            > end, lab: fw-a: the node did not answer for 10 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `an action that fails ends the scenario`() throws {
        var scenario = try ScriptedScenario.begun(["fail: { link-down: fw-a.inside }", "wait: 1s"])
        // Whoever carries it out always answers.
        #expect(scenario.deadline == nil)
        let script = """
            1 failed 1 'inside' could not be set down
            > end, lab: 'inside' could not be set down
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a fault that is not possible ends the scenario before its event`() throws {
        var scenario = try ScriptedScenario.begun(["wait: 1s", "fail: { switchover: fw-a }"])
        let script = """
            10 off fw-a
            1000 time
            > step: switchover fw-a
            > end, lab: switchover of 'fw-a' is not possible: it is powered off
            """
        #expect(scenario.play(script) == script)
    }

    // MARK: Requests

    @Test func `a person's request is carried out beside the scenario, and its refusal is only answered`() throws {
        var scenario = try ScriptedScenario.begun(["fail: { switchover: fw-a }", "wait: 1s"])
        let script = """
            1 request 7 power-off server
            > record power-off, power-off at server
            > perform 2: freeze server; links of server down; kill server
            2 off server
            2 done 2
            > answer 7: done
            3 request 8 switchover server
            > answer 8: lab: switchover of 'server' is not possible: it is powered off
            4 request 9 arm late named
            > record named, arm at server.inside rule=late
            > perform 3: server.inside arm late
            5 reply 1
            > step: wait 1.0 seconds
            6 refused 3 it is armed
            > answer 9: lab: server.inside: it is armed
            7 request 10 switchover nobody
            > answer 10: usage: there is no node 'nobody' (these are: client, fw-a, fw-b, server, server.inside)
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a person's request may be what the scenario waits for`() throws {
        var scenario = try ScriptedScenario.begun(["wait: 1s"])
        var variant = try ScenarioLab.variant(["wait: 1s"])
        variant.scenario = [.waitFor(event: "power-off", within: .seconds(1)), .wait(.seconds(2))]
        scenario = ScriptedScenario(variant)
        _ = scenario.play("0 play")
        for node in ["client", "server", "fw-a", "fw-b", "server.inside"] { _ = scenario.play("0 watches \(node)") }
        let script = """
            1 request 1 power-off server
            > record power-off, power-off at server
            > step: wait 2.0 seconds
            > perform 1: freeze server; links of server down; kill server
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a request has ten seconds, also in a lab without a scenario`() throws {
        var scenario = try ScriptedScenario(["wait: 1s"])
        let script = """
            0 request 1 switchover fw-a
            > record switchover, switchover at fw-a
            > perform 1: fw-a switchover
            10000 time
            > answer 1: lab: fw-a: the node did not answer for 10 seconds
            """
        #expect(scenario.play(script) == script)
        #expect(scenario.player.phase == .idle)
    }

    @Test func `a fault that a person installs is known from then on`() throws {
        var scenario = try ScriptedScenario.begun(["wait: 1s"])
        #expect(scenario.player.frameFaults.element(of: "later") == nil)
        let rule = try #require(try ScenarioLab.variant(["wait: 1s"]).elements.first?.rules.first)
        var later = rule
        later.name = "later"
        #expect(scenario.step(.installed(later, element: "server.inside"), 1).isEmpty)
        #expect(scenario.player.frameFaults.element(of: "later") == "server.inside")
    }
}
