import LabFile

/// What names may look like.
enum NameRule {
    /// Names that become interfaces: the kernel's IFNAMSIZ is 16 with the final zero.
    case interface
    /// Names that become folders, events and words of a report.
    case word

    var maximumLength: Int { self == .interface ? 15 : 63 }

    /// Reports what is wrong with a name; true where nothing is.
    func check(_ name: String, _ what: String, at position: SourcePosition, _ reader: LabReader) -> Bool {
        guard let (problem, allowed) = problem(of: name, what) else { return true }
        reader.report(problem, at: position, allowed: [allowed])
        return false
    }

    /// What is wrong with a name, and what is allowed; nil where nothing is wrong.
    func problem(of name: String, _ what: String) -> (problem: String, allowed: String)? {
        guard name.utf8.count <= maximumLength else {
            return (
                "the name '\(LabValue.shortened(name))' of \(what) has \(name.utf8.count) characters",
                "at most \(maximumLength)" + (self == .interface ? ", as an interface's name in the kernel" : "")
            )
        }
        let letters = "abcdefghijklmnopqrstuvwxyz"
        let first = self == .interface ? letters : letters + "0123456789"
        guard let head = name.first, first.contains(head),
            name.allSatisfy({ (letters + "0123456789-_").contains($0) })
        else {
            return (
                "'\(LabValue.shortened(name))' cannot be the name of \(what)",
                "lower-case letters, digits, '-' and '_'" + (self == .interface ? ", with a letter first" : "")
            )
        }
        return nil
    }

    /// Interfaces that every namespace, or every box, has already.
    static func isReservedInterface(_ name: String) -> Bool {
        name == "lo" || name == "all" || name == "default"
            || (name.hasPrefix("host") && name.dropFirst(4).allSatisfy(\.isNumber) && name.count > 4)
    }
}
