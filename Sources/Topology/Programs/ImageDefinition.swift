import Configuration
import LabFile
import OCIImage

/// The container image of a node as written.
///
///     image: web.tar
///     image: { from: images, tag: web, user: root, directory: /srv, env: { LOG: debug } }
///
/// In a run's own lab file `id` says which image it was, and all that is taken from it is written there; then the image
/// itself is not needed to read the file.
struct ImageDefinition {
    static let keys = ["from", "tag", "id", "user", "directory", "env"]

    let configuration: ImageConfiguration
    let position: SourcePosition
    /// nil where the image was not read.
    let own: ContainerImage?

    /// - Parameter isRead: whether the image is needed for more than its ID
    /// - Returns: nil after a report
    init?(_ value: LabValue, isRead: Bool = false, _ reader: LabReader) {
        var mapping: MappingReader?
        var from = value
        if value.entries != nil {
            guard let keys = MappingReader(value, "an image", keys: Self.keys, reader),
                let named = keys.required("from")
            else { return nil }
            (mapping, from) = (keys, named)
        }
        guard let name = reader.text(from, of: "an image") else { return nil }
        position = from.position
        let (id, tag) = (mapping?.text("id"), mapping?.text("tag"))
        if let id, !ContainerImage.isID(id) {
            reader.report(
                "'id' of an image is '\(LabValue.shortened(id))'", at: mapping?["id"]?.position,
                allowed: ["sha256: and 64 hexadecimal digits"])
            return nil
        }
        let isComplete =
            id != nil && mapping?["user"] != nil && mapping?["directory"] != nil && name.hasPrefix("/") && !isRead
        own = isComplete ? nil : Self.image(name, tag: tag, at: position, reader)
        guard own != nil || isComplete else { return nil }
        if let id, let own, own.id != id {
            reader.report("the image '\(name)' has another ID", at: mapping?["id"]?.position, allowed: [own.id])
        }
        var environment = own?.environment ?? []
        for entry in NodeDefinition.named(mapping?["env"], "the environment of an image", reader) {
            guard let text = reader.text(entry.value, of: "'\(entry.key)' of 'env'") else { continue }
            guard !entry.key.isEmpty, !entry.key.contains("="), !(entry.key + text).utf8.contains(0) else {
                reader.report("'\(LabValue.shortened(entry.key))' is no name of a variable", at: entry.keyPosition)
                continue
            }
            environment.removeAll { $0.hasPrefix(entry.key + "=") }
            environment.append("\(entry.key)=\(text)")
        }
        let folder = mapping?.text("directory") ?? own?.workingFolder ?? "/"
        if !folder.hasPrefix("/") {
            reader.report(
                "'directory' of an image is '\(LabValue.shortened(folder))'", at: mapping?.keyPosition("directory"),
                allowed: ["an absolute path in the image"])
        }
        configuration = ImageConfiguration(
            path: own?.path ?? name, tag: tag, id: own?.id ?? id ?? "", environment: environment,
            workingFolder: folder, user: mapping?.text("user") ?? own?.user ?? "")
    }

    /// Variants share their images: each is read once.
    private static func image(
        _ name: String, tag: String?, at position: SourcePosition, _ reader: LabReader
    ) -> ContainerImage? {
        let key = "\(tag ?? "") \(name)"
        if let known = reader.images[key] { return known }
        let path: String
        do throws(FileBesideLab.Problem) {
            path = name.hasPrefix("/") ? name : try FileBesideLab.path(of: name, in: reader.folder)
        } catch {
            reader.report(
                "the image '\(LabValue.shortened(name))' \(error)", at: position,
                allowed: error == .outside ? ["a path in the lab's folder, or an absolute one"] : [])
            return nil
        }
        do throws(ImageProblem) {
            let image = try ContainerImage(path, tag: tag)
            reader.images[key] = image
            return image
        } catch {
            reader.report(
                "the image '\(LabValue.shortened(name))' \(error.text)", at: position, allowed: error.allowed)
            return nil
        }
    }

    /// With all that it takes from the image.
    var resolved: LabValue {
        func text(_ text: String) -> LabValue { LabValue(.scalar(text, isQuoted: true), at: position) }
        func mapping(_ pairs: [(String, LabValue)]) -> LabValue {
            LabValue(.mapping(pairs.map { LabEntry(key: $0.0, keyPosition: position, value: $0.1) }), at: position)
        }
        var pairs = [("from", text(configuration.path)), ("id", text(configuration.id))]
        if let tag = configuration.tag { pairs.append(("tag", text(tag))) }
        pairs += [("user", text(configuration.user)), ("directory", text(configuration.workingFolder))]
        let environment = configuration.environment.map { variable in
            let name = variable.prefix { $0 != "=" }
            return (String(name), text(String(variable.dropFirst(name.count + 1))))
        }
        if !environment.isEmpty { pairs.append(("env", mapping(environment))) }
        return mapping(pairs)
    }
}
