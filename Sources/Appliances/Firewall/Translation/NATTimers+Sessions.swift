import Configuration
import Configuration
import Dataplane

extension NATTimers {
    /// As the session table of a translator has them.
    var sessions: SessionTimers {
        SessionTimers(
            first: transitory, opening: transitory, established: established, closing: transitory, finWait: transitory,
            closed: transitory, connectionlessSingle: udp, connectionlessMultiple: udp, echo: query)
    }
}
