/// A topology drawn with characters:
///
/// ```
/// client ── outside ─┬── fw-a ─┬─┬── inside ── lb ── servers ── backend-1
///                    │         └─│┬─ cross-connect
///                    └── fw-b ─┬─┘│
///                              └──┘
/// ```
/// Between two columns, an item's lines fan out at its right and gather at the left of the other item. Every line has
/// a row of its own, so that none covers another; one that crosses passes behind (`│` is drawn in front of `─`).
struct TextDrawing {
    private let graph: TopologyGraph
    /// Each item's row.
    private var rows: [Int]
    /// For each line, from and to: its row.
    private var lines: [(from: Int, to: Int, row: Int)] = []
    private var height = 0

    init(_ graph: TopologyGraph) {
        self.graph = graph
        rows = Array(repeating: -1, count: graph.items.count)
        for root in graph.roots { height += place(root, at: height) }
    }

    /// Gives an item and what it reaches first their rows.
    /// - Returns: how many rows they take
    private mutating func place(_ item: Int, at row: Int) -> Int {
        rows[item] = row
        var next = row
        for other in graph.items[item].right {
            lines.append((item, other, next))
            next += rows[other] < 0 ? place(other, at: next) : 1
        }
        return max(1, next - row)
    }

    var text: String {
        var canvas = Canvas(height: height)
        var left = 0
        // The column behind each name.
        var ends = Array(repeating: 0, count: graph.items.count)
        for column in 0...(graph.items.map(\.column).max() ?? 0) {
            let here = graph.items.indices.filter { graph.items[$0].column == column }
            if column > 0 { left = drawChannel(to: here, from: left, after: ends, on: &canvas) }
            for item in here {
                canvas.write(graph.items[item].name, row: rows[item], column: left)
                ends[item] = left + graph.items[item].name.count
            }
            left += (here.map { graph.items[$0].name.count }.max() ?? 0) + 1
        }
        return canvas.text
    }

    /// The lines that lead to the items of one column. Within a channel every row has one line at most.
    /// - Returns: where the items stand
    private func drawChannel(to items: [Int], from left: Int, after ends: [Int], on canvas: inout Canvas) -> Int {
        let lines = lines.filter { items.contains($0.to) }
        let fans = Dictionary(grouping: lines, by: \.from).filter { $0.value.count > 1 }
        let gatherings = Dictionary(grouping: lines, by: \.to).filter { $0.value.count > 1 }
        let fan = left + 1
        let gather = fans.isEmpty ? left + 1 : left + 3
        let (places, width) = Self.places(of: gatherings.mapValues { $0.map(\.row) })
        let right = gather + width
        for (from, lines) in fans {
            canvas.join(lines.map(\.row), column: fan) { $0 == rows[from] ? [.left, .right] : .right }
        }
        for (to, lines) in gatherings {
            canvas.join(lines.map(\.row), column: gather + (places[to] ?? 0)) {
                $0 == rows[to] ? [.left, .right] : .left
            }
        }
        for line in lines {
            let name = rows[line.from] == line.row ? ends[line.from] + 1 : fan
            let end = rows[line.to] == line.row ? right : gather + (places[line.to] ?? 0)
            canvas.draw(line.row, from: name, to: end)
        }
        return right + 2
    }

    /// Columns for vertical lines, side by side where their rows overlap.
    private static func places(of rows: [Int: [Int]]) -> (places: [Int: Int], width: Int) {
        var taken: [[ClosedRange<Int>]] = []
        var places: [Int: Int] = [:]
        for (item, rows) in rows.sorted(by: { ($0.value.min()!, $0.key) < ($1.value.min()!, $1.key) }) {
            let range = rows.min()!...rows.max()!
            let place = taken.firstIndex { $0.allSatisfy { !$0.overlaps(range) } } ?? taken.count
            if place == taken.count { taken.append([]) }
            taken[place].append(range)
            places[item] = place
        }
        return (places, taken.count)
    }
}

/// Characters in rows and columns.
private struct Canvas {
    struct Directions: OptionSet, Hashable {
        let rawValue: Int
        static let left = Directions(rawValue: 1)
        static let right = Directions(rawValue: 2)
        static let up = Directions(rawValue: 4)
        static let down = Directions(rawValue: 8)
    }

    private var cells: [[Character]]

    init(height: Int) { cells = Array(repeating: [], count: height) }

    mutating func write(_ text: String, row: Int, column: Int) {
        for (offset, character) in text.enumerated() { set(character, row, column + offset) }
    }

    /// A vertical line that joins the lines of some rows.
    mutating func join(_ rows: [Int], column: Int, _ sides: (Int) -> Directions) {
        guard let first = rows.min(), let last = rows.max() else { return }
        for row in first...last {
            guard rows.contains(row) else {
                set("│", row, column)
                continue
            }
            var directions = sides(row)
            if row > first { directions.insert(.up) }
            if row < last { directions.insert(.down) }
            set(Self.characters[directions] ?? "┼", row, column)
        }
    }

    /// A horizontal line behind everything that is there.
    mutating func draw(_ row: Int, from: Int, to: Int) {
        for column in from...max(from, to) where column >= cells[row].count || cells[row][column] == " " {
            set("─", row, column)
        }
    }

    private mutating func set(_ character: Character, _ row: Int, _ column: Int) {
        while cells[row].count <= column { cells[row].append(" ") }
        cells[row][column] = character
    }

    var text: String {
        cells.map { row in
            String(row[..<((row.lastIndex { $0 != " " } ?? -1) + 1)]) + "\n"
        }.joined()
    }

    private static let characters: [Directions: Character] = [
        [.left, .right, .down]: "┬", [.left, .right, .up]: "┴", [.left, .right, .up, .down]: "┼",
        [.right, .up, .down]: "├", [.left, .up, .down]: "┤", [.right, .up]: "└", [.left, .up]: "┘",
        [.right, .down]: "┌", [.left, .down]: "┐", [.left, .right]: "─",
    ]
}
