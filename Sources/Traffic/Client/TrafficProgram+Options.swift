internal import Measurement

/// Options that only some kinds have, as the flows of these kinds read them.
extension TrafficProgram {
    var patience: Duration { timeout }
    var exchanges: Bool { options(of: TCPConnectTraffic.self)?.exchanges ?? true }
    var path: String { options(of: HTTPRequestTraffic.self)?.path ?? "/" }
    var usesTLS: Bool { options(of: HTTPRequestTraffic.self)?.usesTLS ?? false }
    var transfer: FileTransfer? { options(of: FTPTraffic.self)?.transfer }
    var crowd: ManyFlowTraffic.Rounds? { options(of: ManyFlowTraffic.self)?.rounds }

    var retryEvery: Duration {
        options(of: UDPRequestTraffic.self)?.retryEvery ?? options(of: ManyFlowTraffic.self)?.retryEvery ?? every
    }
}
