/// Several datagrams at once from one socket, as a resolver asks for A and AAAA.
enum Burst {
    static let key = TrafficKey(
        "burst", usual: "1", "datagrams that are sent at once, from one socket, for each request")
    static let numbers = 1...64

    /// nil where the program sends one at a time.
    static func read(_ written: some WrittenTraffic) -> Int? {
        written.integer(key.name, in: numbers).flatMap { $0 == 1 ? nil : $0 }
    }
}
