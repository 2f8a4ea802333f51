import LabTime
import TestTexts
import Testing

@testable import HTTPExchange

/// Every input in every phase. `Table.txt` has a line for each pair: the phase, the input, and what becomes of them.
struct ExchangeTableTests {
    private static let get = #"client GET / HTTP/1.1\r\nHost: lab\r\n\r\n"#
    private static let post = #"client POST /p HTTP/1.1\r\nHost: lab\r\nContent-Length: 6\r\n\r\nabc"#

    /// How a connection comes into each phase.
    static let setups: [(phase: String, name: String, script: [String])] = [
        ("idle", "idle", ["service"]),
        ("head", "head", ["service", #"0ms client GET / HTTP/1.1\r\nHo"#]),
        ("connecting", "connecting", ["service", "0ms \(get)"]),
        ("exchanging, answer awaited", "exchanging, answer awaited", ["service", "connects accepts", "0ms \(get)"]),
        (
            "exchanging, answer awaited", "exchanging, body and answer awaited",
            ["service", "connects accepts", "0ms \(post)"]
        ),
        (
            "exchanging, answer awaited", "exchanging over a reused connection, answer awaited",
            ["service multiplexing", "connects reused accepts", "0ms \(get)"]
        ),
        (
            "exchanging, answer begun", "exchanging, answer begun",
            [
                "service", "connects accepts", "0ms \(get)",
                #"1ms member HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc"#,
            ]
        ),
        (
            "exchanging, answer begun", "exchanging, answer begun, until the connection ends",
            ["service", "connects accepts", "0ms \(get)", #"1ms member HTTP/1.1 200 OK\r\n\r\nabc"#]
        ),
        (
            "exchanging, answer begun", "exchanging, answer begun, client blocked",
            [
                "service", "connects accepts", "0ms \(get)", "client-is full",
                #"1ms member HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc"#,
            ]
        ),
        ("closing, draining", "closing, draining", ["service", "client-is full", #"0ms client bad\r\n\r\n"#]),
        ("closing, lingering", "closing, lingering", ["service", #"0ms client bad\r\n\r\n"#]),
        ("closed", "closed", ["service", "0ms client-lost"]),
    ]

    static let inputs = [
        get, #"client GET /1 HTTP/1.1\r\nHost: lab\r\n\r\nGET /2"#, "client def", "client bad line\\n", "client-end",
        "client-lost", "session-failed", "session-failed ended", "drained", "client-took-some", "connected",
        "connect-failed member-refused", #"member HTTP/1.1 204 No Content\r\n\r\n"#, "member def", "member defghi",
        "member-end", "member-lost member-reset", "member-took-some", "time", "next", "stop",
    ]

    /// One row. Time is what the deadline says, for others a millisecond later.
    private static func outcome(
        of input: String, after setup: [String]
    ) throws -> (row: String, before: String, after: String) {
        let script = ExchangeScript()
        for line in setup { try script.play(line) }
        let before = script.exchange.phaseName
        let due = script.exchange.deadline.map { $0.nanoseconds / 1_000_000 } ?? 10
        let output = try script.play("\(input == "time" ? due : 10)ms \(input)")
        #expect(script.endpoints.mistakes == [], "\(setup), \(input)")
        #expect(script.endpoints.closes == (script.exchange.phaseName == "closed" ? 1 : 0), "\(setup), \(input)")
        #expect(script.endpoints.open == (script.exchange.isAsking ? 1 : 0), "\(setup), \(input)")
        let row = ([input + ":"] + (output.isEmpty ? ["nothing"] : output)).joined(separator: "\n    ")
        return (row, before, script.exchange.phaseName)
    }

    @Test func `every pair of phase and input has the outcome that the table has`() throws {
        try RecordedText("HTTPExchangeTests", "Table.txt").compare { _ in
            var text = [
                "# What becomes of each input in each phase. ExchangeTableTests has how a connection comes there."
            ]
            for setup in Self.setups {
                text.append("\n## \(setup.name)")
                for input in Self.inputs {
                    let (row, before, after) = try Self.outcome(of: input, after: setup.script)
                    #expect(before == setup.phase)
                    if before == "closed" { #expect(row.hasSuffix("nothing") && after == "closed", "\(row)") }
                    text.append(row)
                }
            }
            return text.joined(separator: "\n") + "\n"
        }
    }

    @Test func `a deadline that has not come does nothing`() throws {
        for setup in Self.setups {
            let script = ExchangeScript()
            for line in setup.script { try script.play(line) }
            let output = try script.play("2ms time")
            #expect(output == [], "\(setup.name)")
        }
    }

    @Test func `whatever time does, a phase that waits has a deadline`() throws {
        for setup in Self.setups {
            for input in Self.inputs {
                let script = ExchangeScript()
                for line in setup.script { try script.play(line) }
                try script.play("10ms \(input)")
                let isOver = script.exchange.phaseName == "closed"
                #expect((script.exchange.deadline == nil) == isOver, "\(setup.name), \(input)")
            }
        }
    }
}
