import Configuration
import Configuration

extension SourceTranslation {
    /// Whether a flow from `client` to `member` gets another source.
    func translates<Address: Equatable>(_ client: Address, to member: Address) -> Bool {
        switch self {
        case .off: false
        case .autoMap: true
        case .hairpin: client == member
        }
    }
}
