public import Configuration
internal import CLinux
internal import Glibc
internal import OCIImage
internal import SystemPackage

/// Container images, unpacked: `~/.cache/failoverlab/images/<digest>`, or below `XDG_CACHE_HOME`.
///
/// | in an image's folder | |
/// |---|---|
/// | `bundle/rootfs` | its files |
/// | `layer`, `root` | empty: where nodes mount their own layer, and the files below it, for themselves |
///
/// A folder gets its name when it is complete. One run unpacks it, and others wait for a lock that ends with its
/// process; what an interrupted one left is removed.
public struct ImageCache {
    static let files = "bundle/rootfs"
    static let layer = "layer"
    static let root = "root"
    /// Of the layout that skopeo makes.
    private static let tag = "image"

    private let path: String

    public init() throws(LabFailure) {
        func folder(_ variable: String) -> String? {
            getenv(variable).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        guard let cache = folder("XDG_CACHE_HOME") ?? folder("HOME").map({ $0 + "/.cache" }) else {
            throw LabFailure(
                .host, "there is no folder to unpack container images in", remedy: "set HOME or XDG_CACHE_HOME")
        }
        guard !(cache + "/").hasPrefix("/run/") else {
            throw LabFailure(
                .host, "container images cannot be unpacked below /run, which every node has empty",
                remedy: "set XDG_CACHE_HOME to another folder")
        }
        path = cache + "/failoverlab/images"
    }

    /// As root, files have all the users of the image; otherwise they all belong to the caller.
    /// - Throws: where the ID is none: it is a part of a path
    func folder(of image: ImageConfiguration) throws(LabFailure) -> String {
        guard ContainerImage.isID(image.id) else {
            throw LabFailure(.usage, "'\(image.id)' is no ID of an image")
        }
        let plain = "\(path)/\(image.id.drop { $0 != ":" }.dropFirst())"
        // In a lab everybody is its root. A container may keep users from root, too, which only the lab finds out.
        let hasUsers = geteuid() == 0 && ProgramUsers.root() != 0
        return hasUsers || access(plain, F_OK) != 0 && access(plain + "-users", F_OK) == 0 ? plain + "-users" : plain
    }

    /// Whether an image's files have an executable, by a path or by the image's own PATH.
    public func has(_ executable: String, _ image: ImageConfiguration) -> Bool {
        guard let folder = try? folder(of: image) else { return false }
        let root = cl_open("\(folder)/\(Self.files)", O_RDONLY | O_DIRECTORY, 0)
        guard root >= 0 else { return false }
        defer { close(root) }
        let own = image.environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
        let folders = (own ?? ProgramConfinement.path).split(separator: ":")
        let candidates = executable.contains("/") ? [executable] : folders.map { "\($0)/\(executable)" }
        return candidates.contains { candidate in
            let path = candidate.hasPrefix("/") ? candidate : image.workingFolder + "/" + candidate
            let file = cl_open_in_root(root, path, cl_open_only)
            guard file >= 0 else { return false }
            defer { close(file) }
            var status = stat()
            return fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o111 != 0
        }
    }

    // MARK: Unpacking

    /// Unpacks an image that is not there yet.
    /// - Parameter report: called with what takes long
    /// - Throws: `LabFailure` of kind `usage` where the image is at fault
    public func prepare(_ image: ImageConfiguration, report: (String) -> Void) throws(LabFailure) {
        let place = try folder(of: image)
        if access(place, F_OK) == 0 { return }
        let tools = try ["skopeo", "umoci"].map { name throws(LabFailure) in
            guard let path = Executable.path(of: name) else { throw HostProblem.missingUnpacker(name).failure }
            return path
        }
        let folder = try ownFolder()
        defer { close(folder) }
        let name = String(place.dropFirst(path.count + 1))
        let lock = cl_open_in(folder, name + ".lock", O_RDWR | O_CREAT, 0o600)
        guard lock >= 0 else { throw refused(-lock) }
        defer { close(lock) }
        if cl_lock_file(lock, 0) != 0 {
            report("another run unpacks '\(image.path)'; waiting for it")
            let error = cl_lock_file(lock, 1)
            guard error == 0 else { throw refused(-error) }
        }
        if access(place, F_OK) == 0 { return }
        report("unpacking '\(image.path)'")
        let new = name + ".new"
        let left = FileTree.remove(new, in: folder)
        guard left == 0 else { throw refused(left) }
        defer { FileTree.remove(new, in: folder) }
        guard mkdirat(folder, new, 0o755) == 0 else { throw refused(errno) }
        try unpack(image, into: "\(path)/\(new)", by: tools)
        guard renameat(folder, new, folder, name) == 0 else { throw refused(errno) }
    }

    private func unpack(
        _ image: ImageConfiguration, into place: String, by tools: [String]
    ) throws(LabFailure) {
        let source: ContainerImage
        do throws(ImageProblem) {
            source = try ContainerImage(image.path, tag: image.tag)
        } catch {
            throw LabFailure(.usage, "the image '\(image.path)' \(error.text)")
        }
        guard source.id == image.id else {
            throw LabFailure(.usage, "the image '\(image.path)' is another one (\(source.id)) than \(image.id)")
        }
        try ImageUnpacking(
            source: source.path, transport: source.transport.rawValue, selector: source.selector, tag: Self.tag,
            target: place, skopeo: tools[0], umoci: tools[1]
        ).start()
        // What was unpacked is what was read: umoci has compared the layers with the configuration's digests.
        let layout = ImageUnpacking.layout
        let made = try? ContainerImage("\(place)/\(layout)", tag: Self.tag)
        guard let made, made.layers == source.layers, source.transport == .docker || made.id == source.id else {
            throw LabFailure(.usage, "the image '\(image.path)' changed while it was unpacked")
        }
        let folder = try RunFiles.openFolder(place)
        defer { close(folder) }
        for name in [layout, ImageUnpacking.scratch] { FileTree.remove(name, in: folder) }
        for name in [Self.layer, Self.root] where mkdirat(folder, name, 0o755) != 0 { throw refused(errno) }
    }

    /// Its files may have the set-user-ID bit: nobody else may come near them.
    private func ownFolder() throws(LabFailure) -> Int32 {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/\(part)"
            if mkdir(made, 0o700) != 0, errno != EEXIST { throw refused(errno) }
        }
        let folder = try RunFiles.openFolder(path)
        var status = stat()
        guard fstat(folder, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            close(folder)
            throw LabFailure(
                .host, "'\(path)' belongs to another user, or others may enter it",
                remedy: "remove it, or set XDG_CACHE_HOME")
        }
        return folder
    }

    private func refused(_ error: Int32) -> LabFailure {
        LabFailure(.lab, "'\(path)' cannot be written: \(Errno(rawValue: error))")
    }
}
