internal import Glibc

/// The labs below a folder, up to four levels deep: each folder with a `lab.yaml` is a lab, and nothing is looked for
/// below it.
public struct LabCatalogue: Sendable {
    public struct Entry: Hashable, Sendable {
        /// The lab's folder, relative to the catalogue's: `fast-path-mac-failover`, `vrrp/preempt-delay`.
        public var name: String
        /// The lab file.
        public var path: String
    }

    public var folder: String
    /// By name.
    public var entries: [Entry]

    /// Folders of folders that are looked into.
    static let depth = 4

    /// A folder that is missing or cannot be read has no labs.
    public init(folder: String) {
        self.folder = folder
        entries = Self.entries(below: folder, named: "", depth: Self.depth).sorted { $0.name < $1.name }
    }

    /// The entries that `name` means: the one with this name; else those whose name ends with it, folder by folder.
    public func entries(named name: String) -> [Entry] {
        let exact = entries.filter { $0.name == name }
        return exact.isEmpty ? entries.filter { $0.name.hasSuffix("/" + name) } : exact
    }

    private static func entries(below folder: String, named name: String, depth: Int) -> [Entry] {
        let labFile = folder + "/lab.yaml"
        if !name.isEmpty, access(labFile, F_OK) == 0 { return [Entry(name: name, path: labFile)] }
        guard depth > 0, let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var found: [Entry] = []
        while let entry = readdir(stream) {
            let child = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !child.hasPrefix("."), isFolder("\(folder)/\(child)") else { continue }
            found += entries(
                below: "\(folder)/\(child)", named: name.isEmpty ? child : "\(name)/\(child)", depth: depth - 1)
        }
        return found
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
