/// Instants as text, without the system's calendar.
package enum CalendarTime {
    /// Nanoseconds since 1970 in UTC, to the millisecond: `2026-03-01T12:00:00.000Z`.
    package static func text(_ nanoseconds: UInt64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let (year, month, day) = date(dayOf1970: Int(seconds / 86_400))
        let rest = Int(seconds % 86_400)
        return "\(year)-\(two(month))-\(two(day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))."
            + String(1000 + nanoseconds / 1_000_000 % 1000).dropFirst() + "Z"
    }

    /// In the Gregorian calendar, which repeats every 400 years of 146,097 days; a year is taken to begin in March, so
    /// that the day that some years lack is its last.
    private static func date(dayOf1970 day: Int) -> (year: Int, month: Int, day: Int) {
        let sinceYear0 = day + 719_468
        let era = sinceYear0 / 146_097
        let ofEra = sinceYear0 % 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * ofYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, ofYear - (153 * fromMarch + 2) / 5 + 1)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
