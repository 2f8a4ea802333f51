import Glibc

/// Runs a command in the calling thread's namespaces. Not with Foundation's `Process`: it waits by a thread of its own,
/// which may be the first that is made inside the test's namespaces, and then `waitUntilExit` may never return.
enum NamespaceShell {
    /// - Returns: standard output and the exit code
    static func run(_ command: String) -> (output: String, status: Int32) {
        guard let pipe = popen(command, "r") else { return ("", -1) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { output += buffer[..<count] }
        let status = pclose(pipe)
        return (String(decoding: output, as: UTF8.self), status & 0x7f == 0 ? status >> 8 & 0xff : -1)
    }
}
