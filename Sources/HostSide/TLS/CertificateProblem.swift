internal import NIOSSL

/// Why a certificate and a key in files cannot serve.
public struct CertificateProblem: Error, Hashable {
    /// In words, with the file's name.
    public var text: String
    /// Whether the key is at fault, not the certificate.
    public var isOfKey: Bool

    /// nil where they can.
    public init?(certificate: String, key: String) {
        do throws(CertificateProblem) {
            _ = try ServerTLS.context(certificate: certificate, key: key)
            return nil
        } catch {
            self = error
        }
    }

    init(_ text: String, isOfKey: Bool) {
        self.text = text
        self.isOfKey = isOfKey
    }
}
