internal import Glibc

/// One line on a terminal's standard error with the progress; nothing elsewhere.
enum BenchmarkProgress {
    static func show(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        let line = Array("\r\u{1b}[K\(text)".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
