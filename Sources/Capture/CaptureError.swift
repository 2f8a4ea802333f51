public import SystemPackage

/// A capture that cannot be opened, cannot go on, or has a file that cannot be written or read.
public struct CaptureError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The interface or its ring could not be opened.
        case cannotOpenInterface
        /// The interface was taken away, or libpcap could not go on with it.
        case cannotContinue
        /// A sentinel frame could not be sent.
        case cannotSendSentinel
        /// Sentinels did not come back in time.
        case barrierTimedOut
        case cannotCreateFile
        /// The file could not be written; what it holds so far stays readable.
        case cannotWriteFile
        case cannotReadFile
    }

    public var kind: Kind
    /// `lb.inside`, where a live capture failed.
    public var capture: String?
    /// The capture file.
    public var path: String?
    public var errno: Errno?
    /// libpcap's message, or another detail.
    public var detail: String?

    public init(
        _ kind: Kind, capture: String? = nil, path: String? = nil, errno: Errno? = nil, detail: String? = nil
    ) {
        self.kind = kind
        self.capture = capture
        self.path = path
        self.errno = errno
        self.detail = detail
    }
}

extension CaptureError: CustomStringConvertible {
    public var description: String {
        var text = what
        if let capture { text += " \(capture)" }
        if let path { text += capture == nil ? " \(path)" : " to \(path)" }
        if let detail { text += ": \(detail)" }
        if let errno { text += ": \(errno.description) (errno \(errno.rawValue))" }
        if let remedy { text += "; \(remedy)" }
        return text
    }

    private var what: String {
        switch kind {
        case .cannotOpenInterface: "cannot open the capture of"
        case .cannotContinue: "cannot continue the capture of"
        case .cannotSendSentinel: "cannot send a sentinel frame for the capture of"
        case .barrierTimedOut: "sentinel frames were not seen in time by the captures of"
        case .cannotCreateFile: "cannot create the file of the capture of"
        case .cannotWriteFile: "cannot write the capture of"
        case .cannotReadFile: "cannot read the capture file"
        }
    }

    private var remedy: String? {
        switch errno {
        case Errno.noSpace?: "free some space on that file system; the frames captured before are in the file"
        case Errno.tooManyOpenFiles?:
            "captures need a file for each interface and two sockets for each node; allow more (ulimit -n)"
        case Errno.notPermitted?: "captures need CAP_NET_RAW in the user namespace that owns the network namespace"
        default: nil
        }
    }
}
