import LabEvents

extension MessageFault {
    /// The status of the answer. RFC 9110, 15; RFC 6585, 5
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
