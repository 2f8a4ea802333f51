package import Measurement

/// Options that only some kinds have, as the flows of these kinds read them.
extension TrafficProgram {
    package var exchanges: Bool { options(of: TCPConnectTraffic.self)?.exchanges ?? true }
    package var path: String { options(of: HTTPRequestTraffic.self)?.path ?? "/" }
    package var usesTLS: Bool { options(of: HTTPRequestTraffic.self)?.usesTLS ?? false }
    package var retries: Int { options(of: HTTPRequestTraffic.self)?.retries ?? 0 }
    package var reusesConnections: Bool { options(of: HTTPRequestTraffic.self)?.reuses ?? false }
    package var burst: Int {
        options(of: UDPTraffic.self)?.burst ?? options(of: UDPRequestTraffic.self)?.burst ?? 1
    }
    package var rebinding: Rebinding? { options(of: UDPTraffic.self)?.rebinding }
    package var maximumAge: Duration? {
        options(of: TCPStreamTraffic.self)?.maximumAge ?? options(of: HTTPRequestTraffic.self)?.maximumAge
    }
    package var transfer: FileTransfer? { options(of: FTPTraffic.self)?.transfer }
    package var manyFlows: ManyFlowTraffic.Rounds? { options(of: ManyFlowTraffic.self)?.rounds }

    package var retryEvery: Duration {
        options(of: UDPRequestTraffic.self)?.retryEvery ?? options(of: ManyFlowTraffic.self)?.retryEvery ?? every
    }
}
