extension EventKind {
    /// Who reports the kind, with which details, and what it means.
    public var declaration: EventDeclaration {
        switch self {
        // MARK: The run
        case .begin: EventDeclaration("The scenario begins; the lab is up and its boxes have settled.", by: .scenario)
        case .failed:
            EventDeclaration(
                "The lab ended because something went wrong.", by: .scenario, details: [.always(.reason, .text)])
        case .counter:
            EventDeclaration(
                "A counter that a 'wait-for' step waits for has the value that it waits for.", by: .scenario,
                details: [.always(.counter, .name), .always(.value, .number)])
        case .push:
            EventDeclaration(
                "A 'push' step begins to change the configuration of firewalls.", by: .scenario,
                details: [.always(.mode, .name), .always(.what, .text)])

        // MARK: Traffic
        case .trafficStart: EventDeclaration("The traffic program starts; all of its frames come later.", by: .traffic)
        case .trafficAnswered:
            EventDeclaration(
                "Each long-lived flow has had an answer or has ended; of other kinds, the first probe has ended.",
                by: .traffic)
        case .trafficStop: EventDeclaration("The traffic program has ended, the last answer included.", by: .traffic)

        // MARK: Faults
        case .powerOff: EventDeclaration("The node crashes and its links lose their carrier.", by: .scenario)
        case .powerOn: EventDeclaration("A node that was powered off is started again.", by: .scenario)
        case .linkDown:
            EventDeclaration(
                "The link of an interface loses its carrier.", by: .scenario, details: [.always(.interface, .name)])
        case .linkUp:
            EventDeclaration(
                "The link of an interface gets its carrier back.", by: .scenario, details: [.always(.interface, .name)])
        case .hang: EventDeclaration("The node's process is stopped and keeps its carrier.", by: .scenario)
        case .resume: EventDeclaration("A node that hangs runs again.", by: .scenario)
        case .kill:
            EventDeclaration("A program of the node is killed.", by: .scenario, details: [.always(.program, .name)])
        case .start:
            EventDeclaration(
                "A program that was killed is started again.", by: .scenario, details: [.always(.program, .name)])
        case .arm:
            EventDeclaration("An exact fault is to begin to act.", by: .scenario, details: [.always(.rule, .name)])
        case .disarm:
            EventDeclaration("An exact fault is to act no more.", by: .scenario, details: [.always(.rule, .name)])
        case .release:
            EventDeclaration(
                "An exact fault is to let go of what it holds.", by: .scenario, details: [.always(.rule, .name)])
        case .weight:
            EventDeclaration(
                "A pool member is to get another weight.", by: .scenario,
                details: [.always(.service, .name), .always(.member, .name), .always(.weight, .number)])

        // MARK: Steps on a node
        case .exec:
            EventDeclaration("A command begins in the node.", by: .scenario, details: [.always(.command, .text)])
        case .exited:
            EventDeclaration(
                "The command of an 'exec' step has ended; 'output' is the first lines of what it printed, 'line' the first one.",
                by: .scenario,
                details: [
                    .always(.command, .text), .always(.exit, .number), .maybe(.line, .text), .maybe(.output, .text),
                    .maybe(.reason, .text),
                ])
        case .signal:
            EventDeclaration(
                "A program of the node gets a signal.", by: .scenario,
                details: [.always(.program, .name), .always(.signal, .name)])
        case .restart:
            EventDeclaration(
                "A program of the node is ended and started again.", by: .scenario, details: [.always(.program, .name)])
        case .sysctl:
            EventDeclaration("Settings of the node's kernel change.", by: .scenario, details: [.always(.what, .text)])
        case .route:
            EventDeclaration("A route of the node's kernel changes.", by: .scenario, details: [.always(.what, .text)])
        case .address:
            EventDeclaration(
                "An interface of the node gets an address, or loses one.", by: .scenario,
                details: [.always(.interface, .name), .always(.what, .text)])
        case .rule:
            EventDeclaration(
                "A rule of the node's policy routing changes.", by: .scenario, details: [.always(.what, .text)])
        case .clear:
            EventDeclaration(
                "The sessions of a firewall, or the tracked connections of a node's kernel, are forgotten.",
                by: .scenario, details: [.always(.what, .text)])

        // MARK: Boxes
        case .ready:
            EventDeclaration(
                "The box has settled and does its work; a firewall of a pair has its first role.",
                [
                    .init(reporters: [.firewall], details: [.always(.role, .name), .always(.reason, .text)]),
                    .init(reporters: [.gatewayFirewall], details: [.always(.mode, .name), .always(.profile, .name)]),
                    .init(reporters: [.loadBalancer, .switch, .inLineElement, .tunnelEnd], details: []),
                ])

        // MARK: Firewalls
        case .active: Self.ofPair("The box has become the Active of its pair.")
        case .backup: Self.ofPair("The box was the Active of its pair and is the standby now.")
        case .switchover:
            EventDeclaration(
                "The Active hands its role over to its peer; in the scenario, it is asked to.",
                [
                    .init(reporters: [.firewall], details: [.always(.reason, .text)]),
                    .init(reporters: [.scenario], details: []),
                ])
        case .peerUp: Self.ofPair("The peer's heartbeat arrives, for the first time or again.")
        case .peerDown: Self.ofPair("The peer counts as down: its heartbeats or its advertisements have stopped.")
        case .crossConnectDown: Self.ofPair("No heartbeat arrives, but the peer's advertisements do.")
        case .dualActive: Self.ofPair("Both boxes of the pair are Active.")
        case .dualActiveOver:
            EventDeclaration(
                "One of two Active boxes has given way.", by: .firewall,
                details: [.always(.reason, .text), .always(.milliseconds, .decimal), .always(.role, .name)])
        case .syncComplete:
            EventDeclaration(
                "One box of the pair has all sessions of the other: the peer ('sent') or this one ('received').",
                by: .firewall, details: [.always(.direction, .name), .always(.sessions, .number)])
        case .pushDone:
            EventDeclaration(
                "The box runs what was pushed.", by: .firewall,
                details: [
                    .always(.sessionsEnded, .number), .maybe(.mappingsRetired, .number), .maybe(.mode, .name),
                ])
        case .pushRefused:
            EventDeclaration(
                "The box did not take what was pushed.", by: .firewall, details: [.always(.reason, .text)])
        case .pushIncomplete:
            EventDeclaration(
                "A push to a pair as a unit ended between two of its steps; what was done stays.", by: .firewall,
                details: [.always(.done, .text), .always(.missing, .text), .always(.reason, .text)])
        case .pushBlocked:
            EventDeclaration(
                "The pair did not agree on what was pushed, and both boxes run what they ran before.", by: .firewall,
                details: [.always(.reason, .text), .maybe(.differences, .text)])
        case .configurationDiffers:
            EventDeclaration(
                "The boxes of the pair run different configurations.", by: .firewall, details: [.always(.peer, .text)])
        case .syncRefused: Self.ofSync("The box refuses the peer's messages, whose version or key is not its own.")
        case .syncStranger: Self.ofSync("A message on the cross-connect was not the peer's.")
        case .syncRuleUnknown: Self.ofSync("The peer has sessions of a rule that this box does not have.")
        case .syncPoolUnknown:
            EventDeclaration(
                "The peer translates to an external address and port of no NAT pool of this box.", by: .firewall,
                details: [.always(.peer, .text), .always(.external, .text), .always(.reason, .text)])
        case .natPoolExhausted:
            EventDeclaration(
                "A new flow was refused because its NAT pool has no free port.", by: .firewall,
                details: [.always(.pool, .name), .always(.flow, .flow), .always(.refused, .number)])
        case .natAddressReleased:
            EventDeclaration(
                "The box no longer answers for an address of a NAT pool.", by: .firewall,
                details: [.always(.address, .address)])
        case .pinholeOpened:
            EventDeclaration(
                "A control connection announced a data connection, which may come now.", by: .firewall,
                details: [.always(.flow, .flow), .always(.control, .flow)])
        case .pinholeUsed:
            EventDeclaration(
                "An announced data connection came.", by: .firewall,
                details: [.always(.flow, .flow), .always(.control, .flow)])
        case .pinholeRefused:
            EventDeclaration(
                "A control connection announced a data connection that it may not have.", by: .firewall,
                details: [.always(.reason, .name), .always(.control, .flow)])

        // MARK: Load balancers
        case .memberUp: Self.ofMember("A pool member passes its health check again.", .sessionsRemoved)
        case .memberDown: Self.ofMember("A pool member fails its health check.", .sessionsRemoved)
        case .memberWeight: Self.ofMember("A pool member has another weight.", .weight)
        case .http502: Self.ofRequest("A request was answered with 502: its member refused, reset or garbled it.")
        case .http503: Self.ofRequest("A request was answered with 503: no member is up, or no source port is free.")
        case .http504: Self.ofRequest("A request was answered with 504: its member did not answer in time.")
        case .tlsFailed:
            EventDeclaration(
                "TLS with a client failed.", by: .loadBalancer,
                details: [
                    .always(.service, .name), .always(.client, .endpoint), .always(.reason, .name),
                    .maybe(.leftOut, .number),
                ])

        // MARK: Gateway firewalls
        case .stateCreated: Self.ofState("A packet created a state.")
        case .stateClosingClosed:
            Self.ofState(
                "A state became CLOSING:CLOSED, by a delayed FIN for instance.",
                [.maybe(.from, .name), .maybe(.to, .name)])
        case .stateExpired: Self.ofState("A state ended because no packet came.")
        case .stateClosingClosedExpired:
            Self.ofState("A state that had been CLOSING:CLOSED ended because no packet came.")
        case .stateRefused:
            Self.ofState(
                "A packet did not fit the state that it met.", [.always(.packet, .name), .always(.action, .name)])
        case .stateTableFull:
            EventDeclaration(
                "A new connection was refused because the table is full.", by: .gatewayFirewall,
                details: [.always(.flow, .flow), .always(.states, .number)])

        // MARK: Switches
        case .macMoved:
            EventDeclaration(
                "A MAC address appeared behind another port.", by: .switch,
                details: [.always(.address, .name), .always(.from, .name), .always(.to, .name)])
        case .macTableFull:
            EventDeclaration(
                "A MAC address was not learned because the table is full.", by: .switch,
                details: [.always(.address, .name), .always(.interface, .name)])

        // MARK: Programs
        case .started:
            EventDeclaration("The program was started.", by: .program, details: [.always(.program, .name)])
        case .ended:
            EventDeclaration(
                "The program has ended, with all that it started.", by: .program,
                details: [.always(.program, .name), .always(.reason, .text)])
        case .output:
            EventDeclaration(
                "A line of the program's output matches a pattern of its 'events'; named groups of the pattern are details, too.",
                by: .program, details: [.always(.program, .name), .always(.line, .text)])
        case .countersUnread:
            EventDeclaration(
                "The program's counters could not be read, or for another reason than before.", by: .program,
                details: [.always(.program, .name), .always(.reason, .text)])

        // MARK: Kernels
        case .addressAdded: Self.ofAddress("An interface of the node has a new address.")
        case .addressRemoved: Self.ofAddress("An interface of the node has lost an address.")
        case .neighborChanged:
            EventDeclaration(
                "A neighbour has a MAC address for the first time or another one, or does not answer ('failed'); 'from' is the one before.",
                by: .kernel,
                details: [
                    .always(.interface, .name), .always(.address, .address), .always(.state, .name),
                    .maybe(.mac, .name), .maybe(.from, .name),
                ])
        case .carrierUp: Self.ofCarrier("An interface has its carrier again.")
        case .carrierDown: Self.ofCarrier("An interface has lost its carrier, or is down.")
        case .kernelEventsLost:
            EventDeclaration(
                "Events of the kernel are missing from now until 'to': there were more than are recorded in a second ('limit'), or than the node could read ('overrun').",
                by: .kernel,
                details: [
                    .always(.what, .text), .always(.reason, .name), .always(.to, .text), .maybe(.leftOut, .number),
                ])
        case .routeMoved:
            EventDeclaration(
                "A tracked route leads to another gateway.", by: .routeTracker,
                details: [.always(.destination, .network), .always(.gateway, .address)])
        case .routeAdded: Self.ofRoutes("The node's kernel has a new route.")
        case .routeChanged: Self.ofRoutes("A route of the node's kernel has other next hops.")
        case .routeRemoved: Self.ofRoutes("The node's kernel has lost a route.")

        // MARK: Exact faults
        case .dropped:
            Self.ofFrame("The fault dropped a frame.", [.maybe(.reason, .text)])
        case .lost: Self.ofFrame("The fault lost a frame, at random.")
        case .delayed: Self.ofFrame("The fault delays a frame.", [.always(.by, .duration)])
        case .duplicated: Self.ofFrame("The fault sent a frame more than once.", [.always(.copies, .number)])
        case .held: Self.ofFrame("The fault holds a frame, or a copy of it.", [.always(.copy, .name)])
        case .released: Self.ofFrame("The fault let a frame go that it held.")
        case .corrupted:
            Self.ofFrame(
                "The fault flipped a bit of a frame.",
                [.always(.byte, .number), .always(.bit, .number), .always(.checksums, .name)])
        case .reordered: Self.ofFrame("The fault holds a frame back behind later ones.", [.always(.behind, .number)])
        case .limited: Self.ofFrame("The fault's rate limit delays a frame.", [.always(.by, .duration)])
        case .overflow:
            Self.ofFrame("There was no room to hold a frame, which is dropped, or its copy.", [.always(.lost, .text)])
        case .armed: Self.ofRule("The fault begins to act.")
        case .disarmed: Self.ofRule("The fault acts no more.")
        case .quiet:
            Self.ofRule("The fault acts on, and reports no more.", [.always(.events, .number)])
        }
    }

    private static func ofPair(_ sentence: String) -> EventDeclaration {
        EventDeclaration(sentence, by: .firewall, details: [.always(.reason, .text)])
    }

    private static func ofSync(_ sentence: String) -> EventDeclaration {
        EventDeclaration(sentence, by: .firewall, details: [.always(.peer, .text), .always(.reason, .text)])
    }

    private static func ofMember(_ sentence: String, _ own: EventDetail) -> EventDeclaration {
        EventDeclaration(
            sentence, by: .loadBalancer,
            details: [
                .always(.service, .name), .always(.member, .name), .always(.address, .endpoint),
                .always(.membersUp, .number), .always(own, .number), .maybe(.shareMoved, .share),
                .maybe(.shareIdeal, .share),
            ])
    }

    private static func ofRequest(_ sentence: String) -> EventDeclaration {
        EventDeclaration(
            sentence, by: .loadBalancer,
            details: [
                .always(.service, .name), .always(.client, .endpoint), .always(.request, .text), .maybe(.reason, .name),
                .maybe(.member, .name), .maybe(.snatAddress, .address), .maybe(.snatPort, .number),
                .maybe(.serverTime, .decimal), .maybe(.leftOut, .number),
            ])
    }

    private static func ofState(_ sentence: String, _ more: [EventDetailDeclaration] = []) -> EventDeclaration {
        EventDeclaration(
            sentence, by: .gatewayFirewall,
            details: [
                .always(.connection, .text), .always(.flow, .flow), .always(.state, .name), .maybe(.interface, .name),
                .maybe(.timer, .name),
            ] + more)
    }

    private static func ofRoutes(_ sentence: String) -> EventDeclaration {
        EventDeclaration(
            sentence, by: .kernel, details: [.always(.destination, .network), .always(.gateways, .text)])
    }

    private static func ofAddress(_ sentence: String) -> EventDeclaration {
        EventDeclaration(sentence, by: .kernel, details: [.always(.interface, .name), .always(.address, .address)])
    }

    private static func ofCarrier(_ sentence: String) -> EventDeclaration {
        EventDeclaration(sentence, by: .kernel, details: [.always(.interface, .name)])
    }

    private static func ofFrame(_ sentence: String, _ more: [EventDetailDeclaration] = []) -> EventDeclaration {
        ofRule(
            sentence,
            [
                .always(.frame, .text), .maybe(.from, .name), .maybe(.source, .address), .maybe(.sourcePort, .number),
                .maybe(.destination, .address), .maybe(.destinationPort, .number),
            ] + more)
    }

    private static func ofRule(_ sentence: String, _ more: [EventDetailDeclaration] = []) -> EventDeclaration {
        EventDeclaration(sentence, by: .exactFault, details: [.always(.rule, .name)] + more)
    }
}
