import Dataplane

/// What replication remembers of each place of a store, in memory of fixed size beside the store's own.
///
/// A mark is written when its place is taken, and left as it is when that becomes free.
struct PlaceMarks<Mark: BitwiseCopyable>: ~Copyable {
    private let marks: UnsafeMutablePointer<Mark>
    private let capacity: Int

    /// - Parameter capacity: places of the store; 0: none is remembered
    init(capacity: Int) {
        self.capacity = capacity
        marks = TableMemory.allocate(max(1, capacity))
    }

    // Marks are BitwiseCopyable: there is nothing to deinitialise.
    deinit { marks.deallocate() }

    func has(_ place: FlowIndex) -> Bool { Int(place.rawValue) < capacity }

    /// - Precondition: `has(place)`, and a mark was set since something came to be there
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
