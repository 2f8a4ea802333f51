/// A detail of an event: a key of `details` in `events.jsonl`, and of `with` in a lab file.
public enum EventDetail: String, CaseIterable, Hashable, Sendable, Codable, CodingKeyRepresentable {
    case action, address, behind, bit, by, byte, checksums, client, command, connection, control, copies, copy, counter
    case destination
    case destinationPort = "destination-port"
    case differences, direction, done, events, exit, external, flow, frame, from, gateway, gateways, interface
    case leftOut = "left-out"
    case line, lost, mac
    case mappingsRetired = "mappings-retired"
    case member
    case membersUp = "members-up"
    case milliseconds, missing, mode, output, packet, peer, pool, profile, program, reason, refused, request, role, rule
    case serverTime = "server-time"
    case service, sessions
    case sessionsEnded = "sessions-ended"
    case sessionsRemoved = "sessions-removed"
    case shareIdeal = "share-ideal"
    case shareMoved = "share-moved"
    case snatAddress = "snat-address"
    case snatPort = "snat-port"
    case signal
    case source
    case sourcePort = "source-port"
    case state, states, timer, to, value, weight, what
}

/// The details of one event.
public typealias EventDetails = [EventDetail: String]

/// What a detail's text is.
public enum EventDetailType: String, CaseIterable, Hashable, Sendable {
    /// A sentence or part of one.
    case text
    /// What the lab, a program or a protocol calls something: a member, a state, a timer.
    case name
    /// A whole number.
    case number
    /// A number that may have decimals.
    case decimal
    /// Milliseconds with their unit: `5 ms`, `0.250 ms`
    case duration
    /// A percentage with one decimal: `33.4 %`
    case share
    /// An IPv4 or IPv6 address.
    case address
    /// An address with a port, or without one where the protocol has none: `10.0.0.1:80`, `[2001:db8::1]:80`
    case endpoint
    /// Two endpoints: `10.0.0.1:4000 -> 10.0.0.2:80`
    case flow
    /// An address with the length of its prefix.
    case network

    /// Whether a text has the form of the type.
    public func accepts(_ text: String) -> Bool {
        switch self {
        case .text: return true
        case .name: return !text.isEmpty && !text.contains("\n")
        case .number: return Int64(text) != nil || UInt64(text) != nil
        case .decimal: return Double(text) != nil
        case .duration: return text.hasSuffix(" ms") && (Double(text.dropLast(3)) ?? -1) >= 0
        case .share: return text.hasSuffix(" %") && (0...100).contains(Double(text.dropLast(2)) ?? -1)
        case .address: return Self.isAddress(text)
        case .endpoint: return Self.isEndpoint(text)
        case .flow:
            let words = text.split(separator: " ")
            guard let arrow = words.firstIndex(where: { $0 == "->" || $0 == ">" }), arrow > 0, arrow + 2 == words.count
            else { return false }
            return Self.isEndpoint(words[arrow - 1]) && Self.isEndpoint(words[arrow + 1])
        case .network:
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 2 && Self.isAddress(parts[0]) && UInt8(parts[1]) != nil
        }
    }

    private static func isIPv4Address(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func isAddress(_ text: some StringProtocol) -> Bool {
        isIPv4Address(text)
            || text.count { $0 == ":" } >= 2 && text.allSatisfy { $0.isHexDigit || $0 == "." || $0 == ":" }
    }

    private static func isEndpoint(_ text: some StringProtocol) -> Bool {
        if isAddress(text) { return true }
        guard let colon = text.lastIndex(of: ":"), UInt16(text[text.index(after: colon)...]) != nil else {
            return false
        }
        let address = text[..<colon]
        return isIPv4Address(address)
            || address.hasPrefix("[") && address.hasSuffix("]") && isAddress(address.dropFirst().dropLast())
    }
}
