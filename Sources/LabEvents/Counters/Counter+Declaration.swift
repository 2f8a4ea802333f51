extension Counter {
    /// The sentence about the counter, with its words in angle brackets; `<meaning>` is its reason's.
    public var meaning: String {
        switch self {
        case .receivedFromWire: "Frames that arrived on links."
        case .receivedFromHost: "Frames that the box's own kernel sent."
        case .forwarded: "Frames that left by a link after routing or translation."
        case .toHost: "Frames handed to the box's own kernel."
        case .fromHost: "Frames of the box's own kernel that left by a link."
        case .made:
            "Frames that the dataplane made itself: ARP, ICMP, released copies of held frames, protocol messages."
        case .arpAnswered: "ARP requests for addresses of the box that were answered."
        case .arpRequested: "ARP requests that the dataplane sent."
        case .solicitationsAnswered: "IPv6 neighbour solicitations for addresses of the box that were answered."
        case .solicitationsSent: "IPv6 neighbour solicitations that the dataplane sent."
        case .neighborLearned: "Neighbours whose MAC address became known."
        case .neighborChanged: "Neighbours whose MAC address became another one."
        case .icmpMade: "ICMP errors that the dataplane sent."
        case .icmpSuppressed: "ICMP errors that were not sent: the limit was reached, or RFC 1122 forbids one."
        case .icmpTranslated: "ICMP errors about translated flows that were translated on their way."
        case .flowsCreated: "Flows that were created."
        case .flowsExpired: "Flows forgotten because no packet came for their idle time."
        case .flowsClosed: "TCP flows forgotten because both sides finished or one reset."
        case .flowsRemoved: "Flows removed because their pool member went down."
        case .fragmented: "Packets that exceeded the MTU of their port and left in fragments."
        case .tunnelWrapped: "Packets that left in a tunnel."
        case .tunnelUnwrapped: "Packets that came out of a tunnel."
        case .segmentSizeClamped: "SYNs whose announced segment size was lowered to what fits a tunnel."
        case .carriedWithoutFlow:
            "Packets of direct server return that went to the member of their hash without a flow: there was no room for one, or the packet opens none."
        case .drop: "<meaning>"
        case .ioReceived: "Frames that arrived at the box's ports."
        case .ioSent: "Frames that left the box's ports."
        case .ioRingFull:
            "Frames that arrived while the box had not yet taken the earlier ones: it was too slow, or it hung."
        case .ioControlChannelFull:
            "Frames of the peer's conversation that arrived while the box had not yet taken the earlier ones."
        case .ioTooLong:
            "Frames longer than the port's MTU allows; where any arrive, a veth end has segmentation offload on."
        case .ioNoLink: "Frames for the host side of a port that has none."
        case .ioLinkDown: "Frames for a port whose interface is down."
        case .ioNoBuffer:
            "Frames that the kernel did not take at once: a queue was full, or the link's far end was down."
        case .ioRefused: "Frames that the kernel refused for another reason."
        case .ioForeign: "Frames on interfaces of the namespace that are no port of the box; they are left alone."
        case .ioChecksumsIncomplete:
            "Frames whose checksum the sender left to hardware: a veth end has checksum offload on."
        case .sessions: "Sessions known at the moment."
        case .sessionsOpened: "Sessions opened by packets that passed here."
        case .sessionsExpired: "Sessions forgotten because no packet came."
        case .sessionsLookups: "Packets for which a session was looked up."
        case .sessionsOfApplication: "Sessions known at the moment whose first payload was that of <application>."
        case .sessionsOfCategory: "Sessions known at the moment that ask for a name of the category <category>."
        case .natMappings: "Mappings at the moment."
        case .natGranted: "Mappings that this box made."
        case .natPreserved: "Of these, the ones that kept their port."
        case .natExhausted: "Mappings refused because the pool had no port left."
        case .natRetired:
            "Mappings whose pool is gone, or has their address or port no longer; they live as long as their sessions."
        case .natAdopted: "Mappings learned from the peer."
        case .natForeign:
            "Sessions of the peer whose external address is none of this box's, an interface's own for instance."
        case .natUnsolicited: "SYNs from outside that wait six seconds for their answer."
        case .pinholes: "Pinholes that wait for their connection."
        case .pinholesOpened: "Pinholes opened by announcements that passed here."
        case .pinholesAdopted: "Pinholes learned from the peer."
        case .pinholesUsed: "Pinholes whose connection came."
        case .pinholesExpired: "Pinholes whose connection did not come in time."
        case .pinholesRefusedBounce:
            "Segments dropped because they announce an address that is not their sender's (RFC 2577)."
        case .pinholesRefusedPrivilegedPort: "Segments dropped because they announce a port below 1024 (RFC 2577)."
        case .pinholesRefusedTranslated:
            "Segments dropped because their sender stands behind a mapping, and the other side could not reach what they announce."
        case .pinholesUnasked: "Replies that announce what nobody asked for; they opened nothing."
        case .pinholesMalformed: "Announcements that cannot be read; they opened nothing."
        case .pinholesUnread:
            "New segments of control connections that do not begin or do not end with a line; they opened nothing."
        case .pinholesNoRoom: "Announcements, or control connections to be read, for which there was no room."
        case .fragmentsHeld: "Fragments that wait for the first of their datagram."
        case .fragmentsDatagrams: "Datagrams whose fragments are told apart."
        case .fragmentsEvicted: "Datagrams whose fragments were forgotten early, because newer ones needed the place."
        case .heartbeatSent: "Heartbeats sent on the cross-connect."
        case .heartbeatReceived: "Heartbeats of the peer."
        case .heartbeatStale: "Heartbeats that a later one had overtaken; they changed nothing."
        case .vrrpSent: "Advertisements sent."
        case .vrrpReceived: "Valid advertisements for a virtual router of this box."
        case .vrrpOtherRouter: "Advertisements of virtual routers that are not this box's."
        case .vrrpNotLocal: "Advertisements not sent to the VRRP group with time to live 255."
        case .arpAnnounced: "Gratuitous ARP announcements of virtual addresses."
        case .syncRecordsSent: "Session records sent to the peer."
        case .syncRecordsResent: "Session records sent again because no acknowledgement came."
        case .syncRecordsAcknowledged: "Session records that the peer has consumed."
        case .syncMessagesUnderWay:
            "Messages with session records that wait at the moment for the peer to consume them; at most 64."
        case .syncSessionsNoted: "Sessions with news that wait at the moment for a message to the peer; at most all."
        case .syncRecordsApplied: "Session records of the peer that were applied."
        case .syncRecordsRefused: "Session records of the peer for which the table had no room."
        case .syncStrangers: "Cross-connect messages that are not the peer's, or not from this link."
        case .syncUnconfirmed:
            "Heartbeats that claim a later start of the peer than the one that is heard; they changed nothing."
        case .syncRuleUnknown: "Session records of the peer whose rule this box does not have or which denies here."
        case .syncRepeated: "Messages of the peer that had been consumed before; they changed nothing."
        case .syncHellos: "Heartbeats that did not know this life of the box; they changed nothing."
        case .vrrpOverruled:
            "Advertisements with the better claim that the peer's heartbeat contradicts; they changed nothing."
        case .deferHeld: "Packets that waited until the peer knew their session."
        case .deferExpired: "Sessions whose packets waited to the bound."
        case .deferNoRoom: "Packets that should have waited and found no room."
        case .conduitForwarded: "Frames handed to the Active before any session was looked up."
        case .conduitReturned: "Packets that left through the peer because their port has no carrier."
        case .conduitReceived: "Data frames of the peer on the cross-connect."
        case .conduitDelivered: "Packets of the Active that left by a port of this box."
        case .conduitTooBig: "Packets that the cross-connect's MTU has no room for."
        case .conduitWorker: "Data frames of the conduit that this worker got."
        case .vrrpDiscarded: "Advertisements that changed nothing: <meaning>"
        case .syncDiscarded: "Cross-connect messages that changed nothing: <meaning>"
        case .neighbors: "Neighbours that are known or asked for now."
        case .neighborsEvicted: "Neighbours forgotten in favour of others because the table was full."
        case .flows: "Sessions of fast-path services now."
        case .mappings: "Client endpoints of per-packet services with a translated source port now."
        case .snatPortsTaken: "Source ports towards members that sessions and mappings have now."
        case .servicePacketsToMembers: "Packets from clients that went on to a member."
        case .servicePacketsToClients: "Packets from members that went on to a client."
        case .membersUp: "Pool members that are up now."
        case .memberChosen: "Sessions, or datagrams of a per-packet service, that this member was chosen for."
        case .memberSessions: "Sessions that this member has now."
        case .states: "States known at the moment."
        case .statesCreated: "States that packets made."
        case .statesExpired: "States that ended because no packet came."
        case .statesReused: "Finished connections whose ports a SYN used again."
        case .statesOutOfState: "Packets that did not fit the state that they met."
        case .eventsSuppressed: "Events that were not told because there were too many."
        case .macAddresses: "MAC addresses in the table now."
        case .macLearned: "MAC addresses learned from the source of a frame."
        case .macMoved: "MAC addresses that appeared behind another port."
        case .macAged: "MAC addresses forgotten because no frame came from them."
        case .macNotLearned: "Frames whose source was not learned because the table was full."
        case .switchFlooded: "Frames flooded: to a group, or to an address that was not known."
        case .switchFiltered:
            "Frames not forwarded: the destination is behind the port that they came from, or is a reserved group."
        case .passed: "Frames that left the element, copies included."
        case .faultDropped: "Frames that a fault took away."
        case .faultOverflow: "Frames or copies that a fault was to hold when it held as many as it can."
        case .elementQueueFull: "Frames that did not fit between two transmissions."
        case .faultMostHeld: "The most frames that were held at a time."
        case .faultActed: "Frames that fault '<rule>' acted on."
        case .proxyAccepted: "Connections of clients that were accepted."
        case .proxyOpen: "Connections of clients that are open now."
        case .proxyMemberFailures: "Attempts to connect to a member that failed."
        case .proxyUnserved: "Connections that were reset because no member could be reached."
        case .proxyOverLimit: "Connections that were reset because there were too many at a time."
        case .httpAccepted: "Connections of clients that were accepted."
        case .httpOpen: "Connections of clients that are open now."
        case .httpOverLimit: "Connections that were reset because there were too many at a time."
        case .httpRequests: "Requests whose head was read."
        case .httpServerConnections: "Connections to members that were opened."
        case .httpReused: "Requests on a connection that had carried one before (TCP multiplexing)."
        case .httpBusyPorts: "Source ports passed over because the kernel had them in use."
        case .httpAnswers: "Answers of members with status <class>."
        case .httpFailed: "Requests that no member answered to the end, for this reason."
        case .httpTLSHandshakes: "TLS handshakes with clients that were completed."
        case .httpTLSFailed: "Clients with which TLS failed, for this reason."
        case .kernel: "the kernel's own"
        case .program: "What the program <program> reports by its 'counters'."
        }
    }

    /// Which part of a node counts it.
    public var place: CounterPlace {
        switch self {
        case .receivedFromWire, .receivedFromHost, .forwarded, .toHost, .fromHost, .made, .arpAnswered,
            .arpRequested, .solicitationsAnswered, .solicitationsSent, .neighborLearned, .neighborChanged, .icmpMade,
            .icmpSuppressed, .icmpTranslated, .flowsCreated, .flowsExpired, .flowsClosed, .flowsRemoved, .fragmented,
            .tunnelWrapped, .tunnelUnwrapped, .segmentSizeClamped, .carriedWithoutFlow:
            .dataplane
        case .drop: .drop
        case .ioReceived, .ioSent, .ioRingFull, .ioControlChannelFull, .ioTooLong, .ioNoLink, .ioLinkDown, .ioNoBuffer,
            .ioRefused, .ioForeign, .ioChecksumsIncomplete:
            .packetIO
        case .sessions, .sessionsOpened, .sessionsExpired, .sessionsLookups, .natMappings, .natGranted,
            .natPreserved, .natExhausted, .natRetired, .natAdopted, .natForeign, .natUnsolicited, .pinholes,
            .pinholesOpened, .pinholesAdopted, .pinholesUsed, .pinholesExpired, .pinholesRefusedBounce,
            .pinholesRefusedPrivilegedPort, .pinholesRefusedTranslated, .pinholesUnasked, .pinholesMalformed,
            .pinholesUnread, .pinholesNoRoom:
            .firewall
        case .sessionsOfApplication: .application
        case .sessionsOfCategory: .category
        case .fragmentsHeld, .fragmentsDatagrams, .fragmentsEvicted: .fragments
        case .heartbeatSent, .heartbeatReceived, .heartbeatStale, .vrrpSent, .vrrpReceived, .vrrpOtherRouter,
            .vrrpNotLocal, .arpAnnounced, .syncRecordsSent, .syncRecordsResent, .syncRecordsAcknowledged,
            .syncMessagesUnderWay, .syncSessionsNoted, .syncRecordsApplied, .syncRecordsRefused, .syncStrangers,
            .syncUnconfirmed, .syncRuleUnknown, .syncRepeated, .syncHellos, .vrrpOverruled, .deferHeld,
            .deferExpired, .deferNoRoom:
            .pair
        case .conduitForwarded, .conduitReturned, .conduitReceived, .conduitDelivered, .conduitTooBig: .conduit
        case .conduitWorker: .conduitWorker
        case .vrrpDiscarded, .syncDiscarded: .discard
        case .neighbors, .neighborsEvicted, .flows, .mappings, .snatPortsTaken: .balancer
        case .servicePacketsToMembers, .servicePacketsToClients, .membersUp: .service
        case .memberChosen, .memberSessions: .member
        case .states, .statesCreated, .statesExpired, .statesReused, .statesOutOfState: .gatewayFirewall
        case .eventsSuppressed: .eventLimits
        case .macAddresses, .macLearned, .macMoved, .macAged, .macNotLearned, .switchFlooded, .switchFiltered: .switch
        case .passed, .faultDropped, .faultOverflow, .elementQueueFull, .faultMostHeld: .element
        case .faultActed: .rule
        case .proxyAccepted, .proxyOpen, .proxyMemberFailures, .proxyUnserved, .proxyOverLimit: .proxy
        case .httpAccepted, .httpOpen, .httpOverLimit, .httpRequests, .httpServerConnections, .httpReused,
            .httpBusyPorts, .httpTLSHandshakes:
            .http
        case .httpAnswers: .httpAnswer
        case .httpFailed: .httpFailure
        case .httpTLSFailed: .httpTLSFailure
        case .kernel: .kernel
        case .program: .program
        }
    }
}
