import Testing
import Wire

@Suite struct `The authenticator of the cross-connect` {
    /// Key 00 01 … 0f, message 00 01 … of this length. From the authors' reference implementation, and from OpenSSL's.
    static let published: [(length: Int, tag: String)] = [
        (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
        (2, "8177228da4a45dc7fca38bdef60affe4"), (3, "9c70b60c5267a94e5f33b6b02985ed51"),
        (4, "f88164c12d9c8faf7d0f6e7c7bcd5579"), (5, "1368875980776f8854527a07690e9627"),
        (6, "14eeca338b208613485ea0308fd7a15e"), (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
        (8, "3b62a9ba6258f5610f83e264f31497b4"), (9, "264499060ad9baabc47f8b02bb6d71ed"),
        (10, "00110dc378146956c95447d3f3d0fbba"), (11, "0151c568386b6677a2b4dc6f81e5dc18"),
        (12, "d626b266905ef35882634df68532c125"), (13, "9869e247e9c08b10d029934fc4b952f7"),
        (14, "31fcefac66d7de9c7ec7485fe4494902"), (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
        (16, "6ee2a4ca67b054bbfd3315bf85230577"), (17, "473d06e8738db89854c066c47ae47740"),
        (23, "c9d184ddd5a9f5e0cf8ce29a9abf691c"), (24, "2db479ae78bd50d8882a8a178a6132ad"),
        (31, "2939b0183223fafc1723de4f52c43d35"), (32, "7c3956ca5eeafc3e363e9d556546eb68"),
        (47, "e61c432b720b19d18ec8d84bdc63151b"), (62, "5853542321f567a005d547a4f04759bd"),
        (63, "5150d1772f50834a503e069a973fbd7c"),
    ]
    static let key = SyncKey(first: 0x0706_0504_0302_0100, second: 0x0f0e_0d0c_0b0a_0908)

    static func text(_ tag: SyncAuthenticator) -> String {
        var text = ""
        for word in [tag.low, tag.high] {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                let byte = UInt8(truncatingIfNeeded: word >> shift)
                text += String(byte >> 4, radix: 16) + String(byte & 0xf, radix: 16)
            }
        }
        return text
    }

    @Test func `tags are those that were published`() {
        for (length, tag) in Self.published {
            let message = (0..<length).map { UInt8($0) }
            #expect(withGuarded(message) { Self.text(SipHash.tag($0, key: Self.key)) } == tag, "\(length) bytes")
        }
    }

    @Test func `equal texts are equal keys, and other texts are others`() {
        #expect(SyncKey(text: "a secret of the pair") == SyncKey(text: "a secret of the pair"))
        #expect(SyncKey(text: "a secret of the pair") != SyncKey(text: "a secret of the pair "))
        #expect(SyncKey(text: "") != SyncKey(text: "\0"))
    }
}
