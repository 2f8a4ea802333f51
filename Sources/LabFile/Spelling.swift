/// Finds the word that was probably meant.
public enum Spelling {
    /// The candidate nearest to `word`, if one is near: at most one edit in three letters, never more than three.
    ///
    /// An edit is a letter inserted, deleted, replaced, or swapped with its neighbour. The first of equally near
    /// candidates wins.
    /// - Complexity: O(candidates × length²); a word of more than 64 characters has no near one
    public static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let letters = Array(word.lowercased().unicodeScalars)
        guard !letters.isEmpty, letters.count <= 64 else { return nil }
        var best: (candidate: String, distance: Int)?
        for candidate in candidates where candidate != word {
            let other = Array(candidate.lowercased().unicodeScalars)
            let allowed = min(3, (max(letters.count, other.count) + 2) / 3)
            let limit = min(allowed, (best?.distance ?? 4) - 1)
            guard other.count <= 64, limit >= 0, abs(letters.count - other.count) <= limit else { continue }
            let distance = distance(letters, other)
            if distance <= limit { best = (candidate, distance) }
        }
        return best?.candidate
    }

    /// Damerau–Levenshtein distance in which no letter is edited twice (optimal string alignment).
    static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
