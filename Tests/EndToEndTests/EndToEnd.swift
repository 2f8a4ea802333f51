import Testing

/// Labs for real, in namespaces, one after the other.
@Suite(.serialized) enum EndToEnd {}
