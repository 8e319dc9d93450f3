import Foundation

// Zipf's distribution by the method of Gray et al. ("Quickly generating billion-record synthetic databases", 1994), which
// YCSB made the usual one: one power per number after one pass over all ranks. Rank 0 is the most frequent.

/// Draws ranks of 0 ..< count with probability proportional to 1 / (rank + 1)^exponent.
struct Zipf {
    private let count: Double
    private let exponent: Double
    private let zeta: Double
    private let alpha: Double
    private let eta: Double

    /// `exponent` must lie between 0 and 1, both excluded.
    init(count: Int, exponent: Double) {
        self.count = Double(count)
        self.exponent = exponent
        zeta = (1...count).reduce(0) { $0 + pow(Double($1), -exponent) }
        alpha = 1 / (1 - exponent)
        let zetaOfTwo = 1 + pow(2, -exponent)
        eta = (1 - pow(2 / Double(count), 1 - exponent)) / (1 - zetaOfTwo / zeta)
    }

    func next(_ random: inout Random) -> Int {
        let unit = random.nextUnit()
        let scaled = unit * zeta
        if scaled < 1 { return 0 }
        if scaled < 1 + pow(0.5, exponent) { return 1 }
        return min(Int(count) - 1, Int(count * pow(eta * unit - eta + 1, alpha)))
    }
}
