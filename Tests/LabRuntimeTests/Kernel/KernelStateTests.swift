import Glibc
import LabEvents
import Netlink
import TestSupport
import Testing

@testable import LabRuntime

/// What a real kernel notifies, as events.
@Suite(
    .enabled(
        if: Privileges.canMakeNetworkNamespaces ?? false, "creating network namespaces needs root or a user namespace"))
struct KernelStateTests {
    /// A namespace with a veth pair `a`, `b`, and what is made of its notifications.
    private final class Stack {
        private var monitor: KernelMonitor
        private var socket: NetlinkSocket
        private var state: KernelState

        init() throws {
            _ = try NetworkNamespace.createAndEnter()
            socket = try NetlinkSocket()
            Self.ip("link add name a type veth peer name b")
            for name in ["a", "b"] {
                try? Sysctl.set("net/ipv6/conf/\(name)/disable_ipv6", "1")
                Self.ip("link set dev \(name) up")
            }
            monitor = try KernelMonitor()
            state = KernelState(
                links: try socket.links(), addresses: try socket.addresses(), neighbors: [], reportsCarriers: true)
            _ = try events("link show")
        }

        private static func ip(_ arguments: String) {
            #expect(system("ip \(arguments) > /dev/null") == 0, "ip \(arguments)")
        }

        /// The events that follow from a command; those of a carrier come from a work queue, a moment later.
        func events(_ arguments: String, atLeast count: Int = 0) throws -> [String] {
            Self.ip(arguments)
            var texts: [String] = []
            repeat {
                if texts.count < count {
                    var polled = pollfd(fd: monitor.fileDescriptor, events: Int16(POLLIN), revents: 0)
                    guard poll(&polled, 1, 10_000) == 1 else { break }
                }
                while let change = try monitor.next() { texts += [state.apply(change)].compactMap(Self.text) }
            } while texts.count < count
            return texts
        }

        /// What the lists show after notifications were lost.
        func afterLoss(_ arguments: String) throws -> [String] {
            Self.ip(arguments)
            while try monitor.next() != nil {}
            return state.resync(
                links: try socket.links(), addresses: try socket.addresses(), neighbors: try socket.neighbors()
            ).compactMap(Self.text)
        }

        private static func text(_ event: KernelState.Event?) -> String? {
            guard let event else { return nil }
            #expect(event.kind.problem(with: event.details, from: .kernel) == nil)
            let details = event.details.sorted { $0.key.rawValue < $1.key.rawValue }
            return "\(event.kind.rawValue) " + details.map { "\($0.key.rawValue)=\($0.value)" }.joined(separator: " ")
        }
    }

    private func inNamespace(_ body: @escaping @Sendable (Stack) throws -> Void) throws {
        try NamespaceThread.run { try body(try Stack()) }
    }

    @Test func `addresses come and go, each once`() throws {
        try inNamespace { (stack: Stack) throws in
            #expect(try stack.events("addr add 192.0.2.1/24 dev a") == ["address-added address=192.0.2.1 interface=a"])
            #expect(try stack.events("addr change 192.0.2.1/24 dev a valid_lft 500 preferred_lft 500") == [])
            #expect(
                try stack.events("addr del 192.0.2.1/24 dev a") == ["address-removed address=192.0.2.1 interface=a"])
        }
    }

    @Test func `of a neighbour only its MAC address and its failure count`() throws {
        try inNamespace { (stack: Stack) throws in
            _ = try stack.events("addr add 192.0.2.1/24 dev a")
            func set(_ words: String) throws -> [String] {
                try stack.events("neigh replace 192.0.2.9 dev a \(words)")
            }
            let first = "neighbor-changed address=192.0.2.9 interface=a mac=02:00:00:00:00:09 state=reachable"
            #expect(try set("lladdr 02:00:00:00:00:09 nud reachable") == [first])
            #expect(try set("lladdr 02:00:00:00:00:09 nud stale") == [])
            #expect(try set("lladdr 02:00:00:00:00:09 nud reachable") == [])
            #expect(
                try set("lladdr 02:00:00:00:00:0a nud stale") == [
                    "neighbor-changed address=192.0.2.9 from=02:00:00:00:00:09 interface=a mac=02:00:00:00:00:0a state=stale"
                ])
            #expect(
                try set("nud failed") == [
                    "neighbor-changed address=192.0.2.9 from=02:00:00:00:00:0a interface=a state=failed"
                ])
            #expect(try set("nud failed") == [])
            // The kernel's entry is gone, and so is what is known of it.
            #expect(try stack.events("neigh del 192.0.2.9 dev a") == [])
            #expect(try set("lladdr 02:00:00:00:00:09 nud reachable") == [first])
        }
    }

    @Test func `a carrier that is lost and found is reported at both ends`() throws {
        try inNamespace { (stack: Stack) throws in
            #expect(
                try stack.events("link set dev b down", atLeast: 2).sorted() == [
                    "carrier-down interface=a", "carrier-down interface=b",
                ])
            #expect(
                try stack.events("link set dev b up", atLeast: 2).sorted() == [
                    "carrier-up interface=a", "carrier-up interface=b",
                ])
        }
    }

    @Test func `after an overrun the lists show what was missed`() throws {
        try inNamespace { (stack: Stack) throws in
            #expect(
                try stack.afterLoss("addr add 192.0.2.1/24 dev a") == ["address-added address=192.0.2.1 interface=a"])
            #expect(
                try stack.afterLoss("neigh replace 192.0.2.9 dev a lladdr 02:00:00:00:00:09 nud stale") == [
                    "neighbor-changed address=192.0.2.9 interface=a mac=02:00:00:00:00:09 state=stale"
                ])
            #expect(
                try stack.afterLoss("addr del 192.0.2.1/24 dev a") == [
                    "address-removed address=192.0.2.1 interface=a"
                ])
            #expect(try stack.afterLoss("link show") == [])
        }
    }
}
