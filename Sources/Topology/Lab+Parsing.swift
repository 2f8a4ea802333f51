public import LabFile

extension Lab {
    /// Reads a lab file's text, resolves every variant and validates it.
    /// - Parameter path: how messages name the file
    /// - Throws: everything that is wrong with the file, as far as it can be found together
    public init(parsing text: String, path: String) throws(LabFileErrors) {
        try self.init(LabDocument(parsing: text, path: path))
    }

    /// Reads the lab file at `path`, or `lab.yaml` in the directory there.
    public init(path: String) throws(LabFileErrors) {
        try self.init(LabDocument(path: path))
    }

    public init(_ document: LabDocument) throws(LabFileErrors) {
        let reader = LabReader(folder: document.source.folder)
        let lab = LabReading(document, reader).read()
        if let lab, reader.errors.isEmpty {
            self = lab
        } else {
            throw LabFileErrors(reader.errors, in: document.source)
        }
    }
}
