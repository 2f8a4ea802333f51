/// Aligned columns with a heading, two spaces apart.
struct TextTable {
    enum Alignment {
        case left
        case right
    }

    struct Cell {
        var text: String
        var ink: Ink?

        init(_ text: String, _ ink: Ink? = nil) {
            self.text = text
            self.ink = ink
        }
    }

    private let headings: [(title: String, alignment: Alignment)]
    private var rows: [[Cell]] = []

    init(_ headings: [(title: String, alignment: Alignment)]) {
        self.headings = headings
    }

    mutating func add(_ row: [Cell]) {
        precondition(row.count == headings.count, "a row has a cell for every heading")
        rows.append(row)
    }

    /// Without spaces at the ends of lines.
    func lines(_ color: ColorMode) -> [String] {
        let all = [headings.map { Cell($0.title, .dim) }] + rows
        let widths = headings.indices.map { column in all.map { $0[column].text.count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.text.count)
                let painted = color.paint(cell.text, cell.ink)
                let isLast = column == row.count - 1
                line += headings[column].alignment == .right ? padding + painted : painted + (isLast ? "" : padding)
                if !isLast { line += "  " }
            }
            return line
        }
    }
}
