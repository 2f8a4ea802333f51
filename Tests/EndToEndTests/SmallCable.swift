/// Two hosts and a cable with an in-line element: the least lab there is, for tests of the command itself.
enum SmallCable {
    /// - Parameters:
    ///   - name: of the lab
    ///   - fault: on the cable; none unless given
    ///   - every: the cadence of the datagrams
    ///   - wait: how long traffic runs
    static func lab(_ name: String, fault: String = "", every: String = "5ms", wait: String = "250ms") -> String {
        """
        schema: 1
        name: \(name)
        title: Two hosts and a cable
        networks: { cable: 192.0.2.0/24 }
        nodes:
          client: { role: client, interfaces: { cable: 192.0.2.10 } }
          server: { role: backend, interfaces: { cable: 192.0.2.20 } }
        traffic:
          asking: { from: client, to: "server:7", kind: udp, every: \(every), patience: 500ms }
        faults:
          lossy: { on: client.cable\(fault) }
        scenario:
          - start: asking
          - wait: \(wait)
          - fail: { link-up: client.cable }
            as: nothing
        variants:
          plain: { shows: control, expect: [{ event: { name: nothing, count: 1 } }] }
        """
    }
}
