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
    var folder: String
    var scratch: [String]
    var keepsUser: Bool
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
        /// The program's folder, in the mount namespace in which this process begins.
        static let folder: Int32 = 5
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
        let node = try RunFiles.openFolder("/run")
        let run = try PrivateRoot.Detached("/run", of: node, attributes: PrivateRoot.writable, all: false)
        close(node)
        var mounts = [
            try PrivateRoot.Detached(start.folder, of: Descriptor.folder, attributes: PrivateRoot.writable)
        ]
        close(Descriptor.folder)
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
        ProgramConfinement.setEnvironment(home: start.folder, terminal: false, more: [:])
        let folder = start.image?.workingFolder ?? start.folder
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
