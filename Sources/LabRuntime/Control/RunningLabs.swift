internal import CLinux
internal import Foundation
internal import Glibc
internal import LabFile
internal import SystemPackage

/// Labs that run on this host, found without any file: every supervisor listens on an abstract Unix socket,
/// whose name the kernel forgets with its owner.
public struct RunningLab: Hashable, Sendable {
    /// `<lab>/<variant>/<number>`: unique on this host while the lab exists.
    public let id: String

    public var lab: String { part(0) }
    public var variant: String { part(1) }

    private func part(_ index: Int) -> String {
        let parts = id.split(separator: "/", omittingEmptySubsequences: false)
        return index < parts.count ? String(parts[index]) : ""
    }

    static func prefix(user: UInt32 = geteuid()) -> String { "failoverlab/\(user)/" }

    var socketName: String { Self.prefix() + id }

    /// Every lab of this user, by name. Sockets of others under names of this user's labs are left out, and counted once
    /// on standard error.
    public static func all() -> [RunningLab] {
        guard let table = KernelFile.contents("/proc/net/unix") else { return [] }
        let prefix = "@" + prefix()
        let named = Set(
            table.split(separator: "\n").compactMap { line -> String? in
                guard let at = line.range(of: prefix) else { return nil }
                return String(line[at.upperBound...])
            }
        ).sorted().map(RunningLab.init(id:))
        var foreign: [String] = []
        let own = named.filter { lab in
            switch lab.listener {
            case .user(Int64(geteuid())): return true
            case .user(let other): foreign.append("belongs to another user (\(other))")
            case .silent: foreign.append("does not answer")
            case .none: break
            }
            return false
        }
        report(foreign: foreign)
        return own
    }

    private enum Listener {
        case user(Int64)
        /// Its queue is full: a lab of ours takes what waits within moments.
        case silent
        case none
    }

    /// Who listens on the lab's socket. Anyone may listen under any abstract name.
    private var listener: Listener {
        for _ in 0..<20 {
            let descriptor = cl_connect_abstract_at_once(socketName, socketName.utf8.count)
            if descriptor >= 0 {
                defer { close(descriptor) }
                return .user(cl_peer_user(descriptor))
            }
            guard descriptor == -EAGAIN else { return .none }
            usleep(10_000)
        }
        return .silent
    }

    /// Once per run of this command, which has one thread.
    nonisolated(unsafe) private static var hasReportedForeignSockets = false

    private static func report(foreign: [String]) {
        guard !foreign.isEmpty, !hasReportedForeignSockets else { return }
        hasReportedForeignSockets = true
        // Not their names: these may be anything.
        let text = Set(foreign).sorted().map { reason in
            let count = foreign.count { $0 == reason }
            return "failoverlab: a socket with the name of one of your labs \(reason); ignored"
                + (count > 1 ? " (\(count) of them)" : "") + "\n"
        }.joined()
        _ = write(STDERR_FILENO, text, text.utf8.count)
    }

    /// The lab that an argument names: an id, a lab's name, or a prefix that only one has; nil means "the only one".
    /// - Parameter all: the labs among which it is searched
    public static func named(_ name: String?, among all: [RunningLab] = all()) throws(LabFailure) -> RunningLab {
        let found = name.map { all.meant(by: $0) } ?? all
        if found.count == 1 { return found[0] }
        let list = all.map(\.id).joined(separator: ", ")
        if all.isEmpty {
            throw LabFailure(.lab, "no lab is up", remedy: "start one: failoverlab up Labs/fast-path-mac-failover")
        }
        if found.isEmpty {
            let nearest = Spelling.nearest(to: name ?? "", among: all.flatMap { [$0.id, $0.lab] })
            throw LabFailure(
                .lab, "no lab '\(name ?? "")' is up",
                remedy: nearest.map { "did you mean '\($0)'?" } ?? "labs that are up: \(list)")
        }
        throw LabFailure(
            .lab, "more than one lab is up: \(found.map(\.id).joined(separator: ", "))", remedy: "name one with --lab")
    }

    /// Makes the listening socket of a new lab, in this process's network namespace, and gives it a unique id.
    static func listen(lab: String, variant: String) throws(LabFailure) -> (lab: RunningLab, descriptor: Int32) {
        for number in 1...9999 {
            let running = RunningLab(id: "\(lab)/\(variant)/\(number)")
            let descriptor = cl_listen_abstract(running.socketName, running.socketName.utf8.count)
            if descriptor >= 0 { return (running, descriptor) }
            guard -descriptor == EADDRINUSE else {
                throw LabFailure(.lab, "could not listen for the lab's commands: \(Errno(rawValue: -descriptor))")
            }
        }
        throw LabFailure(.lab, "9999 copies of '\(lab)' are up", remedy: "failoverlab down --all")
    }

    /// A stream on which the supervisor takes orders.
    func connect() throws(LabFailure) -> Int32 {
        let descriptor = cl_connect_abstract(socketName, socketName.utf8.count)
        guard descriptor >= 0 else {
            throw LabFailure(.lab, "lab '\(id)' does not answer: \(Errno(rawValue: -descriptor))")
        }
        // Anyone may listen under any abstract name; the descriptors received on this socket are entered, and commands
        // run there.
        guard cl_peer_user(descriptor) == Int64(geteuid()) else {
            close(descriptor)
            throw LabFailure(.lab, "'\(id)' is not one of your labs: another user listens on its socket")
        }
        return descriptor
    }
}

extension [RunningLab] {
    /// Whole names before the beginnings of names, so that a lab `web` is not mistaken for one called `web-2`.
    fileprivate func meant(by name: String) -> [RunningLab] {
        for isMeant: (RunningLab) -> Bool in [{ $0.id == name }, { $0.lab == name }, { $0.id.hasPrefix(name) }] {
            let found = filter(isMeant)
            if !found.isEmpty { return found }
        }
        return []
    }
}
