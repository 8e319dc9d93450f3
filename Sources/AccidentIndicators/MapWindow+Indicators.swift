// The indicators of the articles, from a window of samples. What was not written is 0: an idle map is no accident.

extension MapWindow {
    /// Maps smaller than this cannot lose much.
    static let smallestMap: UInt64 = 1000
    /// One write for so many entries in a window is too little to judge by.
    static let entriesPerWrite: UInt64 = 100
    /// A map that is filled for the first time changes faster than it ever will again.
    static let graceSeconds: UInt64 = 120

    /// Deletes among writes over 60 s; 0 without writes.
    var deleteRatio: Double {
        guard let begin = begin(MapWindow.shareSeconds) else { return 0 }
        return MapWindow.share(second(0).deletes &- begin.deletes, of: second(0).writes &- begin.writes)
    }

    /// Deletes made while an iterator was open, among deletes, over 60 s; 0 without deletes.
    var deleteDuringIterationRatio: Double {
        guard let begin = begin(MapWindow.shareSeconds) else { return 0 }
        return MapWindow.share(
            second(0).deletesDuringIteration &- begin.deletesDuringIteration,
            of: second(0).deletes &- begin.deletes)
    }

    /// The change of the map's size over the last 15 s, against its size before, whichever way it went; 0 while the map
    /// was empty or is younger.
    var sizeMutationRatio: Double {
        guard let old = age(ofSecondsBack: MapWindow.mutationSeconds) else { return 0 }
        return mutation(from: old, to: 0)
    }

    /// The same as it stood at the sample taken so many samples ago.
    public func sizeMutationRatio(age new: Int) -> Double {
        var old = new
        while old < count, isShorter(from: old, to: new) { old += 1 }
        return old < count ? mutation(from: old, to: new) : 0
    }

    /// So many times of 15 s in a row, up to now, in which the size changed by more than `line` and the line counted.
    func sizeMutationStreak(line: Double) -> Int {
        guard age >= MapWindow.graceSeconds else { return 0 }
        var streak = 0
        var new = 0
        while streak < MapWindow.longestStreak {
            let back = UInt64(streak + 1) * MapWindow.mutationSeconds
            guard let old = age(ofSecondsBack: back), counts(from: old, to: new), mutation(from: old, to: new) > line
            else { break }
            streak += 1
            new = old
        }
        return streak
    }

    /// Whether the delete share over 60 s and, at some time within them, the size mutation over 15 s were past their
    /// lines, and both counted.
    ///
    /// The mutation is looked for in the whole minute because a mass delete is over in seconds: the share shows it for a
    /// minute, the mutation for 15 s, and a scrape a minute must not miss it.
    func hasSignature(deleteRatio deleteLine: Double, sizeMutationRatio mutationLine: Double) -> Bool {
        guard age >= MapWindow.graceSeconds, deleteRatio > deleteLine,
            let begin = age(ofSecondsBack: MapWindow.shareSeconds), counts(from: begin, to: 0)
        else { return false }
        var old = 0
        for new in 0..<begin {
            while old < begin, isShorter(from: old, to: new) { old += 1 }
            guard !isShorter(from: old, to: new) else { return false }
            if counts(from: old, to: new), mutation(from: old, to: new) > mutationLine { return true }
        }
        return false
    }

    /// Whether the map is old and large enough to be judged, and enough of it was written in the last 60 s.
    var isJudged: Bool {
        guard age >= MapWindow.graceSeconds, let begin = age(ofSecondsBack: MapWindow.shareSeconds) else {
            return false
        }
        return counts(from: begin, to: 0)
    }

    /// Whether what was written between two samples is enough of a map that is large enough.
    private func counts(from old: Int, to new: Int) -> Bool {
        let entries = second(old).entries
        let writes = second(new).writes &- second(old).writes
        return entries >= MapWindow.smallestMap && writes &* MapWindow.entriesPerWrite >= entries
    }

    private func mutation(from old: Int, to new: Int) -> Double {
        let before = Double(second(old).liveBytes)
        return before == 0 ? 0 : abs(Double(second(new).liveBytes) - before) / before
    }

    /// Whether two samples are less than the 15 s of a mutation apart.
    private func isShorter(from old: Int, to new: Int) -> Bool {
        second(new).nanoseconds &- second(old).nanoseconds + 500_000_000 < MapWindow.mutationSeconds * 1_000_000_000
    }

    /// The sample that begins a window of so many seconds; the map's first while it is younger.
    private func begin(_ seconds: UInt64) -> MapSecond? {
        guard count > 0 else { return nil }
        return second(age(ofSecondsBack: seconds) ?? count - 1)
    }

    private static func share(_ part: UInt64, of whole: UInt64) -> Double {
        whole == 0 ? 0 : Double(part) / Double(whole)
    }
}
