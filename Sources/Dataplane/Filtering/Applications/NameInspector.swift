public import Wire

/// Reads the first payload of sessions: their application, and the category of the name that they ask for.
@usableFromInline
package struct NameInspector: ~Copyable {
    /// What names are sorted into.
    package var categories = CategoryTable()
    /// Where a name is written.
    @usableFromInline let buffer: UnsafeMutableRawBufferPointer

    init() { buffer = .allocate(byteCount: ApplicationReader.longestName, alignment: 1) }

    @inlinable deinit { buffer.deallocate() }

    /// - Parameters:
    ///   - proto: of the session
    ///   - port: the destination port of its originator's packets
    /// - Returns: the category is nil where the payload has no name
    @usableFromInline
    func read(
        _ payload: UnsafeRawBufferPointer, _ proto: IPProtocol, to port: UInt16
    ) -> (Application, category: UInt16?) {
        let reading = ApplicationReader.read(payload, proto, to: port, name: buffer)
        guard reading.nameLength > 0 else { return (reading.application, nil) }
        let name = UnsafeRawBufferPointer(rebasing: buffer[..<reading.nameLength])
        return (reading.application, categories.category(of: name))
    }
}
