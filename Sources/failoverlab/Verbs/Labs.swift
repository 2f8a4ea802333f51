internal import ArgumentParser
internal import LabFile
internal import Topology

struct Labs: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the catalogue of labs with their variants.")

    @Option(help: "The catalogue's folder.")
    var folder = LabCatalogue.shippedFolder

    func run() throws {
        let labs = LabCatalogue(folder: folder).entries
        if labs.isEmpty { Console.complain("There are no labs in '\(folder)'.") }
        for entry in labs {
            let lab = try LabArgument.load(entry.path)
            Console.answer(line: entry.name)
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
