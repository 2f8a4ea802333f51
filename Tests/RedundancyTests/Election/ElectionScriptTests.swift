import TestTexts
import Testing

struct ElectionScriptTests {
    static let scripts = RecordedText.all("RedundancyTests", in: "Election/Scripts")

    @Test func `there are scripts`() { #expect(Self.scripts.count >= 7) }

    @Test(arguments: scripts)
    func `an election does what the script has below each input`(script: String) throws {
        try RecordedText("RedundancyTests", "Election/Scripts/\(script)").compare { try ElectionScript.play($0) }
    }
}
