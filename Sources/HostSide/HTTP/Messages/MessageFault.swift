/// Why a message is refused. Nothing of such a message is ever passed on.
enum MessageFault: String, Error, Hashable, CaseIterable {
    case bareLineEnding = "bare-line-ending"
    case malformedRequestLine = "malformed-request-line"
    case malformedStatusLine = "malformed-status-line"
    case unsupportedVersion = "unsupported-version"
    case unsupportedMethod = "unsupported-method"
    case malformedField = "malformed-field"
    case foldedField = "folded-field"
    case headTooLarge = "head-too-large"
    case tooManyFields = "too-many-fields"
    case missingHost = "missing-host"
    case severalHosts = "several-hosts"
    case malformedHost = "malformed-host"
    case severalLengths = "several-lengths"
    case malformedLength = "malformed-length"
    case lengthAndCoding = "length-and-transfer-encoding"
    case codingInHTTP10 = "transfer-encoding-in-http-1.0"
    case unsupportedCoding = "unsupported-transfer-encoding"
    case unsupportedExpectation = "unsupported-expectation"
    case malformedChunk = "malformed-chunk"
    case bodyTooLarge = "body-too-large"
    case incomplete = "incomplete-request"

    /// The status with which a client is told. RFC 9110, 15; RFC 6585, 5
    var status: Int {
        switch self {
        case .headTooLarge, .tooManyFields: 431
        case .bodyTooLarge: 413
        case .unsupportedExpectation: 417
        case .unsupportedMethod, .unsupportedCoding: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }
}
