internal import CLinux
internal import Glibc
internal import SystemPackage

extension RunningLab {
    /// Runs a program inside a node, with this process's terminal, and exits with its exit code.
    ///
    /// The program is confined as the lab's own programs are; beside what these see it has the folder that it was called
    /// from. It ends with the lab. Call before any thread exists: the kernel lets only a single-threaded process into a
    /// user namespace.
    ///
    /// ```
    /// this process ── a process in the lab's PID namespace, which ends at once
    ///                    └─ the first process of a PID namespace below it ── the program
    /// ```
    ///
    /// - Parameter substitute: an executable to take where the command's is not there
    public func execute(
        _ command: [String], in node: String, substitute: String? = nil
    ) throws(LabFailure) -> Never {
        let status = try status()
        let entry = try NodeEntry(to: node, side: .host, of: self)
        let own = status.nodes.first { $0.name == node }
        let called = CalledProgram(
            lab: id, node: node, command: command, substitute: substitute,
            executable: own?.image == nil ? Executable.file(of: command[0]) : nil,
            hasPrograms: own?.programs != nil, image: own?.image, run: status.folder,
            users: entry.users, folder: CallersFolder(users: entry.users),
            terminal: isatty(STDIN_FILENO) == 1 ? Terminal() : nil)
        try entry.enterLab()
        let (socket, theirs) = try SocketPair.descriptors()
        // If a parent ignores it, the ends of children are not reported.
        signal(SIGCHLD, SIG_DFL)
        let child = cl_fork()
        if child == 0 {
            close(socket)
            called.begin(entry, theirs)
        }
        guard child > 0 else { throw LabFailure(.lab, "could not start '\(command[0])': \(Errno(rawValue: errno))") }
        // A process that keeps them open keeps the lab from being reclaimed, and hides the end of the program.
        entry.close()
        close(theirs)
        called.folder.close()
        // The terminal's signals are for the program; this process only waits and passes its end on.
        signal(SIGINT, SIG_IGN)
        signal(SIGQUIT, SIG_IGN)
        var waited: Int32 = 0
        while waitpid(child, &waited, 0) < 0 && errno == EINTR {}
        while true {
            var end: Int32 = 0
            let count = read(socket, &end, 4)
            if count < 0 && errno == EINTR { continue }
            // The lab has ended, and the program with it.
            guard count == 4 else {
                called.terminal?.takeBack()
                exit(128 + SIGKILL)
            }
            called.terminal?.takeBack()
            guard end & 0xff == 0x7f else {
                switch ChildProcess.End(status: end) {
                case .exited(let code): exit(code)
                case .killed(let signal): exit(128 + signal)
                }
            }
            // Stopped with Ctrl-Z: so is this command, until the person's shell continues it.
            raise(SIGSTOP)
            _ = write(socket, &end, 1)
        }
    }
}

/// What was called from outside, on its way into a node.
private struct CalledProgram {
    var lab: String
    var node: String
    var command: [String]
    var substitute: String?
    /// nil where the name is not found outside; it may be one of the folder, or none.
    var executable: String?
    var hasPrograms: Bool
    var image: NodeImage?
    /// The run's folder, read-only for it.
    var run: String
    var users: Int32
    var folder: CallersFolder
    var terminal: Terminal?

    /// CLONE_NEWUTS. Source: linux/sched.h
    private static let newHostname: Int32 = 0x0400_0000

    /// In the lab's PID namespace: makes one inside it, and leaves what follows to its first process.
    func begin(_ entry: NodeEntry, _ socket: Int32) -> Never {
        guarded(socket) { () throws(LabFailure) in
            try entry.enterMounts()
            try entry.enterNetwork()
            let error = cl_unshare(cl_new_pid)
            guard error == 0 else {
                throw LabFailure(.lab, "could not make a PID namespace: \(Errno(rawValue: error))")
            }
        }
        let first = cl_fork()
        if first == 0 { serve(socket) }
        if first < 0 { end(socket, "could not start '\(command[0])': \(Errno(rawValue: errno))", 126) }
        _exit(0)
    }

    /// The first process of the program's PID namespace: it runs as long as anything that the program has started, and
    /// ends the program where the command outside ends.
    private func serve(_ socket: Int32) -> Never {
        cl_set_process_name("fl-exec")
        ProgramConfinement.preferForMemoryShortage()
        guarded(socket) { () throws(LabFailure) in try shutOff() }
        // What a shell's prompt shows. A host that refuses it loses no more than that.
        if cl_unshare(Self.newHostname) == 0 { sethostname(node, node.utf8.count) }
        var signals = [SIGCHLD]
        let ends = cl_signalfd(&signals, 1)
        let null = cl_open("/dev/null", O_RDWR, 0)
        let child = cl_fork()
        if child == 0 { become(socket) }
        guard child > 0 else { end(socket, "could not start '\(command[0])': \(Errno(rawValue: errno))", 126) }
        // A reader of its output waits for the program, not for this process.
        let keyboard = terminal == nil ? -1 : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
        for descriptor: Int32 in 0...2 { dup2(null, descriptor) }
        signal(SIGTTOU, SIG_IGN)
        cl_hide_memory()
        watch(child, socket, ends, keyboard)
    }

    private func watch(_ child: pid_t, _ socket: Int32, _ ends: Int32, _ keyboard: Int32) -> Never {
        var polled = [pollfd(fd: socket, events: Int16(POLLIN), revents: 0), pollfd(fd: ends, events: 1, revents: 0)]
        while true {
            guard poll(&polled, 2, -1) > 0 else { continue }
            if polled[0].revents != 0 {
                var byte: UInt8 = 0
                if read(socket, &byte, 1) == 1 {
                    cl_continue_in_foreground(keyboard, child)
                } else {
                    kill(child, SIGKILL)
                    polled[0].fd = -1
                }
            }
            guard polled[1].revents != 0 else { continue }
            while cl_signalfd_next(ends) != 0 {}
            var status: Int32 = 0
            var pid: pid_t = 0
            while true {
                pid = waitpid(-1, &status, WNOHANG | WUNTRACED)
                guard pid > 0 else { break }
                guard pid == child else { continue }
                _ = write(socket, &status, 4)
                if status & 0xff != 0x7f {
                    close(socket)
                    polled[0].fd = -1
                    if keyboard >= 0 { close(keyboard) }
                }
            }
            // Nothing of it is left, or daemons are.
            if pid < 0 { exit(0) }
        }
    }

    private func shutOff() throws(LabFailure) {
        var run: PrivateRoot.Detached?
        if hasPrograms {
            let node = try RunFiles.openFolder("/run")
            run = try PrivateRoot.Detached("/run", of: node, attributes: PrivateRoot.writable, all: false)
            close(node)
        }
        var mounts: [PrivateRoot.Detached] = []
        if let own = try folder.mount(isWritable: !folder.path.isInside(self.run)) { mounts.append(own) }
        if folder.isShown, self.run.isInside(folder.path), self.run != folder.path {
            let evidence = try RunFiles.openFolder(self.run)
            mounts.append(try PrivateRoot.Detached(self.run, of: evidence, attributes: PrivateRoot.readOnly))
            close(evidence)
        }
        if let executable, !PrivateRoot.shows(executable) {
            mounts.append(try PrivateRoot.Detached(file: executable, attributes: PrivateRoot.readOnly))
        }
        try PrivateRoot.enter(
            run: run, mounts: mounts, scratch: [], owner: ProgramUsers.root(), image: image?.mount())
    }

    private func become(_ socket: Int32) -> Never {
        cl_unblock_signals()
        terminal?.moveToForeground(0)
        guarded(socket) { () throws(LabFailure) in try ProgramConfinement.enter(users: users) }
        if chdir(folder.path) != 0 { _ = chdir("/") }
        signal(SIGPIPE, SIG_DFL)
        ProgramConfinement.setEnvironment(
            home: "/tmp", terminal: terminal != nil,
            more: ["FAILOVERLAB_LAB": lab, "FAILOVERLAB_NODE": node, "PS1": "\(node):$PWD# "])
        image?.setEnvironment()
        let words = command.map { strdup($0) } + [nil]
        cl_close_from(3)
        execvp(executable ?? command[0], words)
        if errno == ENOENT, let substitute { execvp(substitute, words) }
        let reason = Errno(rawValue: errno)
        complain("'\(command[0])' cannot be run in '\(node)': \(reason)")
        _exit(reason == .noSuchFileOrDirectory ? 127 : 126)
    }

    private func guarded(_ socket: Int32, _ body: () throws(LabFailure) -> Void) {
        do throws(LabFailure) {
            try body()
        } catch {
            end(socket, "\(error)", 126)
        }
    }

    private func end(_ socket: Int32, _ text: String, _ code: Int32) -> Never {
        complain(text)
        var status = code << 8
        _ = write(socket, &status, 4)
        _exit(code)
    }

    private func complain(_ text: String) {
        let line = "failoverlab: \(text)\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }
}

/// The folder that a command was called from, where the program in the node finds it as well.
private struct CallersFolder {
    let path: String
    private var status = stat()
    /// For root: a mount in which the program's root stands for this one.
    private var mapped: Int32 = -1

    /// Call before any namespace is entered.
    init(users: Int32) {
        let text = getcwd(nil, 0)
        path = text.map { String(cString: $0) } ?? "/"
        free(text)
        guard isShown, stat(".", &status) == 0, geteuid() == 0 else { return }
        let copy = cl_copy_mounts(-1, ".", 1)
        guard copy >= 0 else { return }
        // Not every file system can.
        if cl_map_owners(copy, users) == 0, cl_set_attributes(copy, PrivateRoot.writable, 0) == 0 {
            mapped = copy
        } else {
            Glibc.close(copy)
        }
    }

    /// Not the root folder, nor what is the host's alone or is there anyway.
    var isShown: Bool {
        guard let first = path.split(separator: "/").first else { return false }
        return !PrivateRoot.shows(path) && !["proc", "sys", "dev", "run"].contains(first)
    }

    /// nil where it is not shown. Call in the lab's user namespace and mount namespace.
    func mount(isWritable: Bool) throws(LabFailure) -> PrivateRoot.Detached? {
        guard isShown else { return nil }
        if mapped >= 0 {
            if !isWritable { cl_set_attributes(mapped, PrivateRoot.readOnly, 0) }
            return PrivateRoot.Detached(path, mount: mapped)
        }
        // By its name, as the lab's mounts have it: they are as old as the lab.
        let folder = cl_open(path, O_RDONLY | O_DIRECTORY, 0)
        guard folder >= 0 else { return nil }
        defer { Glibc.close(folder) }
        var here = stat()
        guard fstat(folder, &here) == 0, here.st_dev == status.st_dev, here.st_ino == status.st_ino else { return nil }
        return try PrivateRoot.Detached(
            path, of: folder, attributes: isWritable ? PrivateRoot.writable : PrivateRoot.readOnly)
    }

    func close() { if mapped >= 0 { Glibc.close(mapped) } }
}

extension String {
    fileprivate func isInside(_ folder: String) -> Bool { self == folder || hasPrefix(folder + "/") }
}

/// Hands the terminal to the program. It needs a process group of its own: that of this command is outside the lab's
/// PID namespace, so a shell inside could not give the terminal back to it.
private struct Terminal {
    private let own = getpgrp()

    /// - Parameter process: 0 for the calling one
    func moveToForeground(_ process: pid_t) {
        setpgid(process, process)
        set(process == 0 ? getpid() : process)
    }

    func takeBack() { set(own) }

    private func set(_ group: pid_t) {
        // A process in the background that takes the terminal is stopped unless it ignores this signal.
        let before = signal(SIGTTOU, SIG_IGN)
        tcsetpgrp(STDIN_FILENO, group)
        signal(SIGTTOU, before)
    }
}
