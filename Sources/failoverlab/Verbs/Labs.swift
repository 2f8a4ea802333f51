internal import ArgumentParser
internal import Topology

struct Labs: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the catalogue of labs with their variants.")

    @Option(help: "The catalogue's folder.")
    var folder = Catalogue.folder

    func run() throws {
        let labs = Catalogue.labs(in: folder)
        if labs.isEmpty { Console.complain("There are no labs in '\(folder)'.") }
        for (name, path) in labs {
            let lab = try LabArgument.load(path)
            Console.answer(line: name)
            Console.answer(line: "  \(lab.title)")
            if let reference = lab.reference { Console.answer(line: "  \(reference)") }
            let width = lab.variants.map(\.name.count).max() ?? 0
            for variant in lab.variants {
                let title =
                    (variant.title == variant.name ? "" : "  \(variant.title)")
                    + (variant.isOnRequest ? "  (on request)" : "")
                Console.answer(
                    line: "    \(variant.name.padded(to: width))  \(variant.shows.rawValue.padded(to: 7))\(title)")
            }
        }
    }
}
