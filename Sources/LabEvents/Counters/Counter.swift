/// A counter of a node, or several that differ in what stands for the words in angle brackets.
///
/// The raw values are the names in lab files and `counters.json`; they never change. `meaning` and `place` are beside
/// them in `Counter+Declaration.swift`.
public enum Counter: String, CaseIterable, Hashable, Sendable {
    // Frames in a dataplane: firewalls, load balancers, gateway firewalls, tunnel ends
    case receivedFromWire = "received.wire"
    case receivedFromHost = "received.host"
    case forwarded
    case toHost = "host.delivered"
    case fromHost = "host.sent"
    case made
    case arpAnswered = "arp.answered"
    case arpRequested = "arp.requested"
    case solicitationsAnswered = "discovery.answered"
    case solicitationsSent = "discovery.solicited"
    case neighborLearned = "neighbors.learned"
    case neighborChanged = "neighbors.changed"
    case icmpMade = "icmp.made"
    case icmpSuppressed = "icmp.suppressed"
    case icmpTranslated = "icmp.translated"
    case flowsCreated = "flows.created"
    case flowsExpired = "flows.expired"
    case flowsClosed = "flows.closed"
    case flowsRemoved = "flows.removed"
    case fragmented
    case tunnelWrapped = "tunnel.wrapped"
    case tunnelUnwrapped = "tunnel.unwrapped"
    case segmentSizeClamped = "segment-size.clamped"
    case carriedWithoutFlow = "flows.not-needed"
    case drop = "drop.<reason>"

    // The packet socket of a box
    case ioReceived = "io.received"
    case ioSent = "io.sent"
    case ioRingFull = "io.drop.ring-full"
    case ioControlChannelFull = "io.drop.conversation-full"
    case ioTooLong = "io.drop.too-long"
    case ioNoLink = "io.drop.no-link"
    case ioLinkDown = "io.drop.link-down"
    case ioNoBuffer = "io.drop.no-buffer"
    case ioRefused = "io.drop.refused"
    case ioForeign = "io.foreign"
    case ioChecksumsIncomplete = "io.checksum-incomplete"

    // Firewalls
    case sessions
    case sessionsOpened = "sessions.opened"
    case sessionsExpired = "sessions.expired"
    case sessionsLookups = "sessions.lookups"
    case sessionsOfApplication = "sessions.application.<application>"
    case sessionsOfCategory = "sessions.category.<category>"

    // Translation and application gateways of firewalls
    case natMappings = "nat.mappings"
    case natGranted = "nat.granted"
    case natPreserved = "nat.preserved"
    case natExhausted = "nat.exhausted"
    case natRetired = "nat.retired"
    case natAdopted = "nat.adopted"
    case natForeign = "nat.foreign"
    case natUnsolicited = "nat.unsolicited"
    case pinholes
    case pinholesOpened = "pinholes.opened"
    case pinholesAdopted = "pinholes.adopted"
    case pinholesUsed = "pinholes.used"
    case pinholesExpired = "pinholes.expired"
    case pinholesRefusedBounce = "pinholes.refused.bounce"
    case pinholesRefusedPrivilegedPort = "pinholes.refused.privileged-port"
    case pinholesRefusedTranslated = "pinholes.refused.translated"
    case pinholesUnasked = "pinholes.unasked"
    case pinholesMalformed = "pinholes.malformed"
    case pinholesUnread = "pinholes.unread"
    case pinholesNoRoom = "pinholes.no-room"

    // Fragments, of firewalls and gateway firewalls
    case fragmentsHeld = "fragments.held"
    case fragmentsDatagrams = "fragments.datagrams"
    case fragmentsEvicted = "fragments.evicted"

    // Firewalls with redundancy
    case heartbeatSent = "heartbeat.sent"
    case heartbeatReceived = "heartbeat.received"
    case heartbeatStale = "heartbeat.stale"
    case vrrpSent = "vrrp.sent"
    case vrrpReceived = "vrrp.received"
    case vrrpOtherRouter = "vrrp.other-router"
    case vrrpNotLocal = "vrrp.not-local"
    case arpAnnounced = "arp.announced"
    case syncRecordsSent = "sync.records-sent"
    case syncRecordsResent = "sync.records-resent"
    case syncRecordsAcknowledged = "sync.records-acknowledged"
    case syncMessagesUnderWay = "sync.messages-under-way"
    case syncSessionsNoted = "sync.sessions-noted"
    case syncRecordsApplied = "sync.records-applied"
    case syncRecordsRefused = "sync.records-refused"
    case syncStrangers = "sync.strangers"
    case syncUnconfirmed = "sync.unconfirmed"
    case syncRuleUnknown = "sync.rule-unknown"
    case syncRepeated = "sync.repeated"
    case syncHellos = "sync.greetings"
    case vrrpOverruled = "vrrp.overruled"
    case deferHeld = "defer.held"
    case deferExpired = "defer.expired"
    case deferNoRoom = "defer.no-room"
    case conduitForwarded = "conduit.forwarded"
    case conduitReturned = "conduit.returned"
    case conduitReceived = "conduit.received"
    case conduitDelivered = "conduit.delivered"
    case conduitTooBig = "conduit.too-big"
    case conduitWorker = "conduit.worker.<worker>"
    case vrrpDiscarded = "vrrp.discarded.<reason>"
    case syncDiscarded = "sync.discarded.<reason>"

    // Load balancers
    case neighbors
    case neighborsEvicted = "neighbors.evicted"
    case flows
    case mappings
    case snatPortsTaken = "snat.ports-taken"
    case servicePacketsToMembers = "service.<service>.packets-to-members"
    case servicePacketsToClients = "service.<service>.packets-to-clients"
    case membersUp = "service.<service>.members-up"
    case memberChosen = "service.<service>.member.<member>.chosen"
    case memberSessions = "service.<service>.member.<member>.sessions"

    // Gateway firewalls
    case states
    case statesCreated = "states.created"
    case statesExpired = "states.expired"
    case statesReused = "states.reused"
    case statesOutOfState = "states.misfits"
    case eventsSuppressed = "events.suppressed"

    // Switches
    case macAddresses = "mac.addresses"
    case macLearned = "mac.learned"
    case macMoved = "mac.moved"
    case macAged = "mac.aged"
    case macNotLearned = "mac.not-learned"
    case switchFlooded = "switch.flooded"
    case switchFiltered = "switch.filtered"

    // In-line elements
    case passed
    case faultDropped = "drop.fault"
    case faultOverflow = "fault.overflow"
    case elementQueueFull = "drop.queue-full"
    case faultMostHeld = "fault.most-held"
    case faultActed = "fault.<rule>"

    // A load balancer's host side
    case proxyAccepted = "proxy.<service>.accepted"
    case proxyOpen = "proxy.<service>.open"
    case proxyMemberFailures = "proxy.<service>.member-failures"
    case proxyUnserved = "proxy.<service>.unserved"
    case proxyOverLimit = "proxy.<service>.over-limit"
    case httpAccepted = "http.<service>.accepted"
    case httpOpen = "http.<service>.open"
    case httpOverLimit = "http.<service>.over-limit"
    case httpRequests = "http.<service>.requests"
    case httpServerConnections = "http.<service>.server-connections"
    case httpReused = "http.<service>.reused"
    case httpBusyPorts = "http.<service>.busy-ports"
    case httpAnswers = "http.<service>.answers-<class>"
    case httpFailed = "http.<service>.failed.<reason>"
    case httpTLSHandshakes = "http.<service>.tls-handshakes"
    case httpTLSFailed = "http.<service>.tls-failed.<reason>"

    // A host's kernel
    case kernel = "<group>.<name>"

    // What programs of a node report
    case program = "<program>/<name>"
}
