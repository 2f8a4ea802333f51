import Configuration

/// The header fields that a service removes and sets, made ready for comparing with every field.
struct HeaderRules {
    private let dropped: [[UInt8]]
    let written: [UInt8]
    /// The value that Host is set to.
    let host: String?

    init(_ rewriting: HeaderRewriting) {
        let set = rewriting.set.filter { $0.name.lowercased() != "host" }
        host = rewriting.set.last { $0.name.lowercased() == "host" }?.value
        dropped = (rewriting.remove + rewriting.set.map(\.name)).map { Array($0.lowercased().utf8) }
        written = set.flatMap { Array("\($0.name): \($0.value)\r\n".utf8) }
    }

    func drops(_ name: UnsafeRawBufferPointer) -> Bool {
        !dropped.isEmpty && dropped.contains { name.isCaseless($0) }
    }

    func drops(_ name: StaticString) -> Bool {
        drops(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
}

extension WrittenText {
    mutating func put(_ field: HeadField, of bytes: UnsafeRawBufferPointer) {
        let (start, end) = (field.name.upperBound, field.value.upperBound)
        // As nearly every sender writes it, and as it leaves.
        if field.value.lowerBound == start + 2, bytes[start + 1] == HTTPCharacters.space,
            bytes[end] == HTTPCharacters.cr
        {
            return put(bytes.part(field.name.lowerBound..<end + 2))
        }
        put(bytes.part(field.name))
        put(": ")
        put(bytes.part(field.value))
        put("\r\n")
    }

    mutating func put(_ rules: HeaderRules) { rules.written.withUnsafeBytes { put($0) } }
}

extension MessageBuffer {
    /// Writes a head that takes over fields of another one: besides what that has, up to a byte a field, the rules' fields,
    /// `more`, and framing and version, which are shorter than 192 bytes.
    func writeHead(
        from bytes: UnsafeRawBufferPointer, _ fields: HeadFields, _ rules: HeaderRules, more: Int,
        _ body: (inout WrittenText) -> Void
    ) {
        let most = bytes.count + 2 * fields.fields.count + rules.written.count + more + 192
        write(upTo: most) { memory in
            var out = WrittenText(memory)
            body(&out)
            return out.count
        }
    }
}
