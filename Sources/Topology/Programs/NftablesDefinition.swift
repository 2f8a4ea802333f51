import Configuration
import LabFile
import Wire

/// A rule set of nftables, loaded before the node's other programs start, in the place of one that is there.
struct NftablesDefinition: ProgramShortForm {
    static let name = "nftables"
    static let executable = "nft"
    static let summary = "a rule set of [nftables](#nftables)"
    static let keys = ["rules"]
    static let example = """
        nftables:
          rules: |
            table ip nat {
              chain out { type nat hook postrouting priority srcnat; oifname "net" snat to $proxy.net.ip; }
            }
        """

    private var rules: Located<String>

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'nftables'", keys: Self.keys, reader),
            mapping.required("rules") != nil,
            let rules = WholeConfiguration.read(mapping, "rules.nft", key: "rules", besides: [], Self.keys)
        else { return nil }
        self.rules = rules
    }

    var ports: [TransportPort] { [] }

    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration? {
        let text = resolution.references.resolve(text: rules.value, at: rules.position, resolution.reader)
        var program = ProgramConfiguration(
            name: Self.name, command: [Self.executable, "-f", ProgramConfiguration.folderWord + "/load.nft"],
            files: [
                .init(name: "rules.nft", text: text),
                // In one transaction. A file of its own: nft's messages have the lines of the rule set as it is written.
                .init(
                    name: "load.nft",
                    text: "flush ruleset\ninclude \"\(ProgramConfiguration.folderWord)/rules.nft\"\n"),
            ])
        program.endsByItself = true
        program.counters = [
            .init(
                [Self.executable, "list", "counters"],
                pattern: #"counter (?<name>\S+) \{\s+(?:comment .*\s+)?packets (?<packets>\d+) bytes (?<bytes>\d+)"#)
        ]
        return program
    }
}
