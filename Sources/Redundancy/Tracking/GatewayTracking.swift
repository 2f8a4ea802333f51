/// Which of several gateways a static route follows: the first, in the lab's order, that answers.
///
/// Each gateway is asked once an interval. A question without an answer until the next one is a miss; `misses` of them
/// in a row, or a link without carrier, make a gateway count as dead, and two answers in a row as alive again. While
/// none answers the route stays where it is: a route to nowhere helps nobody.
public struct GatewayTracking: Sendable {
    private struct Gateway {
        var isAlive = true
        var hasCarrier = true
        /// Sequence number of the latest question, and whether it was answered.
        var asked: UInt16 = 0
        var isAnswered = true
        /// Answers in a row that speak against the present state.
        var contrary = 0
    }

    private static let rise = 2
    private let misses: Int
    private var gateways: [Gateway]
    /// The place of the gateway in use.
    public private(set) var current = 0

    /// - Parameters:
    ///   - count: gateways, at least one; all count as alive at first
    ///   - misses: unanswered questions in a row after which a gateway is dead, at least one
    public init(count: Int, misses: Int) {
        precondition(count > 0 && misses > 0)
        self.misses = misses
        gateways = Array(repeating: Gateway(), count: count)
    }

    /// An interval has passed: judges the questions before, and gives the sequence numbers of the next ones.
    /// - Returns: one number for each gateway
    public mutating func ask() -> [UInt16] {
        for place in gateways.indices {
            note(gateways[place].isAnswered, of: place)
            gateways[place].asked &+= 1
            gateways[place].isAnswered = false
        }
        choose()
        return gateways.map(\.asked)
    }

    /// An answer came; one to an earlier question says nothing.
    public mutating func answered(_ place: Int, sequence: UInt16) {
        guard gateways.indices.contains(place), gateways[place].asked == sequence else { return }
        gateways[place].isAnswered = true
    }

    public mutating func carrier(of place: Int, isUp: Bool) {
        guard gateways[place].hasCarrier != isUp else { return }
        gateways[place].hasCarrier = isUp
        if !isUp {
            gateways[place].isAlive = false
            gateways[place].contrary = 0
        }
        choose()
    }

    private mutating func note(_ isAnswered: Bool, of place: Int) {
        guard isAnswered != gateways[place].isAlive else { return gateways[place].contrary = 0 }
        guard !isAnswered || gateways[place].hasCarrier else { return }
        gateways[place].contrary += 1
        guard gateways[place].contrary >= (isAnswered ? Self.rise : misses) else { return }
        gateways[place].isAlive = isAnswered
        gateways[place].contrary = 0
    }

    private mutating func choose() { current = gateways.firstIndex(where: \.isAlive) ?? current }
}
