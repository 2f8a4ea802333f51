import Testing

@testable import LabRuntime

struct KeptOutputTests {
    private static func kept(_ output: KeptOutput, _ pieces: [String]) -> KeptOutput {
        var output = output
        for piece in pieces { output.append(Array(piece.utf8)[...]) }
        return output
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `little output is kept whole`() {
        let output = Self.kept(KeptOutput(first: 4, newest: 4), ["abc", "", "de", "fgh"])
        #expect(Self.text(output.bytes) == "abcdefgh" && output.leftOut == 0)
        #expect(Self.text(output.shown) == "abcdefgh")
    }

    @Test func `of more the first and the newest bytes are kept, however it comes`() {
        let text = "abcdefghijklmnopqrstuvwxyz"
        for size in 1...text.count {
            var rest = text[...]
            var pieces: [String] = []
            while !rest.isEmpty {
                pieces.append(String(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            let output = Self.kept(KeptOutput(first: 4, newest: 3), pieces)
            #expect(Self.text(output.bytes) == "abcd\nxyz" && output.leftOut == 19, "pieces of \(size)")
            #expect(Self.text(output.shown) == "abcd\n… 19 bytes left out …\nxyz")
        }
    }

    @Test func `without a newest part the first bytes are all`() {
        let output = Self.kept(KeptOutput(first: 4), ["abcdef", "gh"])
        #expect(Self.text(output.bytes) == "abcd" && output.leftOut == 4)
    }
}
