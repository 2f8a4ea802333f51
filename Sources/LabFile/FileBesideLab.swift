internal import Glibc
internal import RegularFile

/// A text file in the lab's folder or below it.
public struct FileBesideLab: Sendable {
    public var text: String

    public static let maximumSize = 256 << 10

    public enum Problem: Error, Hashable, Sendable {
        /// Not in the lab's folder, or a link that leads out of it.
        case outside
        /// The lab is a text that is in no folder.
        case noFolder
        case unreadable(reason: String)
    }

    /// - Parameters:
    ///   - name: relative to the folder
    ///   - folder: absolute, without links
    public init(_ name: String, in folder: String) throws(Problem) {
        let found = try Self.path(of: name, in: folder)
        let bytes: [UInt8]
        do throws(RegularFile.Problem) {
            bytes = try RegularFile(found).bytes(most: Self.maximumSize)
        } catch {
            switch error {
            case .unreadable(let code):
                throw .unreadable(reason: String(cString: strerror(code)).lowercased())
            case .notRegular: throw .unreadable(reason: "it is not a regular file")
            case .tooLarge: throw .unreadable(reason: "it is larger than \(Self.maximumSize >> 10) KiB")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) else {
            throw .unreadable(reason: "it is not a text in UTF-8")
        }
        self.text = text
    }

    /// The absolute path of a file or folder in the lab's folder or below it.
    /// - Parameters:
    ///   - name: relative to the folder
    ///   - folder: absolute, without links
    package static func path(of name: String, in folder: String) throws(Problem) -> String {
        guard !folder.isEmpty else { throw .noFolder }
        guard !name.isEmpty, !name.hasPrefix("/"), !name.contains("\0"),
            !name.split(separator: "/").contains("..")
        else { throw .outside }
        let path = "\(folder)/\(name)"
        guard let real = realpath(path, nil) else {
            throw .unreadable(
                reason: errno == ENOENT ? "there is no such file" : String(cString: strerror(errno)).lowercased())
        }
        defer { free(real) }
        let found = String(cString: real)
        guard found.hasPrefix(folder == "/" ? "/" : folder + "/") else { throw .outside }
        return found
    }
}

extension FileBesideLab.Problem: CustomStringConvertible {
    /// Follows the file's name.
    public var description: String {
        switch self {
        case .outside: "is outside the lab's folder"
        case .noFolder: "cannot be found: this lab is in no folder"
        case .unreadable(let reason): "cannot be read: \(reason)"
        }
    }
}
