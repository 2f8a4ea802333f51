import Testing
import Topology

@testable import Scenario

/// Whole scenarios as texts: inputs with their time, and the orders that come of them.
struct ScenarioPlayerTests {
    @Test func `from the begin to the end, in its order`() throws {
        var scenario = try ScriptedScenario([
            "start: [old, new]", "wait: 500ms", "fail: { power-off: fw-a }", "stop: new", "wait: 1s",
        ])
        let script = """
            0 event fw-a.active
            10 play
            > watch client, server, fw-a, fw-b, server.inside
            11 watches client
            11 watches fw-a
            12 watches server
            12 watches server.inside
            13 watches fw-b
            > record scenario.begin, begin
            > step: start old, new
            > record old.start, traffic-start at client
            > start old, 0 at client
            > record new.start, traffic-start at client
            > start new, 1 at client
            > step: wait 0.5 seconds
            512 time
            513 time
            > step: power-off fw-a
            > record power-off, power-off at fw-a
            > perform 1: kill fw-a; links of fw-a down
            514 off fw-a
            514 done 1
            > step: stop new
            > finish new at client
            600 event fw-b.active
            > notify server.inside of fw-b.active
            700 finished new
            > record new.stop, traffic-stop at client
            > step: wait 1.0 seconds
            1700 time
            > finish old at client
            1750 finished old
            > record old.stop, traffic-stop at client
            > read final counters of client, server, fw-b, server.inside
            1751 counters client
            1752 counters server
            1752 counters server.inside
            1753 counters fw-b sessions=3
            > complete captures
            1800 captured
            > end
            """
        #expect(scenario.play(script) == script)
        #expect(scenario.player.phase == .over && scenario.deadline == nil)
    }

    @Test func `a lab without steps begins and ends`() throws {
        var variant = try ScenarioLab.variant(["wait: 1s"])
        variant.scenario = []
        variant.nodes = []
        variant.elements = []
        var scenario = ScriptedScenario(variant)
        let script = """
            0 play
            > watch 
            > record scenario.begin, begin
            > read final counters of 
            > complete captures
            1 captured
            > end
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a node that does not run does not keep the begin waiting`() throws {
        var scenario = try ScriptedScenario(["wait: 1s"])
        let script = """
            0 hung server
            0 off fw-b
            1 play
            > watch client, server, fw-a, fw-b, server.inside
            2 watches client
            2 watches server.inside
            2 watches fw-a
            > record scenario.begin, begin
            > step: wait 1.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `it begins once`() throws {
        var scenario = try ScriptedScenario.begun(["wait: 1s"])
        let script = """
            1 play
            2 watches client
            """
        #expect(scenario.play(script) == script)
    }

    // MARK: wait-for

    @Test func `an event that happened since the begin is not waited for`() throws {
        var scenario = try ScriptedScenario.begun(["wait: 100ms", "wait-for: fw-b.active", "wait: 1s"])
        let script = """
            50 event fw-b.active
            > notify server.inside of fw-b.active
            100 time
            > step: wait for fw-b.active, at most 10.0 seconds
            > step: wait 1.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `an event that happens later lets the scenario go on before held frames go`() throws {
        var scenario = try ScriptedScenario.begun(["wait-for: fw-b.active", "fail: { disarm: late }"])
        let script = """
            50 event fw-b.backup
            60 event fw-b.active
            > step: disarm late
            > record disarm, disarm at server.inside rule=late
            > perform 1: server.inside disarm late
            > notify server.inside of fw-b.active
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `an event that never happens ends the scenario`() throws {
        var scenario = try ScriptedScenario(["{ wait-for: fw-b.active, within: 300ms }"])
        let script = """
            0 event fw-b.active
            > notify server.inside of fw-b.active
            0 play
            > watch client, server, fw-a, fw-b, server.inside
            1 watches client
            1 watches server
            1 watches fw-a
            1 watches fw-b
            1 watches server.inside
            > record scenario.begin, begin
            > step: wait for fw-b.active, at most 0.3 seconds
            300 time
            301 time
            > end, timeout: the scenario waited 0.3 seconds for 'fw-b.active', which did not happen; \
            it happened before the scenario began, which does not count
            302 event fw-b.active
            """
        #expect(scenario.play(script) == script)
        #expect(scenario.player.phase == .ended)
    }

    @Test func `an event from before the first fault of a group does not count`() throws {
        var scenario = try ScriptedScenario.begun([
            "wait: 1s", "fail: { hang: server }", "{ fail: { hang: client }, as: second }", "wait-for: fw-a.active",
            "wait: 1s",
        ])
        let script = """
            10 event fw-a.active
            1000 time
            > step: hang server
            > record hang, hang at server
            > perform 1: stop server
            1000 hung server
            1000 done 1
            > step: hang client
            > record second, hang at client
            > perform 2: stop client
            1000 hung client
            1000 done 2
            > step: wait for fw-a.active, at most 10.0 seconds
            1100 event fw-a.active
            > step: wait 1.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a counter is read every 10 ms until it is as it should be`() throws {
        var scenario = try ScriptedScenario.begun([
            "{ wait-for: { counter: { of: fw-b, name: sessions, is: '>= 5' } }, as: synced, within: 1s }", "wait: 1s",
        ])
        let script = """
            0 counters fw-a sessions=9
            2 counters fw-b sessions=3
            12 time
            > read counters of fw-b
            500 counters fw-b sessions=7
            > record synced, counter at fw-b counter=sessions value=7
            > step: wait 1.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a counter that stays as it is, or has no reading, ends the scenario`() throws {
        let step = "{ wait-for: { counter: { of: fw-b, name: sessions, is: '>= 5' } }, as: synced, within: 1s }"
        var scenario = try ScriptedScenario.begun([step])
        let script = """
            2 counters fw-b sessions=3
            12 time
            > read counters of fw-b
            1000 time
            > end, timeout: the scenario waited 1.0 seconds for sessions of fw-b >= 5; it was 3
            """
        #expect(scenario.play(script) == script)
        var silent = try ScriptedScenario.begun([step])
        let ofSilent = """
            1000 time
            > end, timeout: the scenario waited 1.0 seconds for sessions of fw-b >= 5; the node did not answer
            """
        #expect(silent.deadline == 1000)
        #expect(silent.play(ofSilent) == ofSilent)
        // That is not for want of time: a busy machine is no reason.
        var missing = try ScriptedScenario.begun([step])
        let ofMissing = """
            2 counters fw-b
            12 time
            > read counters of fw-b
            1000 time
            > end, lab: the scenario waited 1.0 seconds for sessions of fw-b >= 5; the node has no such counter
            """
        #expect(missing.play(ofMissing) == ofMissing)
    }

    // MARK: Early ends

    @Test func `a node that dies ends the scenario, once`() throws {
        var scenario = try ScriptedScenario.begun(["start: old", "wait: 1s"])
        let script = """
            50 failure the process of node 'fw-a' died unasked
            > end, lab: the process of node 'fw-a' died unasked
            51 failure the process of node 'fw-b' died unasked
            1000 time
            """
        #expect(scenario.play(script) == script)
        #expect(scenario.deadline == nil)
    }

    @Test func `a lab that ends orders nothing more`() throws {
        var scenario = try ScriptedScenario.begun(["wait: 1s"])
        let script = """
            1 stopped
            2 failure the process of node 'fw-a' died unasked
            3 request 1 power-off fw-a
            1000 time
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `traffic cannot finish on a node that is powered off`() throws {
        var scenario = try ScriptedScenario.begun(["start: [old, new]", "wait: 1s"])
        let script = """
            10 off client
            1000 time
            > end, lab: 'old' ran on 'client', which is powered off
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `traffic has ten seconds more than its own timeout`() throws {
        var scenario = try ScriptedScenario.begun(["start: [old, new]", "stop: [new, old]"])
        #expect(scenario.deadline == 22_000)
        let script = """
            50 finished new
            > record new.stop, traffic-stop at client
            21999 time
            22000 time
            > end, timeout: finishing traffic took longer than 22.0 seconds: no answer from traffic old
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `watches, counters and captures have their limits`() throws {
        var early = try ScriptedScenario(["wait: 1s"])
        let ofEarly = """
            0 play
            > watch client, server, fw-a, fw-b, server.inside
            1 watches client
            1 watches server.inside
            1 watches fw-a
            30000 time
            > end, timeout: the begin of the scenario took longer than 30.0 seconds: \
            no answer from the watch for delays of fw-b, the watch for delays of server
            """
        #expect(early.play(ofEarly) == ofEarly)
        var counters = try ScriptedScenario.begun(["wait: 0s"])
        let ofCounters = """
            0 time
            > read final counters of client, server, fw-a, fw-b, server.inside
            1 counters fw-a
            10000 time
            > end, timeout: reading counters took longer than 10.0 seconds: \
            no answer from counters of client, counters of fw-b, counters of server, counters of server.inside
            """
        #expect(counters.play(ofCounters) == ofCounters)
        var captures = try ScriptedScenario.begun(["wait: 0s"])
        let ofCaptures = """
            0 time
            > read final counters of client, server, fw-a, fw-b, server.inside
            1 counters client
            1 counters server
            1 counters fw-a
            1 counters fw-b
            1 counters server.inside
            > complete captures
            60001 time
            > end, lab: the captures were not complete after 60.0 seconds
            """
        #expect(captures.play(ofCaptures) == ofCaptures)
    }

    @Test func `traffic that the lab does not have ends the scenario`() throws {
        var variant = try ScenarioLab.variant(["wait: 1s"])
        variant.scenario = [.start(["old", "nothing", "new"])]
        variant.nodes = variant.nodes.filter { $0.name == "client" }
        variant.elements = []
        var scenario = ScriptedScenario(variant)
        let script = """
            0 play
            > watch client
            0 watches client
            > record scenario.begin, begin
            > step: start old, nothing, new
            > record old.start, traffic-start at client
            > start old, 0 at client
            > end, lab: the scenario starts 'nothing', which this lab does not have
            """
        #expect(scenario.play(script) == script)
    }
}
