internal import Configuration
internal import Glibc
internal import LabFile
internal import LabRuntime
internal import Topology

/// Unpacks the container images of labs before anything of these is built, and reports what they cannot have.
enum ImagePreparation {
    static func prepare(_ variants: [Variant], of lab: Lab) throws {
        let nodes = variants.flatMap(\.nodes).filter { $0.image != nil }
        guard !nodes.isEmpty else { return }
        let cache = try ImageCache()
        var reported = Set<String>()
        func report(_ text: String) {
            if reported.insert(text).inserted { Console.complain("failoverlab: \(text)") }
        }
        for node in nodes {
            guard let image = node.image, let position = node.imagePosition else { continue }
            func mistake(_ text: String) -> Complaint {
                Complaint(text: "\(lab.error(text, at: position))", exitCode: 2)
            }
            do throws(LabFailure) {
                try cache.prepare(image, report: report)
            } catch {
                if error.kind == .usage { throw mistake(error.message) }
                throw error
            }
            for program in node.programs {
                guard let executable = program.command.first, !cache.has(executable, image) else { continue }
                throw mistake(
                    "the image '\(image.path)' has no '\(executable)', which program '\(program.name)' of '\(node.name)' runs"
                )
            }
            if !image.isRoots, geteuid() != 0 {
                report(
                    "the image '\(image.path)' runs as '\(image.user)', which an unprivileged user's lab does not have: in '\(node.name)' it runs as root of the node, and all its files are its own"
                )
            }
        }
    }
}
