internal import CLinux
internal import Configuration
internal import Glibc
internal import RegularFile
internal import SystemPackage

/// The container image of a running node: its files, unpacked in the cache, with a layer in memory over them that all
/// programs of the node share.
public struct NodeImage: Codable, Hashable, Sendable {
    /// In the cache.
    let folder: String
    let environment: [String]
    let workingFolder: String
    let user: String

    private static let layerSize = "1g"
    /// Bytes of `/etc/passwd` and `/etc/group`.
    private static let mostAccountBytes = 1 << 20

    init(_ image: ImageConfiguration) throws(LabFailure) {
        folder = try ImageCache().folder(of: image)
        (environment, workingFolder, user) = (image.environment, image.workingFolder, image.user)
    }

    /// Mounts the layer, in the calling process's mount namespace, which is the node's own.
    func makeWritable(owner: UInt32) throws(LabFailure) {
        let before = cl_open(".", O_RDONLY | O_DIRECTORY, 0)
        defer {
            if before >= 0 {
                _ = fchdir(before)
                close(before)
            }
        }
        // By names in it: a path may have characters that mean something in the options of a mount.
        guard chdir(folder) == 0 else {
            throw LabFailure(.lab, "the unpacked image '\(folder)': \(Errno(rawValue: errno))")
        }
        let attributes = PrivateRoot.writable
        try PrivateRoot.check(
            PrivateRoot.mount(
                "tmpfs", ImageCache.layer, attributes, "size=\(Self.layerSize),nr_inodes=200k,mode=755"),
            "the image's layer in memory")
        var status = stat()
        let (upper, work) = ("\(ImageCache.layer)/upper", "\(ImageCache.layer)/work")
        guard stat(ImageCache.files, &status) == 0, mkdir(upper, 0o755) == 0, mkdir(work, 0o755) == 0 else {
            throw LabFailure(.lab, "the unpacked image '\(folder)': \(Errno(rawValue: errno))")
        }
        chmod(upper, status.st_mode & 0o777)
        chown(upper, owner, owner)
        // Linux 5.11 has this in user namespaces, with its attributes in the user's name space.
        let options = "lowerdir=\(ImageCache.files),upperdir=\(upper),workdir=\(work),userxattr"
        let error = PrivateRoot.mount("overlay", ImageCache.root, attributes, options)
        guard error == 0 else { throw HostProblem.overlay(error).failure }
    }

    /// The root that `makeWritable` has made, for a private root of its own.
    func mount() throws(LabFailure) -> PrivateRoot.Detached {
        let root = try RunFiles.openFolder("\(folder)/\(ImageCache.root)")
        defer { close(root) }
        return try PrivateRoot.Detached(
            PrivateRoot.imagePlace, of: root, attributes: PrivateRoot.writable, all: false)
    }

    // MARK: In the image

    func setEnvironment() {
        for variable in environment {
            let name = variable.prefix { $0 != "=" }
            setenv(String(name), String(variable.dropFirst(name.count + 1)), 1)
        }
    }

    /// Becomes the image's user, with its groups, home and environment. Call in the image's root, as its superuser.
    ///
    /// Where a lab has a single user, the calls that change users succeed without effect.
    func becomeUser() throws(LabFailure) {
        let account = try account()
        setenv("HOME", account.home, 1)
        setEnvironment()
        guard account.user != 0 || account.group != 0 else { return }
        // It may open its output again, as /dev/stdout.
        for descriptor: Int32 in 1...2 { fchown(descriptor, account.user, account.group) }
        let groups = account.groups
        guard setgroups(groups.count, groups) == 0 || errno == EPERM,
            // Of the superuser these set the saved ones as well.
            setgid(account.group) == 0, setuid(account.user) == 0
        else { throw LabFailure(.lab, "user '\(user)' of the image: \(Errno(rawValue: errno))") }
    }

    private struct Account {
        var user: uid_t = 0
        var group: gid_t = 0
        var groups: [gid_t] = []
        var home = "/"
    }

    private func account() throws(LabFailure) -> Account {
        let words = user.split(separator: ":", maxSplits: 1).map(String.init)
        let name = words.first ?? "0"
        var account = Account()
        let known = Self.lines(of: "/etc/passwd").first { $0.count > 5 && ($0[0] == name || $0[2] == name) }
        guard let number = uid_t(name) ?? known.flatMap({ uid_t($0[2]) }) ?? (name == "root" ? 0 : nil) else {
            throw LabFailure(.lab, "the image runs as '\(name)', whom its /etc/passwd does not have")
        }
        account.user = number
        if let known {
            account.group = gid_t(known[3]) ?? 0
            if known[5].hasPrefix("/") { account.home = known[5] }
        } else if number == 0 {
            account.home = "/root"
        }
        let groups = Self.lines(of: "/etc/group").filter { $0.count > 3 }
        if words.count > 1 {
            guard let group = gid_t(words[1]) ?? groups.first(where: { $0[0] == words[1] }).flatMap({ gid_t($0[2]) })
            else {
                throw LabFailure(.lab, "the image runs in group '\(words[1])', which its /etc/group does not have")
            }
            account.group = group
        } else if let known {
            account.groups = groups.filter { $0[3].split(separator: ",").contains { $0 == known[0] } }
                .compactMap { gid_t($0[2]) }
        }
        return account
    }

    private static func lines(of path: String) -> [[String]] {
        guard let file = try? RegularFile(path), let bytes = try? file.bytes(most: mostAccountBytes) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        }
    }
}
