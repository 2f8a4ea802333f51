import LabTime
import Testing

@Suite("Times far away")
struct FarTimeTests {
    @Test(arguments: [
        "2262-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "1677-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
    ])
    func `a year that 64 bits of nanoseconds do not reach is no time`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(arguments: ["1678-01-01T00:00:00.000000000Z", "2261-12-31T23:59:59.999999999Z"])
    func `the first and the last year that they reach are times`(text: String) throws {
        #expect(try #require(Timestamp(text)).description == text)
    }
}
