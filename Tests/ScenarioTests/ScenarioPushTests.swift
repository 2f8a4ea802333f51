import Testing

@testable import Scenario

/// Pushes, box by box.
struct ScenarioPushTests {
    private func begun(_ mode: String, to: String = "[fw-a, fw-b]") throws -> ScriptedScenario {
        try .begun(["wait: 1s", "{ push: { change: change, to: \(to), mode: \(mode) } }", "wait: 5s"])
    }

    @Test func `boxes are told one after the other, whatever becomes of the first`() throws {
        var scenario = try begun("boxes")
        let script = """
            1000 time
            > step: push change to fw-a, fw-b
            > record push, push at fw-a mode=boxes what=push change to fw-a, fw-b
            > perform 1: fw-a push all
            1001 refused 1 no such rule
            > perform 2: fw-b push all
            1002 reply 2
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a box that does not run is passed over, and an event states it`() throws {
        var scenario = try begun("boxes")
        let script = """
            10 hung fw-a
            1000 time
            > step: push change to fw-a, fw-b
            > record push, push at fw-a mode=boxes what=push change to fw-a, fw-b
            > record fw-a.push-refused, push-refused at fw-a reason='fw-a' does not run
            > perform 1: fw-b push all
            1001 reply 1
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `of an agreement each box gets the change to compare it`() throws {
        var scenario = try begun("agreement", to: "fw-a")
        let script = """
            1000 time
            > step: push change to fw-a, fw-b as agreement
            > record push, push at fw-a mode=agreement what=push change to fw-a, fw-b as agreement
            > perform 1: fw-a agree
            1001 reply 1
            > perform 2: fw-b agree
            1002 reply 2
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test(arguments: [("active", "fw-a", "fw-b"), ("backup", "fw-b", "fw-a")])
    func `a unit is checked first, then takes additions at the standby and deletions at the Active first`(
        _ role: String, _ active: String, _ standby: String
    ) throws {
        var scenario = try begun("unit", to: "fw-a")
        let script = """
            1000 time
            > step: push change to fw-a, fw-b as unit
            > record push, push at fw-a mode=unit what=push change to fw-a, fw-b as unit
            > perform 1: fw-a role
            1001 \(role) 1
            > perform 2: \(standby) check
            1002 reply 2
            > perform 3: \(active) check
            1003 reply 3
            > perform 4: \(standby) push additions
            1004 reply 4
            > perform 5: \(active) push additions
            1005 reply 5
            > perform 6: \(active) push deletions
            1006 reply 6
            > perform 7: \(standby) push deletions
            1007 reply 7
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a unit whose check is refused changes nothing, and the scenario goes on`() throws {
        var scenario = try begun("unit", to: "fw-a")
        let script = """
            1000 time
            > step: push change to fw-a, fw-b as unit
            > record push, push at fw-a mode=unit what=push change to fw-a, fw-b as unit
            > perform 1: fw-a role
            1001 active 1
            > perform 2: fw-b check
            1002 refused 2 no such rule
            > record fw-b.push-refused, push-refused at fw-b reason=no such rule
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a unit that stops between its boxes states which have the change`() throws {
        var scenario = try begun("unit", to: "fw-a")
        let script = """
            1000 time
            > step: push change to fw-a, fw-b as unit
            > record push, push at fw-a mode=unit what=push change to fw-a, fw-b as unit
            > perform 1: fw-a role
            1001 active 1
            > perform 2: fw-b check
            1002 reply 2
            > perform 3: fw-a check
            1003 reply 3
            > perform 4: fw-b push additions
            1004 reply 4
            > perform 5: fw-a push additions
            1005 refused 5 it waits for its peer
            > record fw-a.push-incomplete, push-incomplete at fw-a done=fw-b: additions \
            missing=fw-a: additions, fw-a: deletions, fw-b: deletions reason=it waits for its peer
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a unit whose first half is refused has nothing incomplete`() throws {
        var scenario = try begun("unit", to: "fw-a")
        _ = scenario.play("1000 time\n1001 active 1\n1002 reply 2\n1003 reply 3")
        let script = """
            1004 refused 4 full
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a box of a unit that dies within counts as a refusal`() throws {
        var scenario = try begun("unit", to: "fw-a")
        let script = """
            1000 time
            > step: push change to fw-a, fw-b as unit
            > record push, push at fw-a mode=unit what=push change to fw-a, fw-b as unit
            > perform 1: fw-a role
            1001 off fw-b
            1001 active 1
            > record fw-b.push-refused, push-refused at fw-b reason='fw-b' does not run
            > record fw-b.push-refused, push-refused at fw-b reason='fw-b' does not run
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a box that does not answer counts as one that refuses, after ten seconds`() throws {
        var scenario = try begun("boxes")
        _ = scenario.play("1000 time")
        #expect(scenario.deadline == 11_000)
        let script = """
            11000 time
            > perform 2: fw-b push all
            12000 reply 1
            21000 time
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }

    @Test func `a unit whose role is unknown takes nothing`() throws {
        var scenario = try begun("unit", to: "fw-a")
        _ = scenario.play("1000 time")
        let script = """
            1001 refused 1 it is no box of a pair
            > step: wait 5.0 seconds
            """
        #expect(scenario.play(script) == script)
    }
}
