import TestTexts
import Testing

struct ExchangeScriptTests {
    static let scripts = RecordedText.all("HTTPExchangeTests", in: "Scripts")

    @Test func `there are scripts`() { #expect(Self.scripts.count >= 6) }

    @Test(arguments: scripts)
    func `an exchange does what the script has below each input`(script: String) throws {
        try RecordedText("HTTPExchangeTests", "Scripts/\(script)").compare { try ExchangeScript.play($0) }
    }
}
