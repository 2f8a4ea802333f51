import LabFile
import Testing

@testable import Topology

@Suite struct `A drawing of a topology` {
    private func variant(_ networks: String, _ nodes: String) throws -> Variant {
        let text = "schema: 1\nname: drawn\nnetworks: \(networks)\nnodes:\n\(nodes)"
        return try Lab(parsing: text, path: "lab.yaml").variants[0]
    }

    private func drawing(_ networks: String, _ nodes: String) throws -> String {
        TextDrawing(TopologyGraph(try variant(networks, nodes))).text
    }

    @Test func `is a line where the lab is one`() throws {
        #expect(
            try drawing(
                "{ outside: 192.0.2.0/24, inside: 198.51.100.0/24 }",
                """
                  server: { role: backend, interfaces: { inside: } }
                  client: { role: client, interfaces: { outside: } }
                  router: { role: router, interfaces: { inside: , outside: } }
                """) == "client ── outside ── router ── inside ── server\n")
    }

    @Test func `shows a pair and what joins it`() throws {
        #expect(
            try drawing(
                "{ outside: 192.0.2.0/24, inside: 198.51.100.0/24, sync: }",
                """
                  client: { role: client, interfaces: { outside: 192.0.2.10 } }
                  fw-a:
                    role: firewall
                    interfaces: { outside: 192.0.2.2, inside: 198.51.100.2, sync: }
                    redundancy: { peer: fw-b, addresses: { outside: 192.0.2.1, inside: 198.51.100.1 } }
                  fw-b:
                    role: firewall
                    interfaces: { outside: 192.0.2.3, inside: 198.51.100.3, sync: }
                    redundancy: { peer: fw-a }
                  server: { role: backend, interfaces: { inside: 198.51.100.10 } }
                """) == """
                    client ── outside ─┬── fw-a ─┬─┬── inside ── server
                                       │         └─│┬─ sync
                                       └── fw-b ─┬─┘│
                                                 └──┘

                    """)
    }

    @Test func `puts each part of a lab that is joined to nothing else below the others`() throws {
        #expect(
            try drawing(
                "{ left: 192.0.2.0/24, right: 198.51.100.0/24 }",
                """
                  a: { role: client, interfaces: { left: } }
                  b: { role: backend, interfaces: { left: } }
                  c: { role: client, interfaces: { right: } }
                  d: { role: backend, interfaces: { right: } }
                """) == """
                    a ── left ─── b
                    c ── right ── d

                    """)
    }

    /// Whatever a lab looks like: every node and network once, every line from end to end.
    @Test(arguments: [2, 3, 4, 6])
    func `has every name once and loses no line, with many networks between many nodes`(width: Int) throws {
        let networks = (0..<width).map { "n\($0): 10.0.\($0).0/24" }.joined(separator: ", ")
        let interfaces = (0..<width).map { "n\($0): " }.joined(separator: ", ")
        let nodes = (0..<width).map { "  box-\($0): { role: router, interfaces: { \(interfaces)} }" }
        let text = try drawing("{ \(networks) }", nodes.joined(separator: "\n"))
        for name in (0..<width).flatMap({ ["n\($0)", "box-\($0)"] }) {
            let words = text.split(whereSeparator: { " \n─│┬┴┼├┤└┘┌┐".contains($0) })
            #expect(words.count { $0 == name } == 1, "\(name)\n\(text)")
        }
        // What goes down from a sign arrives at the one below it; what goes right, at the one beside it.
        let rows = text.split(separator: "\n").map(Array.init)
        func sign(_ row: Int, _ column: Int) -> Character {
            rows.indices.contains(row) && rows[row].indices.contains(column) ? rows[row][column] : " "
        }
        for row in rows.indices {
            for column in rows[row].indices {
                let below = sign(row + 1, column)
                #expect("│┬┼├┤┌┐".contains(sign(row, column)) == "│┴┼├┤└┘".contains(below), "\(row) \(column)\n\(text)")
                if "┬┴┼├└┌".contains(sign(row, column)) {
                    #expect("─│┬┴┼┤┘┐".contains(sign(row, column + 1)), "\(row) \(column)\n\(text)")
                }
            }
        }
    }

    @Test func `tells below it what it cannot show`() throws {
        let text = try Lab(
            parsing: SmallLab.replacing("scenario:\n", "faults:\n  late: { on: lb.servers, do: drop }\nscenario:\n"),
            path: "x"
        ).variants[0].drawing(as: .text)
        #expect(text.contains("\nlb         load-balancer  inside   198.51.100.5/24"), "\(text)")
        #expect(text.contains("in-line element: late\n"), "\(text)")
        #expect(!text.contains(" \n"))
    }

    @Test func `tells below it what answers at which port`() throws {
        let text = try variant(
            "{ cable: 192.0.2.0/24 }",
            """
              client: { role: client, interfaces: { cable: 192.0.2.10 } }
              server:
                role: backend
                interfaces: { cable: 192.0.2.20 }
                services: { echo: 7/udp }
                programs: { web: { run: [/bin/web], ready: { tcp: 80 } } }
            """
        ).drawing(as: .text)
        #expect(text.hasSuffix("\n\nserver  7/udp   echo of failoverlab\nserver  80/tcp  program web\n"), "\(text)")
    }

    @Test func `has another form for Graphviz and for Mermaid`() throws {
        let variant = try variant(
            "{ cable: 192.0.2.0/24 }",
            """
              client: { role: client, interfaces: { cable: 192.0.2.10 } }
              server: { role: backend, interfaces: { eth: { network: cable, address: 192.0.2.20 } } }
            """)
        #expect(
            variant.drawing(as: .mermaid) == """
                graph LR
                  n0["client<br/>client"]
                  n1["server<br/>backend"]
                  s0(["cable<br/>192.0.2.0/24"])
                  n0 ---|"192.0.2.10/24"| s0
                  n1 ---|"eth 192.0.2.20/24"| s0

                """)
        #expect(
            variant.drawing(as: .dot) == #"""
                graph "default" {
                  rankdir=LR;
                  node [fontname="Helvetica"];
                  "client" [shape=box, label="client\nclient"];
                  "server" [shape=box, label="server\nbackend"];
                  "network cable" [shape=ellipse, label="cable\n192.0.2.0/24"];
                  "client" -- "network cable" [label="192.0.2.10/24"];
                  "server" -- "network cable" [label="eth 192.0.2.20/24"];
                }

                """#)
    }
}
