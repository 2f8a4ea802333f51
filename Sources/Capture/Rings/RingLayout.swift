/// The blocks of a packet ring.
struct RingLayout: Hashable, Sendable {
    /// A power of two, whole pages.
    var blockSize: Int
    var blockCount: Int

    var size: Int { blockSize * blockCount }

    /// Blocks of so many frames are handed over late enough, and read soon enough.
    private static let largestBlock = 256 << 10
    /// A block that holds any frame is handed over after the block timeout, so this many bear a reader that is late by as
    /// many timeouts.
    private static let fewestBlocks = 16
    private static let page = 4096
    /// Headers of a block and of a frame, and their padding. A frame that does not fit into a block is cut by the
    /// kernel.
    private static let overhead = 256

    /// - Parameters:
    ///   - size: bytes of all blocks together, about
    ///   - longestFrame: bytes, with its Ethernet header
    init(size: Int, longestFrame: Int) {
        var block = Self.page
        while block * 2 <= min(size / Self.fewestBlocks, Self.largestBlock) { block *= 2 }
        while block < longestFrame + Self.overhead { block *= 2 }
        blockSize = block
        blockCount = max(size / block, Self.fewestBlocks / 4)
    }

    /// How large the rings of a session are: each by its number of interfaces, all together as the settings have it.
    /// - Parameter interfaces: of each ring
    static func sizes(interfaces: [Int], _ settings: CaptureSettings) -> [Int] {
        let all = max(1, interfaces.reduce(0, +))
        let each = min(max(settings.memory / all, CaptureSettings.smallestRing), settings.ringSize)
        return interfaces.map { min($0 * each, max(each, CaptureSettings.largestRing)) }
    }
}
