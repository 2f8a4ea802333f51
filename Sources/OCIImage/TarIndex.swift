internal import RegularFile

/// Where the regular files of a tar archive are in it: ustar, with long names of GNU tar and of pax.
/// Source: tar(5) of libarchive
struct TarIndex {
    /// Members of an image's archive: three documents, and a file or three for each layer.
    static let mostMembers = 10_000
    /// Bytes of a name, or of a pax header.
    private static let mostNameBytes = 1 << 20

    private(set) var members: [String: (offset: Int, size: Int)] = [:]

    /// - Throws: what is wrong with the archive
    init(_ file: borrowing RegularFile) throws(ImageProblem) {
        var offset = 0
        var longName: String?
        var count = 0
        while true {
            let header = try Self.read(file, at: offset, count: 512)
            guard header.count == 512 else {
                guard offset > 0 else { throw ImageProblem(Self.notTar(header)) }
                // Some archives end without a block of zeros.
                guard header.isEmpty, offset == file.size else {
                    throw ImageProblem("is cut off: it ends inside a file or its header")
                }
                break
            }
            guard header.contains(where: { $0 != 0 }) else { break }
            guard Self.isHeader(header), let size = Self.number(header[124..<136]), size >= 0 else {
                throw ImageProblem(offset == 0 ? Self.notTar(header) : "is a damaged archive (at byte \(offset))")
            }
            count += 1
            guard count <= Self.mostMembers else { throw ImageProblem("has more than \(Self.mostMembers) files") }
            let start = offset + 512
            switch header[156] {
            case UInt8(ascii: "L"), UInt8(ascii: "x"):
                guard size <= Self.mostNameBytes else { throw ImageProblem("is a damaged archive (at byte \(offset))") }
                let text = try Self.read(file, at: start, count: size)
                longName = header[156] == UInt8(ascii: "x") ? Self.path(ofPax: text) ?? longName : Self.text(text[...])
            case 0, UInt8(ascii: "0"):
                members[Self.normalized(longName ?? Self.name(header))] = (start, size)
                longName = nil
            default: longName = nil
            }
            guard size <= file.size - start else { throw ImageProblem("is cut off: it ends inside a file") }
            offset = start + (size + 511) / 512 * 512
        }
        if members.isEmpty { throw ImageProblem("is an archive without files") }
    }

    private static func read(
        _ file: borrowing RegularFile, at offset: Int, count: Int
    ) throws(ImageProblem) -> [UInt8] {
        do throws(RegularFile.Problem) {
            return try file.bytes(at: offset, count: count)
        } catch {
            throw ImageProblem("\(error)")
        }
    }

    /// The checksum is the sum of all bytes, with its own field as spaces.
    private static func isHeader(_ header: [UInt8]) -> Bool {
        let sum = header.enumerated().reduce(0) { $0 + (148..<156 ~= $1.offset ? 32 : Int($1.element)) }
        return number(header[148..<156]) == sum
    }

    private static func notTar(_ header: [UInt8]) -> String {
        if header.starts(with: [0x1f, 0x8b]) || header.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
            || header.starts(with: [0xfd, 0x37, 0x7a])
        {
            return "is compressed: unpack it to a plain .tar (gunzip, unzstd, unxz)"
        }
        return "is neither an OCI layout nor an archive of an image"
    }

    /// Octal, or binary with the first bit set where it has more digits than fit.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        if let first = field.first, first & 0x80 != 0 {
            let rest = field.dropFirst()
            guard first == 0x80, rest.prefix(4).allSatisfy({ $0 == 0 }) else { return nil }
            return rest.reduce(0) { $0 << 8 | Int($1) }
        }
        let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
        return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func name(_ header: [UInt8]) -> String {
        let prefix = header[257..<262].elementsEqual("ustar".utf8) ? text(header[345..<500]) : ""
        return prefix.isEmpty ? text(header[0..<100]) : prefix + "/" + text(header[0..<100])
    }

    private static func normalized(_ name: String) -> String {
        name.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// Records are `length key=value\n`.
    private static func path(ofPax text: [UInt8]) -> String? {
        for record in text.split(separator: UInt8(ascii: "\n")) {
            let words = String(decoding: record, as: UTF8.self).split(separator: " ", maxSplits: 1)
            if words.count == 2, words[1].hasPrefix("path=") { return String(words[1].dropFirst(5)) }
        }
        return nil
    }
}
