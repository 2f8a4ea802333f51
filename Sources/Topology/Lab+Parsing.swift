public import LabFile

extension Lab {
    /// Reads a lab file's text, resolves every variant and validates it.
    /// - Parameters:
    ///   - path: how messages name the file
    ///   - seed: of all chance in it, instead of the file's own seeds
    /// - Throws: everything that is wrong with the file, as far as it can be found together
    public init(parsing text: String, path: String, seed: Int? = nil) throws(LabFileErrors) {
        try self.init(LabDocument(parsing: text, path: path), seed: seed)
    }

    /// Reads the lab file at `path`, or `lab.yaml` in the directory there.
    /// - Parameter isSaved: whether a run wrote it, of one variant: what no variant of a lab has is a mistake, what this one
    ///   lacks is none
    public init(path: String, seed: Int? = nil, isSaved: Bool = false) throws(LabFileErrors) {
        try self.init(LabDocument(path: path), seed: seed, isSaved: isSaved)
    }

    public init(_ document: LabDocument, seed: Int? = nil, isSaved: Bool = false) throws(LabFileErrors) {
        let reader = LabReader(folder: document.source.folder)
        let lab = LabReading(document, reader, seed: seed, isSaved: isSaved).read()
        if let lab, reader.errors.isEmpty {
            self = lab
        } else {
            throw LabFileErrors(reader.errors, in: document.source)
        }
    }
}
