package import Appliances
package import Configuration
package import LabEvents
package import Wire

/// A role's configuration, and what the rest of failoverlab asks of it. Who asks does not know which role it is.
///
/// The type is named by the role's line in `RoleForms`. A role whose process runs more than its box also conforms to
/// `ProcessRole`, in `LabRuntime`.
package protocol ResolvedRole: Hashable, Sendable, Codable {
    /// Its name in a run's files and in messages between processes: it stays.
    static var key: String { get }
    /// Whether it is a box: an appliance with a wire side and a host side.
    static var isBox: Bool { get }

    /// The lab file's word.
    var word: String { get }
    /// What a node reports events as, besides its kernel. A scenario never begins to wait before an element or a tunnel is ready, so these
    /// are not among them.
    func eventReporters(of node: Node) -> [EventReporter]
    /// The counters that its process reports, those of its sockets excepted.
    func counterScope(of node: Node) -> CounterScope
    /// Makes the role's box.
    /// - Returns: nil of a role without one
    /// - Throws: what in the configuration the box refuses, or what the use throws
    func make<Use: BoxUse>(of node: Node, for use: Use) throws -> Use.Result?

    // MARK: In captures

    /// Of frames that it takes besides those to its interfaces' own addresses.
    var virtualAddresses: [MACAddress] { get }
    /// Whether what leaves one of its interfaces has entered by another: it answers for nobody.
    var passesFrames: Bool { get }
    /// Whether it forwards frames to any MAC address: it joins its networks at layer 2.
    var joinsNetworks: Bool { get }
    /// The port by which it passes packets to a peer that forwards them in its place.
    var conduitPort: String? { get }

    // MARK: Beside its interfaces

    /// Whether its kernel forwards packets.
    var forwardsInKernel: Bool { get }
    /// Further addresses of its host side, each with the reason.
    var hostSideAddresses: [(address: IPAddress, reason: String)] { get }
    /// What traffic can name as `node/service`.
    var virtualServices: [VirtualServiceConfiguration] { get }
}

extension ResolvedRole {
    package var virtualAddresses: [MACAddress] { [] }
    package var passesFrames: Bool { Self.isBox }
    package var joinsNetworks: Bool { false }
    package var conduitPort: String? { nil }
    package var forwardsInKernel: Bool { false }
    package var hostSideAddresses: [(address: IPAddress, reason: String)] { [] }
    package var virtualServices: [VirtualServiceConfiguration] { [] }

    fileprivate var hashable: AnyHashable { AnyHashable(self) }
}

/// What a role's box is made for: a trial while the lab is read, or its run in the node's process.
package protocol BoxUse {
    associatedtype Result

    /// Entries of the box's tables; nil for as many as the box has by itself.
    var capacity: Int? { get }

    /// - Parameter ports: the names of its interfaces, in the order of the box's ports
    func use<Box: Appliance & ~Copyable>(_ box: consuming Box, ports: [String]) throws -> Result
}

extension Node {
    /// What a node is: the configuration of a role.
    public struct Role: Sendable {
        package var configuration: any ResolvedRole

        package init(_ configuration: any ResolvedRole) { self.configuration = configuration }

        /// The lab file's word.
        public var word: String { configuration.word }
    }
}

extension Node.Role: Hashable {
    public static func == (one: Self, other: Self) -> Bool {
        one.configuration.hashable == other.configuration.hashable
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(configuration.hashable) }
}

/// `{ "firewall": { "_0": … } }`, as in the files of all earlier versions.
extension Node.Role: Codable {
    private struct Key: CodingKey {
        static let value = Key(stringValue: "_0")

        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        guard values.allKeys.count == 1, let key = values.allKeys.first,
            let type = RoleForms.configurations[key.stringValue]
        else {
            let names = values.allKeys.map(\.stringValue).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(names)' is no role"))
        }
        configuration = try values.nestedContainer(keyedBy: Key.self, forKey: key).decode(type, forKey: .value)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        let key = Key(stringValue: type(of: configuration).key)
        var value = values.nestedContainer(keyedBy: Key.self, forKey: key)
        try value.encode(configuration, forKey: .value)
    }
}
