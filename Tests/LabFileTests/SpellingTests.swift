import Testing

@testable import LabFile

@Suite struct `The nearest right spelling` {
    @Test(arguments: [
        ("adress", "address"), ("netwroks", "networks"), ("tcp-fastpath", "tcp-fast-path"),
        ("vitrual-mac", "virtual-mac"),
        ("Role", "role"), ("roles", "role"),
    ])
    func `is found after a slip of the finger`(written: String, meant: String) {
        let words = ["address", "networks", "tcp-fast-path", "tcp-proxy", "virtual-mac", "role", "mtu"]
        #expect(Spelling.nearest(to: written, among: words) == meant)
    }

    @Test(arguments: ["", "x", "gateway", "mac-address-of-the-box", String(repeating: "a", count: 10_000)])
    func `is not made up for a word that resembles none`(written: String) {
        #expect(Spelling.nearest(to: written, among: ["address", "network", "mac"]) == nil)
    }

    @Test func `counts two swapped letters as one edit`() {
        #expect(Spelling.distance(Array("fw-ab".unicodeScalars), Array("fw-ba".unicodeScalars)) == 1)
        #expect(Spelling.distance(Array("ca".unicodeScalars), Array("abc".unicodeScalars)) == 3)
        #expect(Spelling.distance([], Array("abc".unicodeScalars)) == 3)
    }
}
