import Testing

/// Labs for real, in namespaces, one after the other.
@Suite(.serialized) enum EndToEnd {}

/// What needs the run of a whole lab of the catalogue, one after the other, beside `EndToEnd`: both mostly wait.
@Suite(.serialized) enum ShippedLabs {}
