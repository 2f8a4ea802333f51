internal import CLinux
internal import Glibc
internal import SystemPackage

/// What the process that starts a program is told.
struct ProgramStart: Codable {
    /// `lb.bird`
    var name: String
    /// The program's file, absolute.
    var executable: String
    var command: [String]
    /// Where it begins; nil for a command without a folder of its own.
    var folder: String?
    /// Whether it has the node's `/run`.
    var sharesRun = true
    var scratch: [String]
    var keepsUser = false
    /// The files that it sees in the place of the host's.
    var image: NodeImage?
}

/// The first process of a program's PID namespace: it shuts the program off from the host, starts it, collects what it
/// leaves, and ends with it.
///
/// It stays in the lab's user namespace, where the program has no rights over it; the program is in that of programs.
enum ProgramProcess {
    /// 1 and 2 are the log.
    enum Descriptor {
        /// A pipe for the status with which the program ended.
        static let status: Int32 = 3
        /// The programs' user namespace.
        static let users: Int32 = 4
        /// The program's folder, where it has one, in the mount namespace in which this process begins.
        static let folder: Int32 = 5
    }

    /// Starts the process below the calling one, in its namespaces.
    /// - Parameters:
    ///   - log: where it prints
    ///   - status: the writing end of its pipe
    ///   - folder: nil where it has none
    static func child(
        _ start: ProgramStart, log: Int32, status: Int32, users: Int32, folder: Int32?
    ) throws(LabFailure) -> ChildProcess {
        let null = try NullDevice.open(O_RDONLY)
        defer { close(null) }
        return try ChildProcess(
            [HiddenVerb.program.rawValue, String(decoding: JSONLine.encode(start), as: UTF8.self)],
            descriptors: [null, log, log, status, users] + (folder.map { [$0] } ?? []), newPIDNamespace: true,
            parentDeathSignal: SIGKILL, environment: [])
    }

    static func run(_ text: String) -> Never {
        do {
            let start = try JSONLine.decode(ProgramStart.self, from: Array(text.utf8))
            cl_set_process_name("fl-" + start.name)
            ProgramConfinement.preferForMemoryShortage()
            try shutOff(start)
            execute(start)
        } catch {
            complain("\(error)")
            exit(126)
        }
    }

    // MARK: The host's files

    private static func shutOff(_ start: ProgramStart) throws(LabFailure) {
        let owner = ProgramUsers.root()
        var run: PrivateRoot.Detached?
        if start.sharesRun {
            let node = try RunFiles.openFolder("/run")
            run = try PrivateRoot.Detached("/run", of: node, attributes: PrivateRoot.writable, all: false)
            close(node)
        }
        var mounts: [PrivateRoot.Detached] = []
        if let folder = start.folder {
            mounts.append(
                try PrivateRoot.Detached(folder, of: Descriptor.folder, attributes: PrivateRoot.writable))
            close(Descriptor.folder)
        }
        if start.image == nil, !PrivateRoot.shows(start.executable) {
            mounts.append(try PrivateRoot.Detached(file: start.executable, attributes: PrivateRoot.readOnly))
        }
        try PrivateRoot.enter(
            run: run, mounts: mounts, scratch: start.scratch, owner: owner, image: start.image?.mount())
    }

    // MARK: Running

    private static func execute(_ start: ProgramStart) -> Never {
        let main = cl_fork()
        if main == 0 { becomeProgram(start) }
        guard main > 0 else {
            complain("could not be started: \(Errno(rawValue: errno))")
            exit(126)
        }
        cl_hide_memory()
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, 0)
            if pid < 0 && errno == EINTR { continue }
            // What the program has left behind comes here as well.
            guard pid == main || pid < 0 else { continue }
            _ = write(Descriptor.status, &status, 4)
            exit(0)
        }
    }

    private static func becomeProgram(_ start: ProgramStart) -> Never {
        do {
            try ProgramConfinement.enter(users: Descriptor.users, keepsUser: start.keepsUser)
        } catch {
            complain("\(error)")
            exit(126)
        }
        signal(SIGPIPE, SIG_DFL)
        let home = start.folder ?? "/tmp"
        ProgramConfinement.setEnvironment(home: home, terminal: false, more: [:])
        let folder = start.image?.workingFolder ?? home
        guard chdir(folder) == 0 else {
            complain("'\(folder)': \(Errno(rawValue: errno))")
            exit(126)
        }
        do throws(LabFailure) {
            try start.image?.becomeUser()
        } catch {
            complain("\(error)")
            exit(126)
        }
        let words = start.command.map { strdup($0) } + [nil]
        cl_close_from(3)
        // In an image by the image's PATH.
        _ = start.image == nil ? execv(start.executable, words) : execvp(start.executable, words)
        complain("'\(start.executable)' cannot be run: \(Errno(rawValue: errno))")
        exit(126)
    }

    private static func complain(_ text: String) {
        let line = "failoverlab: \(text)\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }
}
