internal import CPcap

/// A compiled expression of libpcap's filter language, for Ethernet frames. See pcap-filter(7).
public final class CaptureFilter: @unchecked Sendable {
    // Written once, before anybody else can see it; libpcap only reads it when it matches.
    private var program = bpf_program()
    public let text: String

    /// Bytes of a filter. libpcap's compiler takes a time that grows with the square of a text and more: of 2,048 bytes at
    /// worst 0.2 s, of 8,000 7 s. A lab's own filters have some hundred.
    public static let maximumLength = 2048
    /// Instructions of a program that libpcap optimises. Its optimiser takes 2 s and more for the longest filters, and
    /// without end for longer ones; a longer program selects the same frames as it is.
    static let mostOptimised: UInt32 = 1000

    /// - Throws: libpcap's error for the text
    /// - Note: a name of a host in the text is looked up, as tcpdump does
    public init(_ text: String) throws(CaptureFilterError) {
        self.text = text
        guard !text.utf8.contains(0) else { throw CaptureFilterError(filter: text, problem: "it has a zero byte") }
        guard text.utf8.count <= Self.maximumLength else {
            throw CaptureFilterError(
                filter: String(text.prefix(40)) + "…",
                problem:
                    "it has \(text.utf8.count) characters, and \(Self.maximumLength) are allowed: select more at once, as by 'net' and 'portrange'"
            )
        }
        guard let handle = pcap_open_dead(DLT_EN10MB, 262_144) else {
            throw CaptureFilterError(filter: text, problem: "libpcap is out of memory")
        }
        defer { pcap_close(handle) }
        guard pcap_compile(handle, &program, text, 0, Self.unknownNetmask) == 0 else {
            throw CaptureFilterError(filter: text, problem: String(cString: pcap_geterr(handle)))
        }
        guard program.bf_len <= Self.mostOptimised else { return }
        var optimised = bpf_program()
        guard pcap_compile(handle, &optimised, text, 1, Self.unknownNetmask) == 0 else {
            // The optimiser reports filters that can never match.
            let problem = String(cString: pcap_geterr(handle))
            pcap_freecode(&program)
            throw CaptureFilterError(filter: text, problem: problem)
        }
        pcap_freecode(&program)
        program = optimised
    }

    private static let unknownNetmask = UInt32.max  // PCAP_NETMASK_UNKNOWN

    deinit { pcap_freecode(&program) }

    /// Whether the filter selects a frame.
    /// - Parameter originalLength: bytes on the wire; nil where all were captured
    public func matches(_ frame: UnsafeRawBufferPointer, originalLength: Int? = nil) -> Bool {
        var header = pcap_pkthdr()
        header.caplen = UInt32(clamping: frame.count)
        header.len = UInt32(clamping: originalLength ?? frame.count)
        guard let base = frame.baseAddress else { return false }
        return pcap_offline_filter(&program, &header, base.assumingMemoryBound(to: UInt8.self)) != 0
    }

    public func matches(_ frame: [UInt8]) -> Bool { frame.withUnsafeBytes { matches($0) } }

    /// What is wrong with a text; nil where it is a filter.
    public static func problem(in text: String) -> CaptureFilterError? {
        do {
            _ = try CaptureFilter(text)
            return nil
        } catch {
            return error
        }
    }

    /// Throws where a text is not a filter.
    public static func validate(_ text: String) throws(CaptureFilterError) { _ = try CaptureFilter(text) }
}

/// A text that libpcap does not accept as a filter.
public struct CaptureFilterError: Error, Hashable, Sendable, CustomStringConvertible {
    public var filter: String
    /// libpcap's message; it names the unknown word, but no position.
    public var problem: String

    public var description: String {
        "'\(filter)' is not a capture filter: \(problem); see pcap-filter(7), an example is \"tcp and src host 192.0.2.1\""
    }
}
