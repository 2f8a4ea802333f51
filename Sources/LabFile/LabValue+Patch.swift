extension LabValue {
    /// This value with `patch` laid over it: mappings are merged key by key and null deletes a key; everything else,
    /// lists included, is replaced whole. Source: RFC 7396, 2
    /// - Complexity: O(size of both)
    public func patched(with patch: LabValue) -> LabValue {
        guard case .mapping(let changes) = patch.content else { return patch }
        let old = entries ?? []
        var merged: [LabEntry?] = old
        let places = Dictionary(zip(old.map(\.key), old.indices), uniquingKeysWith: { first, _ in first })
        for change in changes {
            let index = places[change.key]
            if change.value.isNull {
                if let index { merged[index] = nil }
            } else if let index {
                merged[index]?.value = old[index].value.patched(with: change.value)
            } else {
                // What is new has no nulls to keep: they would mean "delete" to the next patch too.
                let empty = LabValue(.mapping([]), at: change.value.position)
                merged.append(
                    LabEntry(
                        key: change.key, keyPosition: change.keyPosition,
                        value: change.value.entries == nil ? change.value : empty.patched(with: change.value)))
            }
        }
        return LabValue(.mapping(merged.compactMap(\.self)), at: entries == nil ? patch.position : position)
    }

    /// This mapping with one key set, added or (with nil) removed.
    public func setting(_ key: String, to value: LabValue?) -> LabValue {
        var changed = entries ?? []
        let index = changed.firstIndex { $0.key == key }
        switch (index, value) {
        case (let index?, let value?): changed[index].value = value
        case (let index?, nil): changed.remove(at: index)
        case (nil, let value?): changed.append(LabEntry(key: key, keyPosition: value.position, value: value))
        case (nil, nil): break
        }
        return LabValue(.mapping(changed), at: position)
    }
}
