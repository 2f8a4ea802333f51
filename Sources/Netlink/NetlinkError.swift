public import SystemPackage

/// A request that the kernel did not carry out, in its own words.
public struct NetlinkError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The request cannot be put to the kernel at all; `kernelMessage` has the reason.
        case invalidRequest
        /// The socket, or the namespace, could not be opened or entered.
        case cannotOpen
        case cannotSend
        case cannotReceive
        /// The kernel answered with an error.
        case refused
        /// No interface of that name or index is in the namespace.
        case noSuchInterface
        /// The list changed while the kernel wrote it, again and again.
        case interrupted
        /// An answer that belongs to no request of this socket.
        case unexpectedReply
        /// Notifications came faster than they were read, and some are lost: list the links again.
        case notificationsLost
        /// What was waited for did not happen in time.
        case timedOut
    }

    public var kind: Kind
    /// What was asked for, as in `add address 192.0.2.1/24`.
    public var verb: String
    public var interface: String?
    public var errno: Errno?
    /// The text of the extended acknowledgement, where the kernel gave one.
    public var kernelMessage: String?

    public init(
        _ kind: Kind, verb: String, interface: String? = nil, errno: Errno? = nil, kernelMessage: String? = nil
    ) {
        self.kind = kind
        self.verb = verb
        self.interface = interface
        self.errno = errno
        self.kernelMessage = kernelMessage
    }
}

extension NetlinkError: CustomStringConvertible {
    public var description: String {
        var text = "cannot \(verb)"
        if let interface { text += " on interface '\(interface)'" }
        text += ": \(reason)"
        if let errno {
            text += ": \(errno.description) (errno \(errno.rawValue))"
        }
        if let kernelMessage, !kernelMessage.isEmpty {
            text += kind == .invalidRequest ? ": \(kernelMessage)" : "; kernel message: \(kernelMessage)"
        }
        if let remedy { text += "; \(remedy)" }
        return text
    }

    private var reason: String {
        switch kind {
        case .invalidRequest: "the request is not valid"
        case .cannotOpen: "cannot open or enter"
        case .cannotSend: "cannot send the request"
        case .cannotReceive: "cannot receive the answer"
        case .refused: "the kernel refused"
        case .noSuchInterface: "there is no such interface in this namespace"
        case .interrupted: "the list changed each time it was read"
        case .unexpectedReply: "the answer belongs to no request of this socket"
        case .notificationsLost: "notifications were lost because they came too fast; list the links again"
        case .timedOut: "it did not happen in time"
        }
    }

    private var remedy: String? {
        switch errno {
        case Errno.notPermitted?, Errno.permissionDenied?:
            "CAP_NET_ADMIN is needed in the user namespace that owns this network namespace"
        case Errno.notSupportedOnSocket?:
            "this kernel was built without it, or its module is not loaded"
        default: nil
        }
    }
}
