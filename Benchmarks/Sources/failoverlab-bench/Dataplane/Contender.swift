internal import CForwarders
internal import Glibc
internal import Wire

/// Who forwards.
enum Contender: CaseIterable {
    case receiveAndSend
    case ring
    case passThrough
    case idleElement
    case firewall
    case loadBalancer
    case kernel

    var name: String {
        switch self {
        case .receiveAndSend: "plain C, recv and send"
        case .ring: "plain C, ring and sendmmsg"
        case .passThrough: "failoverlab, I/O alone"
        case .idleElement: "failoverlab, idle in-line element"
        case .firewall: "failoverlab, firewall"
        case .loadBalancer: "failoverlab, load balancer"
        case .kernel: "the kernel, ip_forward"
        }
    }

    /// Whom the generator's frames are addressed to. The plain forwarders change nothing, so their frames bear the
    /// far end's address already.
    var destination: MACAddress {
        switch self {
        case .receiveAndSend, .ring, .passThrough, .idleElement: BenchPath.sinkMAC
        case .firewall, .loadBalancer: BenchPath.boxInsideMAC
        case .kernel: BenchPath.insideMAC
        }
    }

    /// Whether the box's namespace forwards by itself.
    var isKernel: Bool { self == .kernel }

    /// Forwards from `inside` to `outside` of the calling thread's namespace until `stop` is set.
    func forward(until stop: UnsafeMutablePointer<Int32>) throws {
        switch self {
        case .receiveAndSend: try check(bench_forward_by_receive_and_send("inside", "outside", stop))
        case .ring: try check(bench_forward_by_ring("inside", "outside", stop))
        case .passThrough: try Self.run(PassThrough(), until: stop)
        case .idleElement: try Self.run(Self.makeIdleElement(), until: stop)
        case .firewall: try Self.run(Self.makeFirewall(), until: stop)
        case .loadBalancer: try Self.run(Self.makeLoadBalancer(), until: stop)
        case .kernel: while stop.pointee == 0 { usleep(20_000) }
        }
    }

    private func check(_ error: Int32) throws {
        guard error == 0 else { throw BenchmarkFailure("\(name): \(String(cString: strerror(error)))") }
    }
}
