import Configuration
import LabFile
import Wire

/// Any program: `run`, `files`, `ready`, `package`, `scratch`, and `events`, which all have.
struct CommandDefinition: ProgramForm {
    static let summary = "any command"
    static let keys = ["run", "files", "ready", "package", "scratch"]
    static let innerKeys = ["tcp", "udp", "socket", "output"]
    static let example = """
        cache:
          run: [varnishd, -F, -f, $folder/default.vcl, -a, "$proxy.net.ip:80"]
          files: { default.vcl: "backend default { .host = $server.net.ip; }" }
          ready: { tcp: 80, udp: 53, socket: /run/cache.ctl, output: "Child starts" }
          events: { sick: "Backend (?<backend>\\\\S+) sick" }
          package: varnish
          scratch: /var/lib/varnish
        """

    var words: [Located<String>] = []
    var files: [(name: String, text: Located<String>)] = []
    var readiness: [ProgramConfiguration.Readiness] = []
    var package: String?
    var scratch: [String] = []

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "a program", keys: Self.keys, reader),
            let run = mapping.required("run")
        else { return nil }
        for element in reader.list(run) {
            guard let text = reader.text(element, of: "a word of 'run'") else { return nil }
            words.append(Located(value: text, position: element.position))
        }
        let size = words.reduce(0) { $0 + $1.value.utf8.count }
        if size > LabLimits.commandLine {
            reader.report(
                "'run' of a program has \(size) characters", at: run.position,
                allowed: ["at most \(LabLimits.commandLine)", "a file of 'files' for what is long"])
        }
        guard let first = words.first else {
            reader.report("'run' of a program is empty", at: run.position, allowed: ["[executable, argument, …]"])
            return nil
        }
        if first.value.isEmpty || first.value.contains(where: \.isWhitespace) {
            reader.report(
                "'run' of a program begins with '\(LabValue.shortened(first.value))'", at: first.position,
                allowed: ["a list with each word by itself, such as [nginx, -c, $folder/nginx.conf]"])
        }
        for entry in NodeDefinition.named(mapping["files"], "the files of a program", reader) {
            guard let file = Self.file(entry, reader) else { continue }
            files.append(file)
        }
        readiness = mapping["ready"].map { Self.readiness($0, reader) } ?? []
        package = mapping.text("package")
        for element in mapping["scratch"].map(reader.list) ?? [] {
            guard let path = reader.text(element, of: "a folder of 'scratch'") else { continue }
            guard Self.isScratch(path) else {
                reader.report(
                    "a folder of 'scratch' is '\(LabValue.shortened(path))'", at: element.position,
                    allowed: ["an absolute path of two parts or more, such as /var/lib/haproxy"])
                continue
            }
            scratch.append(path)
        }
    }

    /// A folder whose covering cannot take away what every program needs.
    private static func isScratch(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return path.hasPrefix("/") && parts.count >= 3
            && parts.dropFirst().allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && !["usr", "lib", "lib64", "bin", "sbin", "proc", "sys", "dev"].contains(parts[1])
    }

    static func file(_ entry: LabEntry, _ reader: LabReader) -> (name: String, text: Located<String>)? {
        let name = entry.key
        let isName =
            !name.isEmpty && name.utf8.count <= 100 && name != "." && name != ".."
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard isName else {
            reader.report(
                "'\(LabValue.shortened(name))' cannot be the name of a program's file", at: entry.keyPosition,
                allowed: ["letters, digits, '-', '_' and '.', without a folder"])
            return nil
        }
        guard let text = reader.text(entry.value, of: "file '\(name)'") else { return nil }
        if ProgramFileTexts.isFileName(text, for: name, reader) {
            reader.report(
                "file '\(name)' would have the one word '\(LabValue.shortened(text))', which is the name of a file",
                at: entry.value.position, allowed: ["{ from: \(text) } for what that file has", "its text"])
            return nil
        }
        return (name, Located(value: text, position: entry.value.position))
    }

    /// `ready: { tcp: 80 }`, with `udp`, `socket` and `output` alike; lists for several.
    private static func readiness(_ value: LabValue, _ reader: LabReader) -> [ProgramConfiguration.Readiness] {
        guard let mapping = MappingReader(value, "'ready' of a program", keys: innerKeys, reader) else {
            return []
        }
        func ports(_ key: String) -> [UInt16] {
            (mapping[key].map(reader.list) ?? []).compactMap {
                reader.integer($0, of: "'\(key)' of 'ready'", in: 1...65_535).map { UInt16($0) }
            }
        }
        let sockets = (mapping["socket"].map(reader.list) ?? []).compactMap {
            element -> ProgramConfiguration.Readiness? in
            guard let path = reader.text(element, of: "'socket' of 'ready'") else { return nil }
            guard path.hasPrefix("/"), path.utf8.count < 108 else {
                reader.report(
                    "'socket' of 'ready' is '\(LabValue.shortened(path))'", at: element.position,
                    allowed: ["an absolute path of at most 107 bytes, such as /run/bird.ctl"])
                return nil
            }
            return .socket(path: path)
        }
        let outputs = (mapping["output"].map(reader.list) ?? []).compactMap { element in
            OutputEventReading(reader: reader).pattern(element, of: "'output' of 'ready'").map {
                ProgramConfiguration.Readiness.output(pattern: $0)
            }
        }
        return ports("tcp").map { .tcp($0) } + ports("udp").map { .udp($0) } + sockets + outputs
    }
}

extension CommandDefinition {
    var ports: [TransportPort] {
        readiness.compactMap {
            switch $0 {
            case .tcp(let port): TransportPort(port, .tcp)
            case .udp(let port): TransportPort(port, .udp)
            case .socket, .route, .output: nil
            }
        }
    }

    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration? {
        func resolved(_ text: Located<String>) -> String {
            resolution.references.resolve(text: text.value, at: text.position, resolution.reader)
        }
        return ProgramConfiguration(
            name: name.value, command: words.map(resolved),
            files: files.map { .init(name: $0.name, text: resolved($0.text)) }, readiness: readiness,
            package: package, scratch: scratch)
    }
}
