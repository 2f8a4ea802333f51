import Evidence
import Expectation
import LabTime
import Testing

/// Frames that a capture lost leave in doubt what they could have shown, and nothing else.
@Suite struct `Lost frames` {
    private let every = FrameExpectation.Requirement.every([
        FieldCheck(field: "eth.dst", condition: .equals("\(Scene.macB)"))
    ])

    /// All answers after the failover go to MAC-B.
    private func scene(losing losses: CaptureLoss..., dropped: Int? = nil) -> Scene {
        var scene = Scene()
        scene.answer(at: 0.5, to: Scene.macA)
        for tenth in 11...19 { scene.answer(at: Double(tenth) / 10, to: Scene.macB) }
        scene.losses = losses
        scene.dropped = dropped ?? losses.reduce(0) { $0 + ($1.frames ?? 0) }
        return scene
    }

    private func loss(_ from: Double, _ to: Double, _ frames: Int?) -> CaptureLoss {
        CaptureLoss(from: Scene.at(from), to: Scene.at(to), frames: frames)
    }

    private let failover = Anchor(event: "failover")

    @Test func `before the window do not touch it`() {
        #expect(scene(losing: loss(0.2, 0.9, 3)).evaluate(every, after: failover).verdict == .pass)
    }

    @Test func `within the window, or across its begin, leave it in doubt and say when`() {
        let within = scene(losing: loss(1.2, 1.25, 3)).evaluate(every, after: failover)
        #expect(within.verdict == .inconclusive)
        #expect(
            within.seen.hasSuffix(
                "; but captures/lb.inside.pcap lacks 3 frames that the kernel dropped between +0.200 s after failover and +0.250 s after failover"
            ), "\(within.seen)")
        #expect(scene(losing: loss(0.9, 1, 1)).evaluate(every, after: failover).verdict == .inconclusive)
    }

    @Test func `that a limit left out are reported as such, and count as none that the kernel dropped`() {
        let limited = CaptureLoss(from: Scene.at(1.5), to: Scene.at(3), frames: 40, cause: .captureLimit)
        let within = scene(losing: limited, dropped: 0).evaluate(every, after: failover)
        #expect(within.verdict == .inconclusive)
        #expect(within.seen.contains("lacks 40 frames that --capture-limit left out between "), "\(within.seen)")
        #expect(
            scene(losing: limited, dropped: 0).evaluate(every, after: failover, within: .milliseconds(400)).verdict
                == .pass)
        let both = scene(losing: limited, dropped: 2).evaluate(every, after: failover)
        #expect(both.seen.contains("lacks 2 frames that the kernel dropped"), "\(both.seen)")
    }

    @Test func `of an unknown number leave the window in doubt`() {
        let result = scene(losing: loss(1.5, 3, nil)).evaluate(every, after: failover)
        #expect(result.verdict == .inconclusive)
        #expect(result.seen.contains("the kernel did not report how many frames captures/lb.inside.pcap lacks"))
    }

    @Test func `at an unknown time leave every window in doubt`() {
        // As in runs that were saved before the times were kept: 3 dropped, of which 1 has a time.
        let result = scene(losing: loss(0.2, 0.3, 1), dropped: 3).evaluate(every, after: failover)
        #expect(result.verdict == .inconclusive)
        #expect(result.seen.contains("lacks 2 frames that the kernel dropped"))
    }

    @Test func `behind the first frame leave what the first one is in no doubt`() {
        let first = FrameExpectation.Requirement.first([
            FieldCheck(field: "eth.dst", condition: .equals("\(Scene.macB)"))
        ])
        #expect(scene(losing: loss(1.2, 1.25, 3)).evaluate(first, after: failover).verdict == .pass)
        #expect(scene(losing: loss(1.05, 1.25, 3)).evaluate(first, after: failover).verdict == .inconclusive)
        // Without a first frame any lost one may have been it.
        #expect(
            scene(losing: loss(2.2, 2.3, 3)).evaluate(first, after: Anchor(event: "failover", offset: .seconds(1)))
                .verdict
                != .pass)
    }

    @Test func `after the window do not touch it`() {
        let before = FrameExpectation.Requirement.every([
            FieldCheck(field: "eth.dst", condition: .equals("\(Scene.macA)"))
        ])
        #expect(scene(losing: loss(1.2, 1.4, 3)).evaluate(before, before: failover).verdict == .pass)
        #expect(scene(losing: loss(0.9, 1.4, 3)).evaluate(before, before: failover).verdict == .inconclusive)
    }
}
