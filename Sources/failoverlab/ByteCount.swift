internal import ArgumentParser

/// A size on the command line: `500M`, `2G`, `1048576`. K, M, G and T are powers of 1024, as in `du -h` and `tcpdump -C`.
struct ByteCount: ExpressibleByArgument, CustomStringConvertible {
    var bytes: Int

    private static let units: [(letter: Character, shift: Int)] = [("T", 40), ("G", 30), ("M", 20), ("K", 10)]

    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        var digits = argument[...]
        for suffix in ["iB", "B"] where digits.hasSuffix(suffix) && digits.count > suffix.count {
            digits = digits.dropLast(suffix.count)
            break
        }
        var shift = 0
        if let unit = Self.units.first(where: { $0.letter == Character(digits.suffix(1).uppercased()) }) {
            shift = unit.shift
            digits = digits.dropLast()
        }
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits) else {
            return nil
        }
        let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !isTooLarge else { return nil }
        self.bytes = bytes
    }

    /// `1.5 GiB`
    var description: String {
        guard let unit = Self.units.first(where: { bytes >= 1 << $0.shift }) else { return "\(bytes) bytes" }
        let tenths = Int((Double(bytes) / Double(1 << unit.shift) * 10).rounded())
        return (tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)") + " \(unit.letter)iB"
    }

    /// As it is typed: `2G`
    var defaultValueDescription: String {
        guard let unit = Self.units.first(where: { bytes % (1 << $0.shift) == 0 && bytes > 0 }) else {
            return "\(bytes)"
        }
        return "\(bytes >> unit.shift)\(unit.letter)"
    }
}

extension ByteCount {
    static let captureLimitOfRun = ByteCount(bytes: 2 << 30)
    static let captureLimitOfUp = ByteCount(bytes: 1 << 30)
    private static let captureLimits = (1 << 16)...(1 << 50)

    /// A limit below which not even the files' headers fit, or above any disk, is a mistake.
    func checkCaptureLimit() throws {
        guard Self.captureLimits.contains(bytes) else {
            throw ValidationError("--capture-limit takes a size from 64K to 1024T, such as 500M or 2G")
        }
    }
}
