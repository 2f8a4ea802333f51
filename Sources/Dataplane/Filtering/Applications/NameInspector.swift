import Wire

/// Reads the first payload of sessions: their application, and the category of the name that they ask for.
package struct NameInspector: ~Copyable {
    /// What names are sorted into.
    package var categories = CategoryTable()
    /// Where a name is written.
    private let buffer: UnsafeMutableRawBufferPointer

    init() { buffer = .allocate(byteCount: ApplicationReader.longestName, alignment: 1) }

    deinit { buffer.deallocate() }

    /// - Parameter flow: the originator's
    /// - Returns: the category is nil where the payload has no name
    func read(_ payload: UnsafeRawBufferPointer, _ flow: FiveTuple) -> (Application, category: UInt16?) {
        let reading = ApplicationReader.read(payload, flow, name: buffer)
        guard reading.nameLength > 0 else { return (reading.application, nil) }
        let name = UnsafeRawBufferPointer(rebasing: buffer[..<reading.nameLength])
        return (reading.application, categories.category(of: name))
    }
}
