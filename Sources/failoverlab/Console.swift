internal import CLinux
internal import Glibc
internal import Report

/// Standard output carries the answer and nothing else; progress and complaints go to standard error.
///
/// Every text that this command prints passes here, and what a lab, a node or another user wrote in it cannot control
/// the terminal.
enum Console {
    /// If the answer cannot be written, the command ends with a code of its own.
    static func answer(_ text: String) { answer(report: VisibleText.block(text)) }

    /// One line of a list, whatever its words have in them.
    static func answer(line: String) { answer(report: VisibleText.line(line) + "\n") }

    /// A report in one of the forms that are made visible as they are made, with colours of its own.
    static func answer(report: String) {
        guard !write(report, to: STDOUT_FILENO) else { return }
        complain("failoverlab: standard output cannot be written: \(String(cString: strerror(errno)))")
        exit(3)
    }

    static func complain(_ text: String) {
        let text = VisibleText.block(text)
        write(text.hasSuffix("\n") ? text : text + "\n", to: STDERR_FILENO)
    }

    /// Replaces the terminal's current line on standard error.
    static func progress(_ line: String) { write("\r\u{1b}[K" + VisibleText.line(line), to: STDERR_FILENO) }

    /// Colour only on a terminal, and not with `NO_COLOR` (no-color.org).
    static func hasColor(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1 else { return false }
        if let value = getenv("NO_COLOR"), value.pointee != 0 { return false }
        return getenv("TERM").map { String(cString: $0) != "dumb" } ?? false
    }

    /// Columns of a terminal; a usual width elsewhere.
    static func width(of descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
        return Int(size.ws_col)
    }

    /// - Returns: whether all of it was written
    @discardableResult
    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var offset = 0
            while offset < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                offset += count
            }
            return true
        }
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
