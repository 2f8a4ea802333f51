/// A small valid lab; tests change one line of it.
enum SmallLab {
    static let text = """
        schema: 1
        name: small
        networks:
          outside: 192.0.2.0/24
          inside: 198.51.100.0/24
          servers:
        nodes:
          client:
            role: client
            interfaces: { outside: 192.0.2.10 }
            gateway: 192.0.2.1
          fw-a:
            role: firewall
            interfaces: { outside: 192.0.2.2, inside: 198.51.100.2 }
            redundancy:
              peer: fw-b
              addresses: { outside: 192.0.2.1, inside: 198.51.100.1 }
          fw-b:
            role: firewall
            interfaces: { outside: 192.0.2.3, inside: 198.51.100.3 }
          lb:
            role: load-balancer
            interfaces: { inside: 198.51.100.5, servers: }
            gateway: fw-a.inside
            virtual-services:
              web:
                listen: 198.51.100.100:80/tcp
                profile: tcp-fast-path
                pool: [backend-1:8080]
          backend-1:
            role: backend
            interfaces: { servers: }
        traffic:
          existing: { from: client, to: lb/web, kind: tcp-stream, every: 10ms }
        scenario:
          - start: existing
          - fail: { switchover: fw-a }
            as: failover
          - wait: 1s
        expect:
          - existing: timed-out
          - frames: { on: lb.inside, match: "tcp and src host lb/web.address", after: failover }
            every: { eth.dst: fw-a.inside.mac }
        """

    /// The lab with the first occurrence of a text replaced, which has to be there.
    static func replacing(_ old: String, _ new: String) -> String {
        guard let range = firstRange(of: old) else { preconditionFailure("the small lab has no '\(old)'") }
        return text.replacingCharacters(in: range, with: new)
    }

    private static func firstRange(of part: String) -> Range<String.Index>? {
        var start = text.startIndex
        while start < text.endIndex {
            if text[start...].hasPrefix(part) { return start..<text.index(start, offsetBy: part.count) }
            start = text.index(after: start)
        }
        return nil
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with new: String) -> String {
        self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
