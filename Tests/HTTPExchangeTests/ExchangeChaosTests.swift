import TestSupport
import Testing

@testable import HTTPExchange

/// Inputs in any order, from seeds.
struct ExchangeChaosTests {
    private static let bytes = [
        #"GET / HTTP/1.1\r\nHost: lab\r\n\r\n"#, #"POST /p HTTP/1.1\r\nHost: lab\r\nContent-Length: 3\r\n\r\n"#,
        #"PUT /c HTTP/1.0\r\nHost: lab\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc"#,
        #"POST /t HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n"#, #"3\r\nabc\r\n"#, #"0\r\n\r\n"#,
        "abc", #"\r\n"#, "GET", "[x*9000]",
    ]
    private static let answers = [
        #"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"#, #"HTTP/1.1 204 No Content\r\n\r\n"#,
        #"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"#, #"HTTP/1.1 103 Early Hints\r\n\r\n"#,
        #"HTTP/1.0 200 OK\r\n\r\n"#, #"3\r\nabc\r\n"#, #"0\r\n\r\n"#, "abc", "HTTP/1.1 2", "[x*9000]",
    ]

    private static func line(_ random: inout SeededGenerator, _ script: ExchangeScript) -> String {
        let isConnecting = script.exchange.phaseName == "connecting"
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<5: return "client " + bytes.randomElement(using: &random)!
        case 5..<9 where script.endpoints.hasMember && !isConnecting:
            return "member " + answers.randomElement(using: &random)!
        case 5..<9: return isConnecting ? "connected" : "next"
        case 9: return isConnecting ? "connect-failed member-refused" : "member-took-some"
        case 10 where script.endpoints.hasMember && !isConnecting: return "member-end"
        case 11 where script.endpoints.hasMember && !isConnecting: return "member-lost member-reset"
        case 12 where script.endpoints.clientIsBlocked: return "drained"
        case 13: return "client-took-some"
        case 14 where Bool.random(using: &random): return "time"
        case 15 where Int.random(in: 0..<8, using: &random) == 0: return "client-end"
        case 16 where Int.random(in: 0..<12, using: &random) == 0: return "client-lost"
        case 17 where Int.random(in: 0..<12, using: &random) == 0: return "session-failed"
        default: return "client-took-some"
        }
    }

    @Test(arguments: UInt64(1)...40)
    func `whatever happens, each request is logged once, and nothing is called for behind the end`(seed: UInt64) throws
    {
        var random = SeededGenerator(seed: seed)
        for round in 0..<20 {
            let script = ExchangeScript()
            try script.play("service members 2\(Bool.random(using: &random) ? " multiplexing" : "")")
            let connects = ["pending", "accepts", "accepts-head", "reused", "member-refused", "no-source-port"]
            var time = 0
            for _ in 0..<60 {
                try script.play("connects \(connects.randomElement(using: &random)!)")
                if Int.random(in: 0..<6, using: &random) == 0 {
                    try script.play("client-is \(Bool.random(using: &random) ? "blocked" : "free")")
                    try script.play("member-is \(Bool.random(using: &random) ? "blocked" : "free")")
                }
                time += Int.random(in: 0..<8_000, using: &random)
                let line = Self.line(&random, script)
                try script.play("\(time)ms \(line)")
                #expect(script.endpoints.mistakes == [], "seed \(seed), round \(round), \(line)")
                let open = script.exchange.isAsking ? 1 : 0
                #expect(script.endpoints.open == open, "seed \(seed), round \(round), \(line)")
            }
            try script.play("\(time)ms stop")
            #expect(script.endpoints.mistakes == [] && !script.endpoints.hasMember, "seed \(seed)")
            #expect(script.exchange.phaseName == "closed" && script.endpoints.open == 0, "seed \(seed)")
        }
    }
}
