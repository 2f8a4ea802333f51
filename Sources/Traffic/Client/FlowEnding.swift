internal import Measurement
internal import SystemPackage

/// How a flow ended, and why in words.
struct FlowEnding: Equatable {
    var outcome: FlowOutcome
    var reason: String?

    static let survived = FlowEnding(outcome: .survived)

    static func impatient(_ program: TrafficProgram, waitingFor what: String) -> FlowEnding {
        FlowEnding(outcome: .timedOut, reason: "no \(what) for \(program.patience), the application's patience")
    }

    static let closedByPeer = FlowEnding(
        outcome: .reset, reason: "the connection was closed from the other side while an answer was awaited")

    init(outcome: FlowOutcome, reason: String? = nil) {
        self.outcome = outcome
        self.reason = reason
    }

    /// What an error of a socket call means for the flow.
    init(_ error: Errno) {
        reason = error.description
        switch error {
        case .connectionRefused, .noRouteToHost, .networkUnreachable, .hostIsDown, .permissionDenied, .notPermitted,
            .protocolError, .protocolNotAvailable:
            outcome = .refused
        case .timedOut: outcome = .timedOut
        default: outcome = .reset
        }
    }
}

extension Errno {
    /// Whether this host could not even ask: no descriptor, memory, address or port left. Nothing about the network.
    var isShortage: Bool {
        switch self {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .noBufferSpace, .addressInUse,
            .addressNotAvailable:
            true
        default: false
        }
    }
}
