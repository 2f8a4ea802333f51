internal import CMemory

/// Memory of tables, which is searched at random.
@usableFromInline
package enum TableMemory {
    /// From this size on, huge pages are worth their alignment.
    private static let hugeFrom = 4 << 20
    private static let hugePage = 2 << 20

    /// Uninitialised memory for so many elements, to be given back by `deallocate`.
    @usableFromInline
    package static func allocate<Element: BitwiseCopyable>(_ count: Int, of type: Element.Type = Element.self)
        -> UnsafeMutablePointer<Element>
    {
        let bytes = count * MemoryLayout<Element>.stride
        guard bytes >= hugeFrom else { return .allocate(capacity: count) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: hugePage)
        cm_advise_huge_pages(memory, bytes)
        return memory.bindMemory(to: Element.self, capacity: count)
    }

    /// A cache line that is looked at soon.
    @usableFromInline
    static func prefetch(_ address: UnsafeRawPointer) { cm_prefetch(address) }
}
