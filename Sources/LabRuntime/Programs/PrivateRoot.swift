internal import CLinux
internal import Glibc
internal import SystemPackage

/// The file system of a program: a root in memory with what programs need of the host, read-only.
///
/// | path | is |
/// |---|---|
/// | `/usr`, `/bin`, `/sbin`, `/lib…`, `/etc`, `/opt` | the host's, read-only |
/// | `/run` | the node's |
/// | `/tmp`, `/var/tmp`, `/var/log`, `/dev/shm`, scratch folders | empty, at most `scratchSize` together |
/// | `/proc` | of the program's PID namespace; only `sys/net` is writable |
/// | `/sys` | network interfaces of the node, and the list of processors |
/// | `/dev` | `null`, `zero`, `full`, `random`, `urandom`, `tty`, and pseudo-terminals of its own |
/// | its own folder | writable |
///
/// The old root is let go of: there is nothing below any mount to uncover. In a node with a container image, what is the
/// host's is left out, and the rest becomes part of the image's root (`PrivateRoot+Image`).
struct PrivateRoot: ~Copyable {
    private static let scratchSize = "1g"
    private static let system = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt"]
    private static let alwaysScratch = ["/tmp", "/var/tmp", "/var/log", "/dev/shm"]
    private static let devices = ["null", "zero", "full", "random", "urandom", "tty"]

    /// Where it is put together; what is mounted there is still seen by descriptors.
    private let place: String
    /// User and group 0 of the program.
    private let owner: UInt32

    /// A mount that is attached nowhere yet.
    struct Detached {
        /// Absolute.
        var path: String
        var descriptor: Int32
        fileprivate var isFolder: Bool

        /// Made of an open descriptor of a folder.
        /// - Parameters:
        ///   - attributes: `cl_read_only`, …
        ///   - all: whether with the mounts below it
        init(_ path: String, of folder: Int32, attributes: UInt64, all: Bool = true) throws(LabFailure) {
            try self.init(path, at: folder, "", isFolder: true, attributes, all: all)
        }

        /// Made of an open file.
        init(_ path: String, ofFile file: Int32, attributes: UInt64) throws(LabFailure) {
            try self.init(path, at: file, "", isFolder: false, attributes)
        }

        /// Made of the file at its own path.
        init(file path: String, attributes: UInt64) throws(LabFailure) {
            try self.init(path, at: -1, path, isFolder: false, attributes)
        }

        /// Takes over a detached mount.
        init(_ path: String, mount: Int32) { (self.path, descriptor, isFolder) = (path, mount, true) }

        init(
            _ path: String, at folder: Int32, _ name: String, isFolder: Bool, _ attributes: UInt64, all: Bool = true
        ) throws(LabFailure) {
            descriptor = cl_copy_mounts(folder, name, all ? 1 : 0)
            (self.path, self.isFolder) = (path, isFolder)
            guard descriptor >= 0 else { throw PrivateRoot.refused("'\(path)'", -descriptor) }
            let error = cl_set_attributes(descriptor, attributes, 0)
            guard error == 0 else {
                close(descriptor)
                throw PrivateRoot.refused("'\(path)'", error)
            }
        }
    }

    private static var guarded: UInt64 { UInt64(cl_no_suid | cl_no_devices) }
    static var writable: UInt64 { guarded }
    static var readOnly: UInt64 { guarded | UInt64(cl_read_only) }

    /// Whether a path is among what every program sees of the host.
    static func shows(_ path: String) -> Bool {
        guard let first = path.split(separator: "/").first else { return false }
        return system.contains(String(first))
    }

    /// Makes it the root of the calling process, whose mount namespace is its own from then on. Call in the lab's user
    /// namespace, in the program's network and PID namespaces.
    /// - Parameters:
    ///   - run: the node's `/run`; nil for an empty one
    ///   - mounts: what else it has, made before
    ///   - scratch: further empty folders
    ///   - image: the files of a container image, in the place of the host's
    static func enter(
        run: Detached?, mounts: [Detached], scratch: [String], owner: UInt32, image: Detached? = nil
    ) throws(LabFailure) {
        try check(cl_unshare(cl_new_mount), "a mount namespace")
        try check(cl_make_mounts_private(), "private mounts")
        let places: [String] = ["/tmp", "/mnt", "/run"]
        guard let place = places.first(where: { access($0, F_OK) == 0 }) else {
            throw refused("a root", ENOENT)
        }
        let root = PrivateRoot(place: place, owner: owner)
        let hasImage = image != nil
        let parts = (run.map { [$0.path] } ?? ["/run"]) + scratch + mounts.map(\.path)
        try root.build(run: run, mounts: mounts, scratch: scratch, image: image)
        try check(cl_set_attributes_at(place, readOnly, 0), "a read-only root (Linux 5.12)")
        try check(cl_change_root(place), "a root (pivot_root)")
        if hasImage { try enterImage(with: parts, owner: owner) }
    }

    init(place: String, owner: UInt32) { (self.place, self.owner) = (place, owner) }

    private func build(
        run: Detached?, mounts: [Detached], scratch: [String], image: Detached?
    ) throws(LabFailure) {
        try Self.check(Self.mount("tmpfs", place, Self.writable, "size=16m,mode=755"), "a root")
        for folder in ["proc", "sys", "dev", "dev/pts", "run", "root", "home", "var", "var/lib", "var/empty"] {
            mkdir("\(place)/\(folder)", 0o755)
        }
        symlink("/run", "\(place)/var/run")
        symlink("/run/lock", "\(place)/var/lock")
        if let image { try attach(image) } else { for name in Self.system { try copySystemFolder(name) } }
        if let run { try attach(run) }
        let always = image == nil ? Self.alwaysScratch : ["/dev/shm"]
        try makeScratch((run == nil ? ["/run"] : []) + always + scratch, isOwnRoot: image != nil)
        try makeDevices()
        try makeProc()
        try makeSys()
        for mount in mounts { try attach(mount) }
    }

    // MARK: Parts

    private func copySystemFolder(_ name: String) throws(LabFailure) {
        var status = stat()
        guard lstat("/\(name)", &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFLNK:
            guard let target = RunFiles.target(ofLink: "/\(name)") else { return }
            symlink(target, "\(place)/\(name)")
        case S_IFDIR:
            try attach(Detached("/\(name)", at: -1, "/\(name)", isFolder: true, Self.readOnly))
        default: break
        }
    }

    /// One file system for all of them, so that its size bounds their sum. An outer one first.
    private func makeScratch(_ folders: [String], isOwnRoot: Bool) throws(LabFailure) {
        // Put together where `/proc` comes later.
        let whole = "\(place)/proc"
        try Self.check(
            Self.mount("tmpfs", whole, Self.writable, "size=\(Self.scratchSize),nr_inodes=200k,mode=755"), "scratch")
        for (index, path) in folders.enumerated() {
            // Nothing can be added to what is the host's.
            if !isOwnRoot, Self.shows(path), access(path, F_OK) != 0 { continue }
            let isShared = path.hasSuffix("tmp") || path == "/dev/shm"
            let folder = "\(whole)/\(index)"
            mkdir(folder, 0o700)
            chown(folder, owner, owner)
            chmod(folder, isShared ? 0o1777 : 0o755)
            try attach(Detached(path, at: -1, folder, isFolder: true, Self.writable))
        }
        try Self.check(cl_let_go_of_mount(whole), "scratch")
    }

    private func makeDevices() throws(LabFailure) {
        for name in Self.devices where access("/dev/\(name)", F_OK) == 0 {
            try attach(
                Detached("/dev/\(name)", at: -1, "/dev/\(name)", isFolder: false, UInt64(cl_no_suid)))
        }
        // A host may keep it; then programs have no terminals of their own.
        _ = Self.mount(
            "devpts", "\(place)/dev/pts", UInt64(cl_no_suid | cl_no_exec),
            "newinstance,ptmxmode=0666,mode=0620")
        for (name, target) in [
            ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
        ] {
            symlink(target, "\(place)/dev/\(name)")
        }
    }

    private static let hiddenFiles = [
        "kcore", "keys", "key-users", "kmsg", "timer_list", "sched_debug", "sysrq-trigger", "kpagecount",
        "kpageflags", "kpagecgroup", "kallsyms", "slabinfo", "vmallocinfo", "iomem", "ioports", "latency_stats",
        "diskstats", "partitions", "swaps", "mtrr",
    ]
    /// With process 1, which is ours, and has the program's own user where a lab has a single one.
    private static let hiddenFolders = ["acpi", "asound", "bus", "driver", "fs", "irq", "scsi", "pressure", "1"]

    /// Where the host's `/proc` is partly covered, as in containers, the kernel refuses a fresh one; then the inherited
    /// one serves, read-only. It shows names and arguments of processes outside; that they belong to another user
    /// namespace keeps their memory, environment and root from programs.
    private func makeProc() throws(LabFailure) {
        let path = "\(place)/proc"
        let attributes = Self.writable | UInt64(cl_no_exec)
        if Self.mount("proc", path, attributes, nil) != 0 {
            try attach(
                Detached("/proc", at: -1, "/proc", isFolder: true, attributes | UInt64(cl_read_only)))
        }
        for name in Self.hiddenFiles where access("\(path)/\(name)", F_OK) == 0 {
            try attach(
                Detached("/proc/\(name)", at: -1, "/dev/null", isFolder: false, UInt64(cl_read_only)))
        }
        for name in Self.hiddenFolders where access("\(path)/\(name)", F_OK) == 0 {
            try attach(Detached("/proc/\(name)", at: -1, "\(place)/var/empty", isFolder: true, Self.readOnly))
        }
        // The settings of its own network namespace; a container may keep even these from everybody.
        let network = try Detached("/proc/sys/net", at: -1, "\(path)/sys/net", isFolder: true, attributes)
        let settings = try Detached(
            "/proc/sys", at: -1, "\(path)/sys", isFolder: true, attributes | UInt64(cl_read_only))
        try attach(settings)
        try attach(network)
    }

    /// Of the kernel's objects only those of the own network namespace, and processors, which daemons count.
    private func makeSys() throws(LabFailure) {
        let path = "\(place)/sys"
        let attributes = Self.readOnly | UInt64(cl_no_exec)
        let isFresh = Self.mount("sysfs", path, attributes, nil) == 0
        var parts: [Detached] = []
        for name in ["class/net", "devices/virtual/net", "devices/system/cpu"] {
            let source = isFresh ? "\(path)/\(name)" : "/sys/\(name)"
            // The host's own interfaces are never shown.
            guard isFresh || !name.hasSuffix("net"), access(source, F_OK) == 0 else { continue }
            parts.append(try Detached("/sys/\(name)", at: -1, source, isFolder: true, attributes))
        }
        if isFresh { try Self.check(cl_let_go_of_mount(path), "/sys") }
        for part in parts { try attach(part) }
    }

    // MARK: Attaching

    /// Makes the place where there is none, and attaches.
    func attach(_ mount: Detached) throws(LabFailure) {
        defer { close(mount.descriptor) }
        let path = place + mount.path
        makeFolders(above: path)
        if mount.isFolder {
            mkdir(path, 0o755)
        } else {
            let file = cl_open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o644)
            if file >= 0 { close(file) }
        }
        try Self.check(cl_attach_mount(mount.descriptor, path), "'\(mount.path)'")
    }

    private func makeFolders(above path: String) {
        var made = place
        for part in path.dropFirst(place.count).split(separator: "/").dropLast() {
            made += "/\(part)"
            mkdir(made, 0o755)
        }
    }

    static func mount(_ kind: String, _ path: String, _ attributes: UInt64, _ options: String?) -> Int32 {
        cl_mount_new(kind, path, UInt32(attributes), options)
    }

    static func check(_ error: Int32, _ what: String) throws(LabFailure) {
        if error != 0 { throw refused(what, error) }
    }

    static func refused(_ what: String, _ error: Int32) -> LabFailure {
        LabFailure(.lab, "\(what) for the program: \(Errno(rawValue: error))")
    }
}
