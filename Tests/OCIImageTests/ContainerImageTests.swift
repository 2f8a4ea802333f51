import Foundation
import TestSupport
import Testing

@testable import OCIImage

/// Images are known, and refused, before anything of them is unpacked.
@Suite struct ContainerImageTests {
    private static let machine = TestImage.architecture == "amd64" ? "x86_64" : "aarch64"
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let image = TestImage(
        [[.init("etc/motd", text: "hello\n")]],
        config: """
            {"Entrypoint":["/bin/server"],"Cmd":["-v"],"Env":["A=1","PATH=/bin"],"User":"web","WorkingDir":"/srv"}
            """)

    private func problem(_ path: String = "image", tag: String? = nil) -> String {
        do throws(ImageProblem) {
            _ = try ContainerImage("\(folder.path)/\(path)", tag: tag)
            return ""
        } catch {
            return error.text + (error.allowed.isEmpty ? "" : "; " + error.allowed.joined(separator: ", "))
        }
    }

    private func pack(_ name: String = "image") throws -> String {
        let archive = folder.path + "/image.tar"
        let result = try Command.run("/bin/tar", ["-cf", archive, "-C", "\(folder.path)/\(name)", "."])
        #expect(result.status == 0, "\(result.errors)")
        return archive
    }

    @Test(arguments: ["", "a", "abc", String(repeating: "failover", count: 16), String(repeating: "x", count: 55)])
    func `digests are those of sha256sum`(_ text: String) throws {
        let path = folder.path + "/text"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        let sum = try Command.run("/usr/bin/sha256sum", [path]).output.prefix(64)
        #expect(SHA256.digits(of: Array(text.utf8)) == sum)
    }

    @Test func `a layout and an archive of it are the same image`() throws {
        try Self.image.writeLayout(to: folder.path + "/image")
        let layout = try ContainerImage(folder.path + "/image", tag: nil)
        #expect(layout.transport == .layout && layout.id.hasPrefix("sha256:") && layout.layers.count == 1)
        #expect(layout.entrypoint == ["/bin/server"] && layout.command == ["-v"] && layout.user == "web")
        #expect(layout.environment == ["A=1", "PATH=/bin"] && layout.workingFolder == "/srv")
        let archive = try ContainerImage(pack(), tag: "image")
        #expect(archive.transport == .archive && archive.id == layout.id && archive.selector == "image")
    }

    @Test func `what docker save writes is an image, too`() throws {
        let configuration = """
            {"architecture":"\(TestImage.architecture)","os":"linux","config":{"Cmd":["sh"]},"rootfs":{"diff_ids":["sha256:0"]}}
            """
        let list = """
            [{"Config":"c.json","RepoTags":["web:1"],"Layers":["l.tar"]},{"Config":"c.json","RepoTags":["web:2"],"Layers":["l.tar"]}]
            """
        try Data(TestImage.tar([.init("manifest.json", text: list), .init("c.json", text: configuration)]))
            .write(to: URL(fileURLWithPath: folder.path + "/image"))
        #expect(problem() == "has 2 images; { from: …, tag: web:1 }, { from: …, tag: web:2 }")
        let image = try ContainerImage(folder.path + "/image", tag: "web:2")
        #expect(image.transport == .docker && image.selector == "@1" && image.command == ["sh"])
        #expect(image.id == "sha256:" + SHA256.digits(of: Array(configuration.utf8)))
    }

    @Test func `one of several images is named by its tag`() throws {
        try Self.image.writeLayout(to: folder.path + "/image", tag: "a", others: [("b", Self.image)])
        #expect(problem() == "has 2 images; { from: …, tag: a }, { from: …, tag: b }")
        #expect(problem(tag: "b") == "")
        #expect(problem(tag: "c") == "has no image with the tag 'c'; a, b")
    }

    @Test func `an image for another machine is refused`() throws {
        try TestImage([[.init("a")]], architecture: "s390x").writeLayout(to: folder.path + "/image")
        #expect(
            problem().hasPrefix("is for another architecture (s390x) than this host (\(TestImage.architecture))"))
    }

    @Test func `an index of several architectures has the image of this machine`() throws {
        let path = folder.path + "/image"
        try Self.image.writeLayout(to: path)
        let outer = try String(contentsOfFile: path + "/index.json", encoding: .utf8)
        let start = try #require(outer.firstRange(of: "{\"mediaType\"")).lowerBound
        let end = try #require(outer.firstRange(of: ",\"annotations\"")).lowerBound
        let platform = ",\"platform\":{\"os\":\"linux\",\"architecture\":\"\(TestImage.architecture)\"}}"
        let own = String(outer[start..<end]) + platform
        let foreign = own.replacing(TestImage.architecture, with: "s390x")
        let cases: [(String, String)] = [(own, ""), (foreign, "has no image for this host's")]
        for (inner, message) in cases {
            let bytes = Array("{\"manifests\":[\(inner)]}".utf8)
            let digest = SHA256.digits(of: bytes)
            try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/blobs/sha256/\(digest)"))
            let index = """
                {"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:\(digest)","size":\(bytes.count)}]}
                """
            try index.write(toFile: path + "/index.json", atomically: false, encoding: .utf8)
            #expect(problem().hasPrefix(message) && problem().isEmpty == message.isEmpty, "\(problem())")
        }
    }

    @Test func `what is no image, or a broken one, is refused with the reason`() throws {
        #expect(problem("none") == "does not exist")
        try FileManager.default.createDirectory(atPath: folder.path + "/empty", withIntermediateDirectories: false)
        #expect(problem("empty").hasPrefix("is neither an OCI layout nor an archive of an image"))
        try "schema: 1\n".write(toFile: folder.path + "/lab.yaml", atomically: false, encoding: .utf8)
        #expect(problem("lab.yaml").hasPrefix("is neither an OCI layout nor an archive of an image"))
        #expect(try Command.run("/bin/sh", ["-c", "gzip -k lab.yaml && mkfifo pipe"], in: folder.path).status == 0)
        #expect(problem("lab.yaml.gz").hasPrefix("is compressed"))
        #expect(problem("pipe") == "is not a regular file")

        try Self.image.writeLayout(to: folder.path + "/image")
        let archive = try pack()
        let whole = try Data(contentsOf: URL(fileURLWithPath: archive))
        try whole.prefix(whole.count / 3).write(to: URL(fileURLWithPath: archive))
        #expect(problem("image.tar").hasPrefix("is cut off") || problem("image.tar").hasPrefix("is broken"))

        let blobs = folder.path + "/image/blobs/sha256"
        for name in try FileManager.default.contentsOfDirectory(atPath: blobs) {
            let path = "\(blobs)/\(name)"
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            try Data(before + [0x20]).write(to: URL(fileURLWithPath: path))
            #expect(problem().hasPrefix("is broken: "), "\(name): \(problem())")
            try FileManager.default.removeItem(atPath: path)
            #expect(problem().hasPrefix("is broken: it "), "\(name): \(problem())")
            try before.write(to: URL(fileURLWithPath: path))
        }
        #expect(problem() == "")
        try "{\"manifests\":[{\"digest\":\"sha256:../../../etc/passwd\",\"size\":1}]}".write(
            toFile: folder.path + "/image/index.json", atomically: false, encoding: .utf8)
        #expect(problem() == "is broken: 'sha256:../../../etc/passwd' is no SHA-256 digest")
    }

    @Test func `an archive that is cut off anywhere is no image`() throws {
        try Self.image.writeLayout(to: folder.path + "/image")
        let archive = try pack()
        let whole = try Data(contentsOf: URL(fileURLWithPath: archive))
        // The end of the last file; what follows is zeros.
        let last = try #require(whole.lastIndex { $0 != 0 })
        for length in stride(from: 0, to: last, by: 512) {
            try whole.prefix(length).write(to: URL(fileURLWithPath: archive))
            #expect(!problem("image.tar").isEmpty, "of \(length) bytes")
        }
    }
}
