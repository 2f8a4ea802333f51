import Configuration
import LabEvents
import Testing

@testable import LabRuntime

struct CounterOutputTests {
    private func counters(_ text: String, _ pattern: String? = nil) throws -> [String: UInt64] {
        let output = CounterOutput(program: "p", command: .init(["x"], pattern: pattern))
        return Dictionary(try output.readings(in: text).map { ($0.name, $0.value) }, uniquingKeysWith: &+)
    }

    @Test func `lines of a name and a number are counters, and no others`() throws {
        let text = """
            CurrConns: 12
            Uptime=7 \t
            cache hits 3
            requests,18446744073709551615
            load: 0.25
            delta: -5
            name only
            42

            """
        #expect(
            try counters(text) == [
                "p/CurrConns": 12, "p/Uptime": 7, "p/cache-hits": 3, "p/requests": 18_446_744_073_709_551_615,
            ])
    }

    @Test func `a pattern has the name and the number`() throws {
        #expect(try counters("a=1 b=2\na=3", #"(?<name>\w)=(?<value>\d+)"#) == ["p/a": 4, "p/b": 2])
    }

    @Test func `other groups add themselves to the name, and are the name where there is none`() throws {
        let nftables = #"counter (?<name>\S+) \{\s+(?:comment .*\s+)?packets (?<packets>\d+) bytes (?<bytes>\d+)"#
        let text = """
            table ip filter {
            \tcounter refused {
            \t\tcomment "of the policy"
            \t\tpackets 3 bytes 180
            \t}
            \tcounter passed {
            \t\tpackets 0 bytes 0
            \t}
            }
            """
        #expect(
            try counters(text, nftables) == [
                "p/refused.packets": 3, "p/refused.bytes": 180, "p/passed.packets": 0, "p/passed.bytes": 0,
            ])
        #expect(try counters("8\n", #"(?<sessions>\d+)"#) == ["p/sessions": 8])
    }

    @Test func `what matches nothing has no counter`() throws {
        #expect(try counters("", #"(?<sessions>\d+)"#) == [:])
        #expect(try counters("many", #"(?<name>m)(?<value>\w+)"#) == [:])
    }
}
