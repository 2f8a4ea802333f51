internal import Measurement
internal import SystemPackage
internal import TrafficModel

extension FlowEnding {
    /// What an error of a socket call means for the flow.
    init(_ error: Errno) {
        let outcome: FlowOutcome =
            switch error {
            case .connectionRefused, .noRouteToHost, .networkUnreachable, .hostIsDown, .permissionDenied,
                .notPermitted, .protocolError, .protocolNotAvailable:
                .refused
            case .timedOut: .timedOut
            default: .reset
            }
        self.init(outcome: outcome, reason: error.description)
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
