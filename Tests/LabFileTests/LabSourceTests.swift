import Glibc
import Testing

@testable import LabFile

/// A folder that is removed when the test ends.
private final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/failoverlab-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CancellationError() }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    func write(_ bytes: [UInt8], to name: String) {
        guard let file = fopen(path + "/" + name, "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    deinit {
        unlink(path + "/lab.yaml")
        rmdir(path)
    }
}

private func message(reading path: String) -> String {
    do {
        let source = try LabSource(reading: path)
        return "read \(source.path): \(source.text)"
    } catch {
        return "\(error)"
    }
}

@Suite struct `Reading a lab file` {
    @Test func `finds lab.yaml in a folder`() throws {
        let folder = try TemporaryFolder()
        folder.write(Array("a: ü\n".utf8), to: "lab.yaml")
        #expect(message(reading: folder.path + "/") == "read \(folder.path)/lab.yaml: a: ü\n")
    }

    @Test func `reports that there is no file, or no lab.yaml in the folder`() throws {
        let folder = try TemporaryFolder()
        #expect(message(reading: folder.path) == "\(folder.path): is a directory without a lab.yaml")
        #expect(
            message(reading: folder.path + "/x.yaml") == "\(folder.path)/x.yaml: cannot be read: there is no such file")
        #expect(message(reading: "/dev/zero") == "/dev/zero: is not a regular file")
        // A FIFO without a writer, for which an ordinary open would wait.
        #expect(mkfifo(folder.path + "/lab.yaml", 0o600) == 0)
        #expect(message(reading: folder.path) == "\(folder.path)/lab.yaml: is not a regular file")
    }

    @Test func `refuses bytes that are no UTF-8, and too many of them`() throws {
        let folder = try TemporaryFolder()
        folder.write([0x61, 0x3a, 0x20, 0xff, 0xfe], to: "lab.yaml")
        #expect(message(reading: folder.path) == "\(folder.path)/lab.yaml: is not a text file in UTF-8")
        folder.write([UInt8](repeating: 0x23, count: LabDocument.maximumSize + 1), to: "lab.yaml")
        #expect(
            message(reading: folder.path) == "\(folder.path)/lab.yaml: is larger than 1 MiB; that is not a lab file")
    }
}

@Suite struct `A message about a lab file` {
    @Test func `counts what it does not show, and shows mistakes in the order of the file`() {
        let errors = (1...14).reversed().map { LabFileError(at: SourcePosition(line: $0, column: 1), "mistake \($0)") }
        let text = String(repeating: "x\n", count: 14)
        let lines = "\(LabFileErrors(errors, in: LabSource(path: "lab.yaml", text: text)))".split(separator: "\n")
        #expect(lines.count == 31)
        #expect(lines.first == "lab.yaml:1:1: mistake 1")
        #expect(lines.last == "lab.yaml: 4 more like these")
    }

    @Test func `shows of a long line what is around the place`() {
        let text = String(repeating: "a", count: 500) + "!" + String(repeating: "b", count: 500)
        let error = LabFileError(at: SourcePosition(line: 1, column: 501), "odd")
        let lines = "\(LabFileErrors([error], in: LabSource(path: "x", text: text)))".split(separator: "\n").map(
            String.init)
        #expect(lines[1].count <= 122)
        #expect(Array(lines[1])[lines[2].count - 1] == "!")
    }
}
