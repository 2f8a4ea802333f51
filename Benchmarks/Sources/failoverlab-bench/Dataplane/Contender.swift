internal import Configuration
internal import CForwarders
internal import Dataplane
internal import Glibc
internal import Wire

/// Who forwards.
enum Contender: Hashable {
    case receiveAndSend
    case ring
    case passThrough
    case idleElement
    case firewall
    case loadBalancer
    case directReturn(DirectReturnConfiguration.Mode)
    case kernel

    /// What the dataplane is measured against, and what it does.
    static let ofDataplane: [Contender] = [
        .receiveAndSend, .ring, .passThrough, .idleElement, .firewall, .loadBalancer, .kernel,
    ]
    /// A balancer's ways to its members, beside plain forwarding.
    static let ofBalancing: [Contender] =
        [.receiveAndSend, .passThrough, .loadBalancer]
        + DirectReturnConfiguration.Mode.allCases.filter { $0.carries(.ipv4) }.map { .directReturn($0) }
        + [.kernel]

    var name: String {
        switch self {
        case .receiveAndSend: "plain C, recv and send"
        case .ring: "plain C, ring and sendmmsg"
        case .passThrough: "failoverlab, I/O alone"
        case .idleElement: "failoverlab, idle in-line element"
        case .firewall: "failoverlab, firewall"
        case .loadBalancer: "failoverlab, load balancer"
        case .directReturn(let mode): "failoverlab, direct, \(mode.rawValue)"
        case .kernel: "the kernel, ip_forward"
        }
    }

    /// Whom the generator's frames are addressed to. The plain forwarders change nothing, so their frames bear the
    /// far end's address already.
    var destination: MACAddress {
        switch self {
        case .receiveAndSend, .ring, .passThrough, .idleElement: BenchPath.sinkMAC
        case .firewall, .loadBalancer, .directReturn: BenchPath.boxInsideMAC
        case .kernel: BenchPath.insideMAC
        }
    }

    /// Bytes of a frame behind the box.
    var forwardedLength: Int {
        guard case .directReturn(let mode) = self else { return BenchFrame.length }
        return BenchFrame.length + (mode.encapsulation?.overhead ?? 0)
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
        case .directReturn(let mode): try Self.run(Self.makeDirectReturn(mode), until: stop)
        case .kernel: while stop.pointee == 0 { usleep(20_000) }
        }
    }

    private func check(_ error: Int32) throws {
        guard error == 0 else { throw BenchmarkFailure("\(name): \(String(cString: strerror(error)))") }
    }
}
