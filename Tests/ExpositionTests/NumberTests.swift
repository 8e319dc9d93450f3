import Exposition
import Testing

@Suite("Numbers")
struct NumberTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let value: MetricValue
        let text: String

        init(_ value: MetricValue, _ text: String) {
            self.value = value
            self.text = text
        }

        var testDescription: String { "\(value)" }
    }

    private static let integers = [
        Case(.count(0), "0"),
        Case(.count(9), "9"),
        Case(.count(10), "10"),
        Case(.count(1_000_000_007), "1000000007"),
        Case(.count(.max), "18446744073709551615"),
        Case(.signed(0), "0"),
        Case(.signed(-1), "-1"),
        Case(.signed(.min), "-9223372036854775808"),
        Case(.signed(.max), "9223372036854775807"),
    ]

    private static let seconds = [
        Case(.nanoseconds(0), "0"),
        Case(.nanoseconds(1), "0.000000001"),
        Case(.nanoseconds(10), "0.00000001"),
        Case(.nanoseconds(100_000_000), "0.1"),
        Case(.nanoseconds(1_500_000_000), "1.5"),
        Case(.nanoseconds(1_000_000_000), "1"),
        Case(.nanoseconds(1_000_000_001), "1.000000001"),
        // 104 days and a nanosecond: 2^53 ns, where a double begins to lose them.
        Case(.nanoseconds(9_007_199_254_740_993), "9007199.254740993"),
        Case(.nanoseconds(.max), "18446744073.709551615"),
    ]

    private static let reals = [
        Case(.real(0), "0"),
        Case(.real(-0.0), "0"),
        Case(.real(1.0), "1"),
        Case(.real(-3), "-3"),
        Case(.real(0.1), "0.1"),
        Case(.real(-0.25), "-0.25"),
        Case(.real(1e15), "1000000000000000"),
        Case(.real(1e21), "1e+21"),
        Case(.real(-1e21), "-1e+21"),
        Case(.real(1e-7), "1e-07"),
        Case(.real(1.7e308), "1.7e+308"),
        Case(.real(9_223_372_036_854_775_808), "9.223372036854776e+18"),
        Case(.real(.nan), "NaN"),
        Case(.real(-.nan), "NaN"),
        Case(.real(.infinity), "+Inf"),
        Case(.real(-.infinity), "-Inf"),
    ]

    private func printed(_ value: MetricValue) -> String {
        let body = TextFormat.render([MetricFamily("a", .gauge, help: "x", value: value)])
        return String(decoding: body, as: UTF8.self)
    }

    @Test("integers are printed in full", arguments: integers)
    func printsIntegers(_ number: Case) {
        #expect(printed(number.value) == "# HELP a x\n# TYPE a gauge\na \(number.text)\n")
    }

    @Test("durations are printed in exact decimal seconds", arguments: seconds)
    func printsSeconds(_ number: Case) {
        #expect(printed(number.value) == "# HELP a x\n# TYPE a gauge\na \(number.text)\n")
    }

    @Test("reals are printed as the format's parsers read them, whole ones without .0", arguments: reals)
    func printsReals(_ number: Case) {
        #expect(printed(number.value) == "# HELP a x\n# TYPE a gauge\na \(number.text)\n")
    }
}
