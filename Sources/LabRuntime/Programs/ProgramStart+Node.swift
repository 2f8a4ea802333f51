internal import Configuration
internal import Topology

extension ProgramStart {
    /// Of a program or a command of a node, in its folder.
    /// - Throws: where the host lacks the executable
    init(
        _ program: ProgramConfiguration, of node: String, folder: String, image: NodeImage?
    ) throws(LabFailure) {
        self.init(
            name: "\(node).\(program.name)", executable: try Self.executable(of: program.command, image: image),
            command: program.command.map { $0.inFolder(folder) }, folder: folder, scratch: program.scratch,
            keepsUser: program.keepsUser, image: image)
    }

    /// Of a command of a node, without a folder of its own.
    /// - Throws: where the host lacks the executable
    init(_ words: [String], name: String, of node: Node, image: NodeImage?) throws(LabFailure) {
        self.init(
            name: "\(node.name).\(name)", executable: try Self.executable(of: words, image: image), command: words,
            folder: nil, sharesRun: !node.programs.isEmpty, scratch: [], image: image)
    }

    private static func executable(of words: [String], image: NodeImage?) throws(LabFailure) -> String {
        guard let executable = words.first.flatMap({ image == nil ? Executable.file(of: $0) : $0 }) else {
            throw LabFailure(.lab, "'\(words.first ?? "")' is not installed")
        }
        return executable
    }
}
