internal import Glibc

/// A process and all that it started, whatever sessions and process groups these have made: keepalived leaves the group
/// that its node's process leads. In the PID namespace of the caller.
struct ProcessDescendants {
    private let root: Int32

    init(of root: Int32) { self.root = root }

    /// SIGSTOP, until there is none left that could start another. Each stops before it comes back from the kernel.
    /// Nobody waits for one that has no processor: the kernel forwards meanwhile.
    func stop() {
        // Of a kernel that has no lists of children, at least the group. CONFIG_PROC_CHILDREN
        kill(-root, SIGSTOP)
        var stopped: Set<Int32> = []
        while true {
            let new = pids().filter { stopped.insert($0).inserted }
            if new.isEmpty { break }
            for pid in new { kill(pid, SIGSTOP) }
        }
    }

    /// SIGCONT.
    func resume() {
        for pid in pids().reversed() { kill(pid, SIGCONT) }
        kill(-root, SIGCONT)
    }

    /// Parents before their children. What lost its parent belongs to the first process of its PID namespace, which is
    /// among them.
    private func pids() -> [Int32] {
        var found = [root]
        var next = 0
        while next < found.count {
            found += ProcessDescendants(of: found[next]).children.filter { !found.contains($0) }
            next += 1
        }
        return found
    }

    /// In the order in which each of its threads got them.
    var children: [Int32] {
        // Threads have their own lists of children.
        Self.entries(of: "/proc/\(root)/task").flatMap { thread in
            (KernelFile.contents("/proc/\(root)/task/\(thread)/children") ?? "").split(separator: " ")
                .compactMap { Int32($0) }
        }
    }

    private static func entries(of folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
