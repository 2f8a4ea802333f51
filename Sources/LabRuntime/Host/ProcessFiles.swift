internal import Glibc

/// What /proc reports of this host's processes, as far as this process may read it.
enum ProcessFiles {
    /// The numbers of all processes.
    static func processes() -> [Int32] { entries(of: "/proc").compactMap { Int32($0) } }

    /// At most 15 bytes; nil where the process has ended.
    static func name(of process: Int32) -> String? {
        KernelFile.contents("/proc/\(process)/comm").map { String($0.prefix { $0 != "\n" }) }
    }

    /// nil where the process has ended, also where nobody has collected it yet.
    static func parent(of process: Int32) -> Int32? {
        // pid (name) state parent …; a name may contain spaces and brackets. Source: proc_pid_stat(5)
        guard let text = KernelFile.contents("/proc/\(process)/stat"), let name = text.lastIndex(of: ")") else {
            return nil
        }
        let words = text[text.index(after: name)...].split(separator: " ")
        guard words.count > 1, words[0] != "Z", words[0] != "X" else { return nil }
        return Int32(words[1])
    }

    /// `socket:[12345]`, `/dev/null`, …
    static func openFiles(of process: Int32) -> [String] {
        let folder = "/proc/\(process)/fd"
        return entries(of: folder).compactMap { entry in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
                let count = readlink("\(folder)/\(entry)", buffer.baseAddress!, buffer.count)
                return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        }
    }

    private static func entries(of path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
