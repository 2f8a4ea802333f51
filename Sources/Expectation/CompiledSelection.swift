import Evidence
import LabTime
import Measurement

/// Which frames of a capture an expectation looks at, besides the capture filter.
struct CompiledSelection: Sendable {
    var window: TimeWindow
    /// nil selects frames of any flow or none.
    var program: String?
    var direction: FrameExpectation.Direction?
    var membership: FlowMembership

    /// Throws what leaves the expectation undecided before any frame is examined, or a `MissingEvent`.
    init(_ expectation: FrameExpectation, in evidence: RunEvidence) throws {
        window = try TimeWindow(
            after: expectation.after, before: expectation.before, within: expectation.within, in: evidence)
        program = expectation.flowsOf
        direction = expectation.direction
        if direction != nil, program == nil {
            throw UndecidableExpectation("a direction needs 'of', the traffic whose client and server it refers to")
        }
        if let program {
            guard let traffic = evidence.traffic(named: program) else {
                throw UndecidableExpectation(
                    "traffic \(program) left no result, so its frames are not known")
            }
            if traffic.flows.isEmpty { throw UndecidableExpectation("traffic \(program) opened no flow") }
            try traffic.requireKnownPorts(in: evidence)
        }
        membership = FlowMembership(program == nil ? [] : evidence.traffic)
    }

    enum Fit: Hashable, Sendable {
        case selected
        case outsideWindow(Duration)
        case otherDirection
        case otherFlow
    }

    func fit(_ frame: CapturedFrame, _ reading: FrameReading) -> Fit {
        if let program {
            guard let side = membership.side(of: reading, at: frame.time, program: program) else { return .otherFlow }
            switch direction {
            case .toServer where side != .toServer, .toClient where side != .toClient: return .otherDirection
            default: break
            }
        }
        return window.contains(frame.time) ? .selected : .outsideWindow(window.distance(of: frame.time))
    }
}
