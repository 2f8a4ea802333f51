import Configuration
import Foundation
import LabFile
import TestSupport
import Testing

@testable import Topology

/// Container images of nodes, as written.
@Suite struct NodeImageTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let image = TestImage(
        [[.init("srv/page")]],
        config: """
            {"Entrypoint":["/bin/server","-x"],"Cmd":["default"],"Env":["PATH=/bin","A=1"],"User":"web:web","WorkingDir":"/srv"}
            """)

    private func lab(_ node: String) throws -> Lab {
        let text = """
            schema: 1
            name: images
            networks: { lan: 192.0.2.0/24 }
            nodes:
              client: { role: client, interfaces: { lan: 192.0.2.10 } }
              web: { role: backend, interfaces: { lan: 192.0.2.20 }, \(node) }
            scenario: [{ wait: 1s }]
            """
        let path = folder.path + "/lab.yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return try Lab(path: path)
    }

    private func messages(_ node: String) throws -> [String] {
        do {
            _ = try lab(node)
            return []
        } catch let error as LabFileErrors {
            return error.errors.map { "\($0)" }
        }
    }

    @Test func `programs without a command line run the image's, and a run's own file needs no image`() throws {
        try Self.image.writeLayout(to: folder.path + "/images", tag: "a", others: [("b", Self.image)])
        let lab = try lab(
            """
            image: { from: images, tag: b, env: { A: 2 } }, \
            programs: { plain: , own: { args: [$web.lan.ip], ready: { tcp: 80 } }, other: { run: [sh] }, \
            haproxy: { listen: 81, config: "# none" } }
            """)
        let node = try #require(lab.variants[0].node(named: "web"))
        #expect(
            node.programs.map(\.command).prefix(3) == [
                ["/bin/server", "-x", "default"], ["/bin/server", "-x", "192.0.2.20"], ["sh"],
            ])
        #expect(node.programs[3].command.first == "haproxy")
        let image = try #require(node.image)
        #expect(image.environment == ["PATH=/bin", "A=2"] && image.workingFolder == "/srv" && !image.isRoots)
        #expect(image.path == folder.path + "/images" && image.tag == "b" && image.id.hasPrefix("sha256:"))
        #expect(node.sysctls.contains(Sysctl("net/ipv4/ip_unprivileged_port_start", "0")))

        try FileManager.default.removeItem(atPath: folder.path + "/images")
        let again = try #require(
            try Lab(parsing: lab.variants[0].resolvedYAML, path: "lab.yaml").variants[0].node(named: "web"))
        #expect(again.programs == node.programs && again.image == node.image)
    }

    @Test func `a node that names no program runs the image's as main, with what the lab says otherwise`() throws {
        try Self.image.writeLayout(to: folder.path + "/images")
        let node = try #require(
            try lab("image: { from: images, user: \"0\", directory: / }").variants[0].node(named: "web"))
        #expect(node.programs.map(\.name) == ["main"] && node.programs[0].command.first == "/bin/server")
        #expect(node.image?.isRoots == true && node.image?.workingFolder == "/" && node.sysctls.isEmpty)
    }

    @Test func `what is wrong with an image is reported at its place`() throws {
        try Self.image.writeLayout(to: folder.path + "/several", tag: "a", others: [("b", Self.image)])
        try TestImage([[.init("a")]]).writeLayout(to: folder.path + "/plain")
        try TestImage([[.init("a")]], architecture: "s390x").writeLayout(to: folder.path + "/foreign")
        let wrong = [
            ("image: nothing.tar", "6:65: the image 'nothing.tar' cannot be read: there is no such file"),
            (
                "image: ../x.tar",
                "6:65: the image '../x.tar' is outside the lab's folder; allowed: a path in the lab's folder, or an absolute one"
            ),
            ("image: /none", "6:65: the image '/none' does not exist"),
            (
                "image: lab.yaml",
                "6:65: the image 'lab.yaml' is neither an OCI layout nor an archive of an image"
            ),
            (
                "image: several",
                "6:65: the image 'several' has 2 images; allowed: { from: …, tag: a }, { from: …, tag: b }"
            ),
            (
                "image: { from: several, tag: c }",
                "6:73: the image 'several' has no image with the tag 'c'; allowed: a, b"
            ),
            (
                "image: foreign",
                "6:65: the image 'foreign' is for another architecture (s390x) than this host (\(TestImage.architecture)); allowed: skopeo copy --override-arch \(TestImage.architecture) …"
            ),
            (
                "image: plain",
                "6:65: the image '\(folder.path)/plain' names no command for 'main'; allowed: 'run' of the program"
            ),
            (
                "image: { from: plain, directory: srv }, programs: { a: { run: [sh] } }",
                "6:80: 'directory' of an image is 'srv'; allowed: an absolute path in the image"
            ),
            (
                "image: { from: plain, id: 'sha256:../../../tmp' }",
                "6:84: 'id' of an image is 'sha256:../../../tmp'; allowed: sha256: and 64 hexadecimal digits"
            ),
            (
                "image: { from: plain, id: 'sha256:\(String(repeating: "0", count: 64))' }",
                "6:84: the image 'plain' has another ID; allowed: sha256:"
            ),
            (
                "image: { form: plain }",
                "6:67: unknown key 'form' of an image; allowed: from, tag, id, user, directory, env; did you mean 'from'?"
            ),
            (
                "programs: { a: { args: [x] } }",
                "6:75: unknown key 'args' of a program; allowed: run, files, ready, package, scratch"
            ),
        ]
        for (node, message) in wrong {
            let found = try messages(node)
            #expect(found.contains { $0.hasPrefix(message) }, "\(node): \(found), not \(message)")
        }
    }
}
