internal import Glibc

/// A container image in a file or folder of this host, read as far as needed to know what it is: an OCI layout, an
/// archive of one, or what `docker save` writes.
package struct ContainerImage: Hashable, Sendable {
    /// As skopeo(1) names it.
    package enum Transport: String, Hashable, Sendable {
        case layout = "oci"
        case archive = "oci-archive"
        case docker = "docker-archive"
    }

    /// Absolute, without symbolic links.
    package var path: String
    package var transport: Transport
    /// Which of the images there, as skopeo takes it behind the path; nil where there is only one.
    package var selector: String?
    /// The image ID: the digest of its configuration, `sha256:…`.
    package var id: String
    /// Digests of its layers, unpacked, from the lowest on. The ID depends on them.
    package var layers: [String]
    package var user: String
    package var environment: [String]
    package var entrypoint: [String]
    package var command: [String]
    package var workingFolder: String

    /// - Parameters:
    ///   - path: absolute
    ///   - tag: of one of several images
    ///   - machine: as uname(2) names this host's architecture
    package init(_ path: String, tag: String?, machine: String = Self.machine) throws(ImageProblem) {
        guard let real = realpath(path, nil) else {
            throw ImageProblem(
                errno == ENOENT
                    ? "does not exist" : "cannot be read: \(String(cString: strerror(errno)).lowercased())")
        }
        defer { free(real) }
        self.path = String(cString: real)
        var status = stat()
        let isFolder = stat(self.path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        let files = try ImageFiles(self.path, isFolder: isFolder)
        let configuration: ImageDocuments.Configuration
        let text: [UInt8]
        if files.size(of: "index.json") != nil, files.size(of: "oci-layout") != nil {
            transport = isFolder ? .layout : .archive
            text = try Self.configuration(in: files, tag: tag, machine: machine)
            selector = tag
        } else if !isFolder, files.size(of: "manifest.json") != nil {
            transport = .docker
            (text, selector) = try Self.savedConfiguration(in: files, tag: tag)
        } else {
            throw ImageProblem(
                "is neither an OCI layout nor an archive of an image",
                allowed: ["what 'skopeo copy … oci:FOLDER', 'podman save' or 'docker save' write"])
        }
        configuration = try ImageDocuments.decode(ImageDocuments.Configuration.self, text, "its configuration")
        id = "sha256:" + SHA256.digits(of: text)
        layers = configuration.rootfs.layers
        let execution = configuration.config
        user = execution?.user ?? ""
        environment = execution?.environment ?? []
        entrypoint = execution?.entrypoint ?? []
        command = execution?.command ?? []
        workingFolder = execution?.folder.flatMap { $0.isEmpty ? nil : $0 } ?? "/"
        try Self.check(configuration, machine)
    }

    /// Whether a text is an image's ID: `sha256:` and 64 hexadecimal digits in lower case.
    package static func isID(_ text: String) -> Bool {
        guard text.hasPrefix("sha256:") else { return false }
        let digits = text.utf8.dropFirst(7)
        return digits.count == 64 && digits.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    // MARK: Finding the configuration

    private static func configuration(
        in files: ImageFiles, tag: String?, machine: String
    ) throws(ImageProblem) -> [UInt8] {
        let index = try ImageDocuments.decode(
            ImageDocuments.Index.self, files.document("index.json"), "its index.json")
        var chosen = try select(index.manifests, tag: tag)
        if chosen.isIndex {
            let inner = try ImageDocuments.decode(ImageDocuments.Index.self, files.blob(chosen), "its inner index")
            guard let own = inner.manifests.first(where: { isOwn($0.platform, machine) }) else {
                let others = Set(inner.manifests.compactMap { $0.platform?.architecture }).subtracting(["unknown"])
                throw ImageProblem(
                    "has no image for this host's architecture (\(architecture(of: machine))), but for \(list(others.sorted()))"
                )
            }
            chosen = own
        }
        let manifest = try ImageDocuments.decode(
            ImageDocuments.Manifest.self, files.blob(chosen), "its manifest")
        for layer in manifest.layers {
            if layer.mediaType?.hasSuffix("zstd") == true {
                throw ImageProblem(
                    "has a layer that is compressed by zstd, which umoci does not unpack",
                    allowed: ["skopeo copy --dest-compress-format gzip …"])
            }
            let name = try ImageFiles.name(of: layer)
            guard let size = files.size(of: name) else {
                throw ImageProblem("is broken: it lacks layer \(layer.digest)")
            }
            guard size == layer.size else {
                throw ImageProblem("is broken: layer \(layer.digest) has \(size) bytes instead of \(layer.size)")
            }
        }
        return try files.blob(manifest.config)
    }

    private static func select(
        _ manifests: [ImageDocuments.Descriptor], tag: String?
    ) throws(ImageProblem) -> ImageDocuments.Descriptor {
        let names = manifests.compactMap(\.name)
        if let tag {
            let found = manifests.filter { $0.name == tag }
            guard found.count == 1 else { throw noImage(tag, names) }
            return found[0]
        }
        guard let only = manifests.first else { throw ImageProblem("has no image in its index") }
        guard manifests.count == 1 else { throw severalImages(manifests.count, names) }
        return only
    }

    private static func savedConfiguration(
        in files: ImageFiles, tag: String?
    ) throws(ImageProblem) -> (text: [UInt8], selector: String?) {
        let images = try ImageDocuments.decode(
            [ImageDocuments.SavedImage].self, files.document("manifest.json"), "its manifest.json")
        let names = images.flatMap { $0.names ?? [] }
        var place = 0
        if let tag {
            let wanted = ["", "docker.io/", "docker.io/library/", "localhost/"].map { $0 + tag }
            guard let found = images.firstIndex(where: { ($0.names ?? []).contains { wanted.contains($0) } }) else {
                throw noImage(tag, names)
            }
            place = found
        } else if images.count != 1 {
            guard !images.isEmpty else { throw ImageProblem("has no image in its manifest.json") }
            throw severalImages(images.count, names)
        }
        return (try files.document(images[place].config), images.count == 1 ? nil : "@\(place)")
    }

    private static func noImage(_ tag: String, _ names: [String]) -> ImageProblem {
        ImageProblem("has no image with the tag '\(tag)'", allowed: names.isEmpty ? ["no tag"] : names.sorted())
    }

    private static func severalImages(_ count: Int, _ names: [String]) -> ImageProblem {
        ImageProblem(
            "has \(count) images",
            allowed: names.isEmpty
                ? ["an image by itself: skopeo copy"] : names.sorted().map { "{ from: …, tag: \($0) }" })
    }

    // MARK: What can be run here

    private static func check(_ configuration: ImageDocuments.Configuration, _ machine: String) throws(ImageProblem) {
        guard configuration.os == "linux" else {
            throw ImageProblem("is for '\(configuration.os.prefix(30))', not Linux")
        }
        guard configuration.architecture == architecture(of: machine) else {
            throw ImageProblem(
                "is for another architecture (\(configuration.architecture.prefix(30))) than this host (\(architecture(of: machine)))",
                allowed: ["skopeo copy --override-arch \(architecture(of: machine)) …"])
        }
        guard !configuration.rootfs.layers.isEmpty else { throw ImageProblem("has no files: it has no layer") }
        let texts = configuration.config.map { [$0.user ?? "", $0.folder ?? ""] + ($0.environment ?? []) } ?? []
        if texts.contains(where: { $0.utf8.contains(0) }) {
            throw ImageProblem("is broken: its configuration has a NUL")
        }
    }

    private static func isOwn(_ platform: ImageDocuments.Platform?, _ machine: String) -> Bool {
        platform?.architecture == architecture(of: machine) && (platform?.os ?? "linux") == "linux"
    }

    private static func list(_ words: [String]) -> String { words.isEmpty ? "none" : words.joined(separator: ", ") }

    /// As images name it.
    private static func architecture(of machine: String) -> String {
        switch machine {
        case "x86_64": "amd64"
        case "aarch64": "arm64"
        default: machine
        }
    }

    package static var machine: String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
