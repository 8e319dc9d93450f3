extension CheckedExposition {
    /// Each histogram of a family in one piece: buckets with ascending bounds up to `+Inf` that never shrink, then
    /// `_sum`, then `_count` equal to the last bucket.
    static func checkHistograms(_ family: String, _ samples: [Sample]) throws(ExpositionProblem.Kind) {
        var rest = samples[...]
        while let first = rest.first {
            var labels = first.labels
            labels["le"] = nil
            let buckets = rest.prefix { $0.name == "\(family)_bucket" && equalsButForBound($0.labels, labels) }
            rest = rest.dropFirst(buckets.count)
            do throws(ExpositionProblem.HistogramFault) {
                let count = try checkBuckets(buckets)
                guard let sum = rest.popFirst(), sum.name == "\(family)_sum", let total = rest.popFirst(),
                    total.name == "\(family)_count"
                else { throw .missingSumOrCount }
                guard sum.labels == labels, total.labels == labels else { throw .misplacedBound }
                guard total.value == count else { throw .countsDiffer }
            } catch {
                throw .badHistogram(family, error)
            }
        }
    }

    private static func equalsButForBound(_ labels: [String: String], _ wanted: [String: String]) -> Bool {
        var labels = labels
        labels["le"] = nil
        return labels == wanted
    }

    /// The count of the last bucket.
    private static func checkBuckets(
        _ buckets: ArraySlice<Sample>
    ) throws(ExpositionProblem.HistogramFault) -> Double {
        var lastBound = -Double.infinity
        var lastCount = 0.0
        for (position, bucket) in buckets.enumerated() {
            guard let text = bucket.labels["le"] else { throw .misplacedBound }
            let bound = try parseBound(text)
            guard position == 0 || bound > lastBound else { throw .unorderedBounds }
            guard bucket.value >= lastCount else { throw .shrinkingBuckets }
            (lastBound, lastCount) = (bound, bucket.value)
        }
        guard lastBound == .infinity else { throw .unorderedBounds }
        return lastCount
    }

    private static func parseBound(_ text: String) throws(ExpositionProblem.HistogramFault) -> Double {
        if text == "+Inf" { return .infinity }
        guard text.contains(".") || text.contains("e"), let bound = Double(text), bound.isFinite else {
            throw .badBound(text)
        }
        return bound
    }
}
