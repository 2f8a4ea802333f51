internal import ArgumentParser
internal import Topology

struct Graph: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draws a lab's topology; builds nothing.",
        discussion: "For a picture: failoverlab graph LAB --format dot | dot -Tsvg > lab.svg")

    @Argument(help: "The lab's folder, file or name.")
    var lab: String

    @Option(help: "The variant (default: the first one).")
    var variant: String?

    @Option(
        help: "\(DrawingFormat.allCases.map(\.rawValue).joined(separator: ", "))",
        transform: {
            guard let format = DrawingFormat(rawValue: $0) else {
                let formats = DrawingFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no format '\($0)'; there are \(formats)")
            }
            return format
        })
    var format = DrawingFormat.text

    func run() throws {
        let variant = try VariantSelection.variant(variant, of: LabArgument.load(lab))
        Console.answer(variant.drawing(as: format))
    }
}
