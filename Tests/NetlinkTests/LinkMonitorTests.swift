import Glibc
import Netlink
import Testing

@Suite(
    "Link monitor", .enabled(if: NamespaceHost.canCreateNamespaces, Comment(rawValue: NamespaceHost.needsNamespaces)))
struct LinkMonitorTests {
    @Test func `links that appear, get carrier and disappear are reported`() throws {
        let events = try NamespaceThread.run { () throws -> [LinkEvent] in
            _ = try NetworkNamespace.createAndEnter()
            var monitor = try LinkMonitor()
            var socket = try NetlinkSocket()
            guard try monitor.next() == nil else { return [] }
            try socket.perform([.createVethPair(VethEnd("a"), VethEnd("b")), .setUp("a"), .setUp("b")])
            var events: [LinkEvent] = []
            // The kernel tells of a carrier from a work queue, a moment after `setUp` has returned.
            while !events.contains(where: Self.isCarrierOfA) {
                var descriptor = pollfd(fd: monitor.fileDescriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&descriptor, 1, 10_000) == 1 else { break }
                while let event = try monitor.next() { events.append(event) }
            }
            try socket.perform(.deleteLink("a"))
            while let event = try monitor.next() { events.append(event) }
            return events
        }
        let ofA = events.compactMap { event -> String? in
            switch event {
            case .present(let link) where link.name == "a": link.hasCarrier ? "carrier" : "present"
            case .removed(let link) where link.name == "a": "removed"
            default: nil
            }
        }
        #expect(ofA.first == "present")
        #expect(ofA.contains("carrier"))
        #expect(ofA.last == "removed")
    }

    @Test func `a port that leaves its bridge is not taken for a link that is gone`() throws {
        let removed = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            try socket.perform([
                .createBridge("switch"), .createVethPair(VethEnd("a"), VethEnd("b")), .setMaster(of: "a", to: "switch"),
            ])
            var monitor = try LinkMonitor()
            try socket.perform(.removeMaster(of: "a"))
            var removed = 0
            while let event = try monitor.next() { if case .removed = event { removed += 1 } }
            return removed
        }
        #expect(removed == 0)
    }

    @Test func `the end of a namespace is seen by the removal of a witness`() throws {
        let isGone = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            var monitor = try LinkMonitor()
            let other = try NetworkNamespace.create()
            try socket.perform(
                .createVethPair(VethEnd("witness", index: 77), VethEnd("far", namespace: other.descriptor)))
            Self.end(other)
            try monitor.waitForRemoval(of: 77, timeout: .seconds(10))
            return try socket.link("witness") == nil
        }
        #expect(isGone)
    }

    @Test func `waiting for a link that stays ends with an error`() throws {
        let kind = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var monitor = try LinkMonitor()
            return netlinkError { try monitor.waitForRemoval(of: 1, timeout: .milliseconds(1)) }?.kind
        }
        #expect(kind == .timedOut)
    }

    @Test func `a link that is gone already is not waited for`() throws {
        try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var monitor = try LinkMonitor()
            try monitor.waitForRemoval(of: 4711, timeout: .zero)
        }
    }

    private static func isCarrierOfA(_ event: LinkEvent) -> Bool {
        if case .present(let link) = event { return link.name == "a" && link.hasCarrier }
        return false
    }

    private static func end(_ namespace: consuming NetworkNamespace) {}
}
