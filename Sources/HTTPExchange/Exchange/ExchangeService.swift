package import Configuration
import LabTime

/// What the exchanges of one service have in common. Used on one thread.
package final class ExchangeService {
    let limits: HTTPLimits
    package let timeouts: ExchangeTimeouts
    /// As a person reads it.
    let responseTimeout: Duration
    let requestForwarding: RequestForwarding
    let responseForwarding: ResponseForwarding
    let memory: ExchangeMemory
    /// Of the last request, whosever it was: texts that are the same need not be made again.
    var lastTexts = RequestTexts()

    package init(_ configuration: HTTPServiceConfiguration, memory: ExchangeMemory) {
        limits = configuration.limits
        timeouts = ExchangeTimeouts(configuration.timeouts)
        responseTimeout = configuration.timeouts.serverResponse
        requestForwarding = RequestForwarding(
            rules: HeaderRules(configuration.requestHeaders),
            appendsForwardedFor: configuration.forwardedFor == .append,
            closesServerConnection: configuration.multiplexing == nil)
        responseForwarding = ResponseForwarding(rules: HeaderRules(configuration.responseHeaders))
        self.memory = memory
    }
}

/// The configured timeouts in nanoseconds.
package struct ExchangeTimeouts {
    package let clientHeader, clientBody, keepAlive, serverConnect, serverResponse: Int64

    init(_ timeouts: HTTPTimeouts) {
        clientHeader = timeouts.clientHeader.nanoseconds
        clientBody = timeouts.clientBody.nanoseconds
        keepAlive = timeouts.keepAlive.nanoseconds
        serverConnect = timeouts.serverConnect.nanoseconds
        serverResponse = timeouts.serverResponse.nanoseconds
    }
}

/// Memory that the exchanges of one thread share; it is in use only while an input is handled.
package final class ExchangeMemory {
    let buffers = BufferPool()
    /// What goes to one client, or to one member, until it is sent: by the end of the step that brought it.
    let toClient = MessageBuffer(capacity: 16_384, keeping: 131_072)
    let toMember = MessageBuffer(capacity: 16_384, keeping: 131_072)

    package init() {}

    /// What was gathered for one of them must never reach another one.
    package func checkNothingIsLeft() { precondition(toClient.isEmpty && toMember.isEmpty) }
}
