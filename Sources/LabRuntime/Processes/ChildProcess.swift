internal import CLinux
internal import Glibc
internal import SystemPackage

/// A process that this one started, by its PID.
struct ChildProcess {
    let pid: pid_t

    /// Starts this same executable with a hidden verb.
    /// - Parameters:
    ///   - arguments: after the executable's name
    ///   - descriptors: the child's descriptors 0, 1, 2, … in order; it inherits no other
    ///   - networkNamespace: entered before the program starts, so that every thread of it is inside
    ///   - environment: nil for that of this process
    init(
        _ arguments: [String], descriptors: [Int32], networkNamespace: Int32? = nil, newSession: Bool = false,
        newPIDNamespace: Bool = false, parentDeathSignal: Int32 = 0, environment: [String]? = nil
    ) throws(LabFailure) {
        let words = ([ownExecutable.name] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        let own = environment.map { $0.map { strdup($0) } + [nil] }
        defer { own?.forEach { free($0) } }
        func spawn(_ environment: UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> pid_t {
            descriptors.withUnsafeBufferPointer { descriptors in
                words.withUnsafeBufferPointer { words in
                    ownExecutable.path.withCString { path in
                        var spawn = cl_spawn()
                        spawn.path = path
                        spawn.arguments = words.baseAddress
                        spawn.environment = environment
                        spawn.descriptors = descriptors.baseAddress
                        spawn.descriptor_count = Int32(descriptors.count)
                        spawn.network_namespace = networkNamespace ?? -1
                        spawn.new_session = newSession ? 1 : 0
                        spawn.new_pid_namespace = newPIDNamespace ? 1 : 0
                        spawn.parent_death_signal = parentDeathSignal
                        return cl_spawn_process(&spawn)
                    }
                }
            }
        }
        let pid = own?.withUnsafeBufferPointer { spawn($0.baseAddress) } ?? spawn(UnsafePointer(environ))
        guard pid > 0 else {
            throw LabFailure(.lab, "could not start '\(arguments.joined(separator: " "))': \(Errno(rawValue: -pid))")
        }
        self.pid = pid
    }

    func signal(_ signal: Int32) { kill(pid, signal) }

    /// How a process ended, from `waitpid`.
    enum End: Hashable {
        case exited(Int32)
        case killed(signal: Int32)

        init(status: Int32) {
            let signal = status & 0x7f
            self = signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal: signal)
        }

        var words: String {
            switch self {
            case .exited(let code): "exited with code \(code)"
            case .killed(let signal): "was killed by signal \(signal) (\(String(cString: strsignal(signal))))"
            }
        }
    }

    /// Collects every child that has ended so far.
    static func reap() -> [(pid: pid_t, end: End)] {
        var ended: [(pid_t, End)] = []
        var status: Int32 = 0
        while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 { ended.append((pid, End(status: status))) }
        return ended
    }

    /// Waits until this child has ended.
    func wait() -> End {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return End(status: status)
    }
}

/// This executable: `/proc/self/exe` resolved once, because it must stay valid after the mount namespace changed.
let ownExecutable: (path: String, name: String) = {
    let path = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
        let count = readlink("/proc/self/exe", buffer.baseAddress!, 4095)
        return count > 0
            ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : CommandLine.arguments[0]
    }
    return (path, "failoverlab")
}()
