import Glibc

/// Wireshark's own opinion on a capture file.
enum Tshark {
    struct Failure: Error {
        var text: String
    }

    /// Numbers of the frames that a display filter selects, with every checksum checked.
    static func frames(of path: String, matching filter: String) throws -> [Int] {
        let options = ["ip", "tcp", "udp"].map { "-o \($0).check_checksum:TRUE" }.joined(separator: " ")
        let command = "tshark -n -r '\(path)' \(options) -Y '\(filter)' -T fields -e frame.number 2>'\(path).log'"
        guard let stream = popen(command, "r") else { throw Failure(text: "cannot start tshark") }
        var bytes: [UInt8] = []
        while case let byte = getc(stream), byte != EOF { bytes.append(UInt8(byte)) }
        guard pclose(stream) == 0 else {
            throw Failure(text: String(decoding: TemporaryFolder.read(path + ".log"), as: UTF8.self))
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int($0) }
    }
}
