internal import Configuration
internal import Glibc
internal import NIOCore
internal import NIOSSL
internal import RegularFile

/// What a service needs to end its clients' TLS: TLS 1.2 or 1.3, HTTP/1.1 inside. RFC 8446; RFC 7301
enum ServerTLS {
    static func context(for certificate: ServiceCertificate) throws(CertificateProblem) -> NIOSSLContext {
        switch certificate {
        case .lab:
            do {
                let chain = try NIOSSLCertificate.fromPEMBytes(Array(LabCertificate.certificate.utf8))
                return try context(chain, NIOSSLPrivateKey(bytes: Array(LabCertificate.key.utf8), format: .pem))
            } catch {
                throw CertificateProblem("the lab's certificate is of no use: \(error)", isOfKey: false)
            }
        case .files(let certificate, let key): return try context(certificate: certificate, key: key)
        }
    }

    static func context(certificate: String, key: String) throws(CertificateProblem) -> NIOSSLContext {
        let written = try contents(certificate, isKey: false)
        let chain = (try? NIOSSLCertificate.fromPEMBytes(written)) ?? []
        guard !chain.isEmpty else {
            throw CertificateProblem("'\(certificate)' holds no certificate in PEM", isOfKey: false)
        }
        let secret = try contents(key, isKey: true)
        guard let privateKey = try? NIOSSLPrivateKey(bytes: secret, format: .pem) else {
            throw CertificateProblem("'\(key)' holds no private key in PEM without a passphrase", isOfKey: true)
        }
        do {
            return try context(chain, privateKey)
        } catch {
            throw CertificateProblem(
                "the key in '\(key)' is not the one of the certificate in '\(certificate)'", isOfKey: true)
        }
    }

    /// Of a certificate chain or a key: a thousand times what they need.
    private static let mostBytes = 1 << 20

    private static func context(_ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    private static func contents(_ path: String, isKey: Bool) throws(CertificateProblem) -> [UInt8] {
        do throws(RegularFile.Problem) {
            return try RegularFile(path).bytes(most: mostBytes)
        } catch {
            let remedy =
                switch error {
                case .notRegular, .tooLarge: "; a certificate or key is a file of at most \(mostBytes >> 20) MiB"
                case .unreadable: ""
                }
            throw CertificateProblem("'\(path)' \(error)\(remedy)", isOfKey: isKey)
        }
    }
}

extension TLSVersion {
    /// As in the access logs of others.
    var name: String {
        switch self {
        case .tlsv1: "TLSv1"
        case .tlsv11: "TLSv1.1"
        case .tlsv12: "TLSv1.2"
        case .tlsv13: "TLSv1.3"
        }
    }
}
