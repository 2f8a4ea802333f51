import Configuration
import Testing

@testable import LabRuntime

struct OutputPatternsTests {
    private static let program = ProgramConfiguration(
        name: "keepalived", command: ["keepalived"], readiness: [.output(pattern: "Startup complete")],
        events: [.init(name: "master", pattern: #"\((?<instance>[^)]+)\) Entering (MASTER) STATE"#)])

    @Test func `lines are put together from pieces, and named groups are details`() throws {
        var patterns = try OutputPatterns(Self.program)
        #expect(!patterns.isEmpty && !patterns.isMet("Startup complete"))
        #expect(patterns.take(Array("Mon: Startup comp".utf8)).isEmpty)
        #expect(!patterns.isMet("Startup complete"))
        let found = patterns.take(Array("lete\nMon: (lan) Entering MASTER STATE\nMon: (wan) Entering MAS".utf8))
        #expect(patterns.isMet("Startup complete"))
        #expect(found.map(\.event) == ["master"] && found.map(\.groups) == [["instance": "lan"]])
        #expect(found.map(\.line) == ["Mon: (lan) Entering MASTER STATE"])
        #expect(patterns.take(Array("TER STATE\n".utf8)).map(\.groups) == [["instance": "wan"]])
    }

    @Test func `a line without end is looked at as far as it is kept`() throws {
        var patterns = try OutputPatterns(Self.program)
        #expect(patterns.take([UInt8](repeating: 0x20, count: 1 << 20)).isEmpty)
        #expect(patterns.take(Array("(lan) Entering MASTER STATE\n".utf8)).isEmpty)
        #expect(patterns.take(Array("(lan) Entering MASTER STATE\n".utf8)).count == 1)
    }

    @Test func `a program without patterns keeps its output to itself`() throws {
        #expect(try OutputPatterns(ProgramConfiguration(name: "a", command: ["a"])).isEmpty)
    }
}
