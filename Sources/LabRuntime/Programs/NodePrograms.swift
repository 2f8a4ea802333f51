internal import Appliances
internal import CLinux
internal import Configuration
internal import EventLoop
internal import Glibc
internal import LabEvents
internal import LabTime
internal import Netlink
internal import SystemPackage
internal import Topology

/// The third-party programs of a node. They live and die with its process.
///
/// The node gets a mount namespace of its own with an empty `/run`, so that programs find no control socket and no PID
/// file but their own, and `failoverlab exec` finds theirs. Of the run's folder each program is given its own folder,
/// which nobody else reads or writes while it runs.
final class NodePrograms {
    /// How long a program may take until it does its work.
    private static let readinessTimeout = Duration.seconds(20)
    private static let pause = Duration.milliseconds(5)
    /// How long a program that is restarted may take to end.
    private static let endTimeout = Duration.seconds(5)
    /// How long a program may take to become a process.
    private static let startTimeout = Duration.seconds(5)

    private let node: Node
    private let folder: RunFolder
    private let process: NodeProcess
    private var running: [String: RunningProgram] = [:]
    /// Their folders in the run's folder, by name.
    private var folders: [String: Int32] = [:]
    let image: NodeImage?
    private var notReady: Set<String>
    private var whenReady: () -> Void = {}
    /// Of the node's kernel; opened when the first program waits for a route.
    private var routes: RouteReader?
    private(set) lazy var counterCommands = CounterCommands(
        of: node, folders: folders, in: folder, image: image, process: process)

    /// Call while the process has one thread.
    init(of node: Node, folder: RunFolder, in process: NodeProcess) throws(LabFailure) {
        self.node = node
        self.folder = folder
        self.process = process
        notReady = Set(node.programs.map(\.name))
        image = try node.image.map { image throws(LabFailure) in try NodeImage(image) }
        let owner = ProgramUsers.root()
        try Self.coverRun(keeping: folder, owner: owner)
        try image?.makeWritable(owner: owner)
        close(try Self.makeRunFolder("lock", owner: owner))
        for program in node.programs {
            let path = folder.folder(of: program.name, on: node.name)
            let own = try RunFiles.makeFolders(["nodes", node.name, program.name], below: folder.path)
            folders[program.name] = own
            guard owner == 0 || fchown(own, owner, owner) == 0 else {
                throw LabFailure(.lab, "'\(path)' cannot be given to the program: \(Errno(rawValue: errno))")
            }
            for file in program.files {
                try Self.write(file, in: own, path, pathInText: path, owner: owner)
            }
            try Self.fillRun(of: program, folder: path, owner: owner)
        }
    }

    /// In the node's `/run`. Programs may have put a symbolic link there: none is followed.
    private static func makeRunFolder(_ name: String, owner: UInt32) throws(LabFailure) -> Int32 {
        let folder = try RunFiles.makeFolders([name], below: "/run")
        fchown(folder, owner, owner)
        return folder
    }

    /// The program's folder in the node's `/run`, with the files that other programs see.
    private static func fillRun(
        of program: ProgramConfiguration, folder: String, owner: UInt32
    ) throws(LabFailure) {
        let run = try makeRunFolder(program.name, owner: owner)
        defer { close(run) }
        for file in program.files where file.isShared {
            try write(file, in: run, "/run/\(program.name)", pathInText: folder, owner: owner)
        }
    }

    private static func write(
        _ file: ProgramConfiguration.File, in folder: Int32, _ path: String, pathInText: String, owner: UInt32
    ) throws(LabFailure) {
        try RunFiles.write(
            Array(file.text.inFolder(pathInText).utf8), to: file.name, in: folder, path: "\(path)/\(file.name)",
            owner: owner == 0 ? nil : owner)
    }

    deinit { for folder in folders.values { close(folder) } }

    /// An empty `/run` for the node; a run's folder that is below it stays where it is.
    private static func coverRun(keeping folder: RunFolder, owner: UInt32) throws(LabFailure) {
        let kept = cl_copy_mounts(-1, folder.path, 1)
        defer { if kept >= 0 { close(kept) } }
        var error = cl_unshare(cl_new_mount)
        if error == 0 { error = cl_make_mounts_private() }
        if error == 0 {
            error = cl_mount_new(
                "tmpfs", "/run", UInt32(PrivateRoot.writable), "size=64m,mode=755,uid=\(owner),gid=\(owner)")
        }
        if error == 0, access(folder.path, F_OK) != 0 {
            try RunFolder.make(folder.path)
            error = kept >= 0 ? cl_attach_mount(kept, folder.path) : -kept
        }
        guard error == 0 else {
            throw LabFailure(.lab, "could not mount /run for its programs: \(Errno(rawValue: error))")
        }
    }

    var areReady: Bool { notReady.isEmpty }

    /// - Parameter then: called once, when every program does its work
    func start(then: @escaping () -> Void) throws(LabFailure) {
        whenReady = then
        try startNext(of: node.programs.filter(\.endsByItself)[...])
    }

    /// Those that end by themselves, one after the other; then all others.
    private func startNext(of first: ArraySlice<ProgramConfiguration>) throws(LabFailure) {
        guard let program = first.first else {
            for program in node.programs where !program.endsByItself {
                try start(program) { [unowned self] in becomesReady(program) }
            }
            return
        }
        try start(program) { [unowned self] in
            becomesReady(program)
            do throws(LabFailure) {
                try startNext(of: first.dropFirst())
            } catch {
                process.fail("\(error)")
            }
        }
    }

    private func becomesReady(_ program: ProgramConfiguration) {
        notReady.remove(program.name)
        if areReady { whenReady() }
    }

    func carryOut(_ order: ProgramOrder, of name: String, then: @escaping (ApplianceReply) -> Void) {
        guard let program = node.programs.first(where: { $0.name == name }) else {
            return then(.refused(reason: "there is no such program"))
        }
        switch order {
        case .kill:
            guard let running = running.removeValue(forKey: name) else {
                return then(.refused(reason: "it is not running"))
            }
            kill(running, name) { then(.done) }
        case .start:
            guard running[name] == nil else { return then(.refused(reason: "it is already running")) }
            start(again: program, then: then)
        case .restart:
            guard let running = running[name] else { return start(again: program, then: then) }
            end(running, of: name) { [unowned self] in start(again: program, then: then) }
        case .signal(let signal, let ends):
            guard let running = running[name] else { return then(.refused(reason: "it is not running")) }
            if ends { running.isToEnd = true }
            send(signal.number, to: running, until: process.loop.now + Self.startTimeout, then: then)
        }
    }

    private func start(again program: ProgramConfiguration, then: @escaping (ApplianceReply) -> Void) {
        do throws(LabFailure) {
            try clearRun(of: program)
            try start(program) { then(.done) }
        } catch {
            then(.refused(reason: "\(error)"))
        }
    }

    /// Removes what an earlier process of the program has left in `/run`. PIDs of a new namespace are low: the one in a
    /// PID file would soon be that of a process.
    private func clearRun(of program: ProgramConfiguration) throws(LabFailure) {
        let run = try RunFiles.openFolder("/run")
        defer { close(run) }
        let executable = program.command.first?.split(separator: "/").last.map(String.init) ?? program.name
        let others = node.programs.map(\.name).filter { $0 != program.name } + ["lock"]
        for name in [program.name, executable, "\(executable).pid"] where !others.contains(name) {
            FileTree.remove(name, in: run)
        }
        try Self.fillRun(
            of: program, folder: folder.folder(of: program.name, on: node.name), owner: ProgramUsers.root())
    }

    private func kill(_ program: RunningProgram, _ name: String, then: @escaping () -> Void) {
        program.kill { [unowned self] in
            report(.ended, of: name, [.program: name, .reason: "was killed"])
            then()
        }
    }

    /// SIGTERM, and SIGKILL where that is not enough.
    private func end(_ program: RunningProgram, of name: String, then: @escaping () -> Void) {
        program.isToEnd = true
        program.onExpectedEnd = then
        _ = program.signal(SIGTERM)
        process.loop.schedule(after: Self.endTimeout) { [unowned self] in
            guard running[name] === program else { return }
            running[name] = nil
            kill(program, name, then: then)
        }
    }

    /// A program that was started in this moment is no process yet.
    private func send(
        _ signal: Int32, to program: RunningProgram, until limit: Instant, then: @escaping (ApplianceReply) -> Void
    ) {
        if program.signal(signal) { return then(.done) }
        guard process.loop.now < limit else { return then(.refused(reason: "it has no process")) }
        process.loop.schedule(after: Self.pause) { [unowned self] in
            send(signal, to: program, until: limit, then: then)
        }
    }

    private func start(_ program: ProgramConfiguration, then: @escaping () -> Void) throws(LabFailure) {
        let number = node.programs.firstIndex { $0.name == program.name } ?? 0
        let started = try RunningProgram(
            program, of: node.name,
            folder: (folder.folder(of: program.name, on: node.name), folders[program.name] ?? -1),
            log: NodeProcess.logDescriptor(ofProgram: number),
            users: NodeProcess.usersDescriptor, image: image, on: process.loop)
        running[program.name] = started
        report(.started, of: program.name, [.program: program.name])
        started.onOutput = { [unowned self] match in
            let own: [EventDetail: String] = [.program: program.name, .line: match.line]
            let details = own.reduce(into: match.groups) { $0[$1.key.rawValue] = $1.value }
            process.report(
                .output(
                    program: program.name, event: match.event, time: process.time(of: process.loop.now),
                    details: details))
        }
        started.onEnd = { [unowned self, weak started] end in
            report(.ended, of: program.name, [.program: program.name, .reason: end.words])
            if let started, started.isToEnd {
                running[program.name] = nil
                return started.onExpectedEnd()
            }
            guard program.endsByItself else {
                return process.fail(.programFailed(program.name, reason: "died unexpectedly: it \(end.words)"))
            }
            running[program.name] = nil
            guard end == .exited(0) else {
                return process.fail(.programFailed(program.name, reason: "failed: it \(end.words)"))
            }
            then()
        }
        awaitReadiness(of: program, started, until: process.loop.now + Self.readinessTimeout, then: then)
    }

    private func awaitReadiness(
        of program: ProgramConfiguration, _ started: RunningProgram, until limit: Instant, then: @escaping () -> Void
    ) {
        // Another one has taken its place, or it has ended: somebody else waits, or nobody.
        guard running[program.name] === started else { return }
        let missing =
            program.endsByItself
            ? "it has not ended"
            : program.readiness.first(where: { !$0.isMet(kernelRoutes, started.hasPrinted) })?.words
        guard let missing else { return then() }
        guard process.loop.now < limit else {
            return process.fail(
                .programFailed(program.name, reason: "is not ready after \(Self.readinessTimeout): \(missing)"))
        }
        process.loop.schedule(after: Self.pause) { [unowned self] in
            awaitReadiness(of: program, started, until: limit, then: then)
        }
    }

    private func report(_ kind: EventKind, of program: String, _ details: EventDetails) {
        process.report(
            .output(
                program: program, event: kind.word, time: process.time(of: process.loop.now),
                details: Dictionary(uniqueKeysWithValues: details.map { ($0.rawValue, $1) }),
                kind: kind))
    }

    private func kernelRoutes() -> [RouteConfiguration] {
        if routes == nil { routes = try? RouteReader() }
        return routes?.read() ?? []
    }
}

/// A class may hold a value that cannot be copied only as a property of its own.
private final class RouteReader {
    private var socket: NetlinkSocket

    init() throws(NetlinkError) { socket = try NetlinkSocket() }

    func read() -> [RouteConfiguration] { (try? socket.preferredRoutes().gatewayRoutes) ?? [] }
}

extension String {
    func inFolder(_ folder: String) -> String {
        split(separator: ProgramConfiguration.folderWord, omittingEmptySubsequences: false).joined(separator: folder)
    }
}
