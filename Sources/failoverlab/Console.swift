internal import CLinux
internal import Glibc

/// Standard output carries the answer and nothing else; progress and complaints go to standard error.
enum Console {
    /// An answer that cannot be written is not given: the command then ends with a code of its own.
    static func answer(_ text: String) {
        guard !write(text, to: STDOUT_FILENO) else { return }
        complain("failoverlab: standard output cannot be written: \(String(cString: strerror(errno)))")
        exit(3)
    }

    static func complain(_ text: String) {
        write(text.hasSuffix("\n") ? text : text + "\n", to: STDERR_FILENO)
    }

    /// Colour only where a person reads it and has not asked for none (no-color.org).
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
    static func write(_ text: String, to descriptor: Int32) -> Bool {
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
