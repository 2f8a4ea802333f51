public import Dataplane

/// What replication remembers of each place of a store, in memory of fixed size beside the store's own.
///
/// A mark is written when its place is taken, and left as it is when that becomes free.
@usableFromInline
struct PlaceMarks<Mark: BitwiseCopyable>: ~Copyable {
    @usableFromInline let marks: UnsafeMutablePointer<Mark>
    @usableFromInline let capacity: Int

    /// - Parameter capacity: places of the store; 0: none is remembered
    init(capacity: Int) {
        self.capacity = capacity
        marks = TableMemory.allocate(max(1, capacity))
    }

    // Marks are BitwiseCopyable: there is nothing to deinitialise.
    @inlinable deinit { marks.deallocate() }

    @inlinable func has(_ place: FlowIndex) -> Bool { Int(place.rawValue) < capacity }

    /// - Precondition: `has(place)`, and a mark was set since something came to be there
    @inlinable
    subscript(place: FlowIndex) -> Mark {
        unsafeAddress {
            precondition(Int(place.rawValue) < capacity)
            return UnsafePointer(marks + Int(place.rawValue))
        }
        unsafeMutableAddress {
            precondition(Int(place.rawValue) < capacity)
            return marks + Int(place.rawValue)
        }
    }
}
