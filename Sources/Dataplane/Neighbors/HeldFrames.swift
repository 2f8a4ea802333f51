/// Copies of frames that wait for a neighbour's MAC address, in lists through a fixed number of places.
@usableFromInline
struct HeldFrames: ~Copyable {
    @usableFromInline
    struct Place: BitwiseCopyable {
        var length: Int32
        var next: UInt32
    }

    let capacity: Int
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let places: UnsafeMutablePointer<Place>
    private var freeHead: UInt32

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        bytes = .allocate(byteCount: capacity * FrameQueue.longestFrame, alignment: 64)
        places = .allocate(capacity: capacity)
        for place in 0..<capacity {
            places[place] = Place(length: 0, next: place + 1 < capacity ? UInt32(place + 1) : .max)
        }
        freeHead = 0
    }

    @inlinable
    deinit {
        bytes.deallocate()
        places.deallocate()
    }

    /// Copies a frame into a free place; nil where there is none or the frame is longer than a place.
    @usableFromInline
    mutating func store(_ frame: UnsafeRawBufferPointer) -> UInt32? {
        guard freeHead != .max, frame.count <= FrameQueue.longestFrame, let source = frame.baseAddress else {
            return nil
        }
        let place = freeHead
        freeHead = places[Int(place)].next
        places[Int(place)] = Place(length: Int32(truncatingIfNeeded: frame.count), next: .max)
        address(of: place).copyMemory(from: source, byteCount: frame.count)
        return place
    }

    /// The frame in a place that `store` gave.
    @usableFromInline
    func frame(in place: UInt32) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: address(of: place), count: Int(places[Int(place)].length))
    }

    @usableFromInline
    func next(after place: UInt32) -> UInt32 { places[Int(place)].next }

    @usableFromInline
    mutating func link(_ place: UInt32, to next: UInt32) { places[Int(place)].next = next }

    @usableFromInline
    mutating func release(_ place: UInt32) {
        places[Int(place)].next = freeHead
        freeHead = place
    }

    private func address(of place: UInt32) -> UnsafeMutableRawPointer { bytes + Int(place) * FrameQueue.longestFrame }
}
