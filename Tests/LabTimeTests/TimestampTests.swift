import LabTime
import TestSupport
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
        (1_795_250_096_123_456_789, "2026-11-21T08:34:56.123456789Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ])
    func `a time is written as ISO 8601 and read back`(nanoseconds: Int64, text: String) throws {
        #expect(Timestamp(nanoseconds: nanoseconds).description == text)
        #expect(try #require(Timestamp(text)).nanoseconds == nanoseconds)
    }

    @Test func `any time survives being written and read`() throws {
        let seed: UInt64 = 20_261_121
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let time = Timestamp(nanoseconds: Int64.random(in: 0...4_000_000_000_000_000_000, using: &generator))
            #expect(Timestamp(time.description) == time, "seed \(seed)")
        }
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T08:34:56", "2026-13-21T08:34:56Z", "2026-11-21T08:34:56.Z",
        "x026-11-21T08:34:56Z",
    ])
    func `what is no time is refused`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `fewer than nine fractional digits are tenths, not nanoseconds`() throws {
        #expect(try #require(Timestamp("1970-01-01T00:00:00.5Z")).nanoseconds == 500_000_000)
    }
}
