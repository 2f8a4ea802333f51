/// Bytes of a message written as hexadecimal lines; what follows `//` on a line is its label.
func messageBytes(_ text: String) -> [UInt8] {
    text.split(separator: "\n").flatMap { line in
        line.prefix { $0 != "/" }.split(separator: " ").map { UInt8($0, radix: 16)! }
    }
}
