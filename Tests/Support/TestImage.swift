public import Foundation

/// A container image that a test makes, of files that it names or of this machine's programs.
public struct TestImage: Sendable {
    /// A member of a layer's tar archive.
    public struct Entry: Sendable {
        /// Source: tar(5)
        public enum Kind: UInt8, Sendable {
            case file = 0x30
            case hardLink, symbolicLink, characterDevice
            case folder = 0x35
        }

        public var name: String
        public var kind: Kind
        public var content: [UInt8]
        public var link: String
        public var mode: Int
        public var user: Int

        public init(
            _ name: String, _ kind: Kind = .file, text: String = "", link: String = "", mode: Int? = nil, user: Int = 0
        ) {
            (self.name, self.kind, self.link, self.user) = (name, kind, link, user)
            content = Array(text.utf8)
            self.mode = mode ?? (kind == .folder ? 0o755 : 0o644)
        }
    }

    public var layers: [[Entry]]
    /// JSON of `config`: Entrypoint, Cmd, Env, User, WorkingDir.
    public var config: String
    public var architecture: String

    public init(_ layers: [[Entry]], config: String = "{}", architecture: String = Self.architecture) {
        (self.layers, self.config, self.architecture) = (layers, config, architecture)
    }

    public static var architecture: String {
        #if arch(x86_64)
            "amd64"
        #else
            "arm64"
        #endif
    }

    /// A program of this machine with the libraries that it is linked to.
    /// - Parameter path: where the image has it
    public static func program(_ source: String, at path: String) throws -> [Entry] {
        let list = try Command.run("/usr/bin/ldd", [source]).output
        let libraries = list.split { $0 == " " || $0 == "\n" || $0 == "\t" }.filter { $0.hasPrefix("/") }.map(
            String.init)
        return try ([(path, source)] + libraries.map { ($0, $0) }).map { name, source in
            var entry = Entry(String(name.dropFirst()), mode: 0o755)
            entry.content = Array(try Data(contentsOf: URL(fileURLWithPath: source)))
            return entry
        }
    }

    // MARK: Writing

    /// Writes an OCI layout.
    /// - Parameter others: further images of the same index
    public func writeLayout(
        to path: String, tag: String? = "image", others: [(tag: String, image: TestImage)] = []
    ) throws {
        let blobs = path + "/blobs/sha256"
        try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
        try write("{\"imageLayoutVersion\":\"1.0.0\"}", to: path + "/oci-layout")
        let manifests = try ([(tag, self)] + others.map { (Optional($0.tag), $0.image) }).map { tag, image in
            let manifest = try image.writeBlobs(in: blobs)
            let name = tag.map { ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"\($0)\"}" } ?? ""
            return """
                {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\(manifest.digest)",\
                "size":\(manifest.size)\(name)}
                """
        }
        try write("{\"schemaVersion\":2,\"manifests\":[\(manifests.joined(separator: ","))]}", to: path + "/index.json")
    }

    /// - Returns: the manifest's digest and size
    private func writeBlobs(in folder: String) throws -> (digest: String, size: Int) {
        let layers = try layers.map { try Self.writeBlob(Self.tar($0), in: folder) }
        let digests = layers.map { "\"\($0.digest)\"" }.joined(separator: ",")
        let configuration = try Self.writeBlob(
            Array(
                """
                {"architecture":"\(architecture)","os":"linux","config":\(config),\
                "rootfs":{"type":"layers","diff_ids":[\(digests)]},"history":[]}
                """.utf8), in: folder)
        let list = layers.map {
            "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"\($0.digest)\",\"size\":\($0.size)}"
        }
        return try Self.writeBlob(
            Array(
                """
                {"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",\
                "digest":"\(configuration.digest)","size":\(configuration.size)},"layers":[\(list.joined(separator: ","))]}
                """.utf8), in: folder)
    }

    private static func writeBlob(_ bytes: [UInt8], in folder: String) throws -> (digest: String, size: Int) {
        let new = folder + "/new"
        try Data(bytes).write(to: URL(fileURLWithPath: new))
        let sum = try Command.run("/usr/bin/sha256sum", [new]).output.prefix(64)
        try? FileManager.default.removeItem(atPath: "\(folder)/\(sum)")
        try FileManager.default.moveItem(atPath: new, toPath: "\(folder)/\(sum)")
        return ("sha256:\(sum)", bytes.count)
    }

    private func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    /// A ustar archive.
    public static func tar(_ entries: [Entry]) -> [UInt8] {
        entries.flatMap { entry -> [UInt8] in
            // Of GNU tar, for what does not fit into the header.
            let long = [(entry.name, UInt8(ascii: "L")), (entry.link, UInt8(ascii: "K"))].filter {
                $0.0.utf8.count > 99
            }
            return long.flatMap { member(Entry("././@LongLink", text: $0.0 + "\0"), $0.1) }
                + member(entry, entry.kind.rawValue)
        } + [UInt8](repeating: 0, count: 1024)
    }

    private static func member(_ entry: Entry, _ kind: UInt8) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) {
            header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        }
        func octal(_ number: Int, _ width: Int) -> String {
            let digits = String(number, radix: 8)
            return String(repeating: "0", count: width - 1 - digits.count) + digits
        }
        put(String(entry.name.prefix(99)), at: 0)
        for (number, place) in [(entry.mode, 100), (entry.user, 108), (entry.user, 116)] {
            put(octal(number, 8), at: place)
        }
        put(octal(entry.content.count, 12), at: 124)
        put(octal(0, 12), at: 136)
        header[156] = kind
        put(String(entry.link.prefix(99)), at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        // A disk's numbers, for what must never become a device.
        if entry.kind == .characterDevice { for place in [329, 337] { put(octal(1, 8), at: place) } }
        let sum = header.reduce(0) { $0 + Int($1) } + 8 * 32
        put(octal(sum, 7) + "\0 ", at: 148)
        return header + entry.content + [UInt8](repeating: 0, count: (512 - entry.content.count % 512) % 512)
    }
}
