import Evidence
@testable import Expectation
import LabTime
import Testing

/// Which of several events of one name an anchor stands for.
struct AnchorTests {
    private static func event(_ name: String, _ seconds: Double, _ kind: String, _ node: String?, port: String = "1")
        -> LabEvent
    {
        LabEvent(name: name, time: Scene.at(seconds), kind: kind, node: node, details: ["port": port])
    }

    /// A member was down while the lab came up, and again, after it was killed, at 2 s and 4 s.
    private static var scene: Scene {
        var scene = Scene()
        scene.events = [
            event("lb.member-down", 0.2, "member-down", "lb", port: "9"), event("lb.member-up", 0.3, "member-up", "lb"),
            event("scenario.begin", 0.5, "begin", nil), event("killed", 1, "kill", "proxy"),
            event("lb.member-down", 2, "member-down", "lb"), event("lb.member-up", 3, "member-up", "lb"),
            event("lb.member-down", 4, "member-down", "lb", port: "2"), event("lb.member-up", 5, "member-up", "lb"),
            event("app.stop", 6, "traffic-stop", "client"),
        ]
        for tenth in 1...55 { scene.answer(at: Double(tenth) / 10, to: Scene.macA) }
        return scene
    }

    private static func seconds(_ after: Anchor?, _ before: Anchor?) throws -> [Double?] {
        let evidence = scene.evidence
        let window = try TimeWindow(after: after, before: before, in: evidence)
        return [window.start, window.end].map { $0.map { Double(($0 - Scene.at(0)).nanoseconds) / 1e9 } }
    }

    private static func anchor(_ event: String, _ offset: Duration = .zero) -> Anchor {
        Anchor(event: event, offset: offset)
    }

    @Test func `an anchor is the first such event since the scenario began`() throws {
        #expect(try Self.seconds(Self.anchor("lb.member-down"), nil) == [2, nil])
        #expect(try Self.seconds(nil, Self.anchor("lb.member-down", .milliseconds(-50))) == [nil, 1.95])
        #expect(try Self.seconds(Self.anchor("scenario.begin"), nil) == [0.5, nil])
    }

    @Test func `of a before it is the first since the other end of the window`() throws {
        #expect(try Self.seconds(Self.anchor("lb.member-up"), Self.anchor("lb.member-down")) == [3, 4])
        #expect(try Self.seconds(Self.anchor("killed"), Self.anchor("lb.member-up")) == [1, 3])
        #expect(try Self.seconds(Self.anchor("killed", .milliseconds(2500)), Self.anchor("lb.member-up")) == [3.5, 5])
        // One event can be both ends, with offsets; between it and itself lies the time until the next one.
        let (down, later) = (Self.anchor("lb.member-down"), Self.anchor("lb.member-down", .milliseconds(10)))
        #expect(try Self.seconds(down, later) == [2, 2.01])
        #expect(try Self.seconds(down, down) == [2, 4])
        #expect(throws: UndecidableExpectation.self) {
            try Self.seconds(Self.anchor("lb.member-up"), Self.anchor("killed"))
        }
    }

    @Test func `a run that does not record when its scenario began is taken from the scenario's first event`() throws {
        var scene = Self.scene
        scene.events.removeAll { $0.name == "scenario.begin" }
        #expect(try scene.evidence.event(named: "lb.member-down").time == Scene.at(2))
        scene.events.removeAll { $0.name == "killed" || $0.name == "app.stop" }
        #expect(try scene.evidence.event(named: "lb.member-down").time == Scene.at(0.2))
    }

    @Test func `an event that happened only while the lab came up decides nothing, one that never did fails`() {
        var scene = Self.scene
        scene.events.append(Self.event("lb.ready", 0.1, "ready", "lb"))
        let early = scene.evaluate(.none([]), after: Self.anchor("lb.ready"))
        #expect(early.verdict == .inconclusive)
        #expect(
            early.seen
                == "event lb.ready happened only before the scenario began, 400 ms before, and not since; the event of its start is scenario.begin"
        )
        #expect(scene.evaluate(.some([]), before: Self.anchor("dawn")).verdict == .fail)
    }

    @Test func `a detail is that of the first such event since the scenario began`() {
        let same = RecordCheck(field: "port", condition: .isThatOf(event: "lb.member-down", detail: "port"))
        let result = Self.scene.evaluate(
            .event(EventExpectation(event: "lb.member-down", with: [same], count: .init(.equal, 1))))
        #expect(result.verdict == .pass, "\(result.seen)")
    }

    @Test func `what moves, moves at the first such event since the scenario began`() {
        let place = CarryExpectation.Place(node: "lb", interface: "inside", before: Self.anchor("lb.member-down"))
        let result = Self.scene.evaluate(
            .carriedOver(CarryExpectation(first: place, then: .init(node: "lb", interface: "inside"))))
        #expect(result.frames.first?.number == 19, "the last frame before 2 s")
    }

    @Test func `the result names every event that it refers to, and which of several it is`() {
        let scene = Self.scene
        let frames = scene.evaluate(.some([]), after: Self.anchor("killed"), before: Self.anchor("lb.member-down"))
        #expect(
            frames.events.map(\.description) == ["after killed: the 1st of 1", "before lb.member-down: the 2nd of 3"])
        #expect(frames.events.map(\.time) == [Scene.at(1), Scene.at(2)])
        let counted = scene.evaluate(.event(EventExpectation(event: "lb.member-down", count: .init(.equal, 3))))
        #expect(counted.verdict == .pass)
        #expect(counted.events.map(\.occurrence) == [1, 2, 3])
        #expect(counted.events.map(\.isBeforeScenario) == [true, false, false])
        #expect(
            [1, 2, 3, 4, 11, 12, 13, 21, 101, 112].map(EventReference.ordinal)
                == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "101st", "112th"])
    }
}
