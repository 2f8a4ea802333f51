public import LabFile

/// A lab: one topology and scenario in several variants, resolved and validated.
public struct Lab: Hashable, Sendable, Codable {
    /// The lab's name, also that of its runs' folder.
    public var name: String
    public var title: String
    /// The document that describes the failure.
    public var reference: String?
    public var summary: String?
    /// In the order of the file; at least one.
    public var variants: [Variant]
    /// Every capture filter of the expectations, for a check by libpcap, which alone knows the language.
    public var filters: [CaptureFilterDefinition]
    /// The certificates of TLS services, for a check by the room that speaks TLS.
    public var certificates: [CertificateFiles]
    /// Variants that expect nothing but absence. They can be read, and a saved run of them judged, but not played.
    public var absences: [AbsenceAlone]
    public var source: LabSource

    /// The variant of that name.
    public func variant(named name: String) -> Variant? { variants.first { $0.name == name } }

    /// The error to show when something that only a later room can judge is wrong with the file, such as a filter.
    public func error(_ problem: String, at position: SourcePosition) -> LabFileErrors {
        LabFileErrors([LabFileError(at: position, problem)], in: source)
    }
}

/// A variant of which every expectation is that something is absent: a lab in which nothing happens would pass.
public struct AbsenceAlone: Hashable, Sendable, Codable {
    public var variant: String
    /// Of the first expectation.
    public var position: SourcePosition

    public var problem: String {
        "variant '\(variant)' expects only that something is absent, which would also be so in a lab in which nothing "
            + "happens; add what must be there: an outcome of traffic (app: survives), frames (some:), an event, or "
            + "'control' in an expectation of frames"
    }
}

/// The files of a service's certificate and key, by absolute paths, and where the lab file names them.
public struct CertificateFiles: Hashable, Sendable, Codable {
    public var certificate: String
    public var certificatePosition: SourcePosition
    public var key: String
    public var keyPosition: SourcePosition
}

/// A filter in libpcap's language and where the lab file has it.
public struct CaptureFilterDefinition: Hashable, Sendable, Codable {
    /// With references (`lb/web.address`) already replaced.
    public var text: String
    public var position: SourcePosition

    public init(text: String, position: SourcePosition) {
        self.text = text
        self.position = position
    }
}
