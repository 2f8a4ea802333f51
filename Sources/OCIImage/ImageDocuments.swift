internal import Foundation

/// The JSON documents of an image, as far as a lab needs them.
/// Source: OCI image-spec v1.1 (index, manifest, config, descriptor); Docker's `docker save` (manifest.json)
enum ImageDocuments {
    struct Platform: Decodable {
        var architecture: String?
        var os: String?
    }

    struct Descriptor: Decodable {
        var mediaType: String?
        var digest: String
        var size: Int
        var platform: Platform?
        var annotations: [String: String]?

        /// The image's name in its index.
        var name: String? { annotations?["org.opencontainers.image.ref.name"] }
        var isIndex: Bool {
            mediaType == "application/vnd.oci.image.index.v1+json"
                || mediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
        }
    }

    struct Index: Decodable {
        var manifests: [Descriptor]
    }

    struct Manifest: Decodable {
        var config: Descriptor
        var layers: [Descriptor]
    }

    struct SavedImage: Decodable {
        var config: String
        var names: [String]?
        var layers: [String]

        private enum CodingKeys: String, CodingKey {
            case config = "Config"
            case names = "RepoTags"
            case layers = "Layers"
        }
    }

    struct Execution: Decodable {
        var user: String?
        var environment: [String]?
        var entrypoint: [String]?
        var command: [String]?
        var folder: String?

        private enum CodingKeys: String, CodingKey {
            case user = "User"
            case environment = "Env"
            case entrypoint = "Entrypoint"
            case command = "Cmd"
            case folder = "WorkingDir"
        }
    }

    struct Rootfs: Decodable {
        var layers: [String]

        private enum CodingKeys: String, CodingKey { case layers = "diff_ids" }
    }

    struct Configuration: Decodable {
        var architecture: String
        var os: String
        var config: Execution?
        var rootfs: Rootfs
    }

    /// - Parameter name: for messages: `its index.json`
    static func decode<Document: Decodable>(
        _ type: Document.Type, _ bytes: [UInt8], _ name: String
    ) throws(ImageProblem) -> Document {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw ImageProblem("is broken: \(name) is not what an image has there")
        }
    }
}
