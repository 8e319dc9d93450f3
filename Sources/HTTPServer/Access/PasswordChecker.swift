// Whether a password is a user's, by bcrypt.
//
// bcrypt is slow on purpose, some 60 ms, on one of the few threads that serve everybody. So:
//   - what was right once is remembered, as an HMAC under a key that only this process has, never as it was: a scraper
//     pays once. User, hash and password are all part of it, so that a changed hash forgets;
//   - an unknown user costs as much as a known one with a wrong password, lest the time tell who is known;
//   - wrong attempts of an address are limited to 5 at once and one a second after, past which nothing is computed; who
//     is remembered is not held up by them;
//   - wrong attempts of all addresses together may take one second of computing at once and a quarter of each second
//     after. Past that, and while one is computed, nobody waits: so a flood from many addresses keeps one thread busy for
//     one bcrypt at a time, and the others serve.
//
// Bounds: 256 remembered, 1,024 addresses; past either the table starts anew. One bcrypt at a time.

import CCrypt
import CGnuTLS

final class PasswordChecker: Sendable {
    enum Verdict: Equatable {
        case right, wrong, tooManyAttempts
        /// Not looked at: others' passwords are being checked.
        case busy
    }

    /// Attempts that an address has left, as of a time in nanoseconds.
    private struct Allowance: Sendable {
        var attempts: Double
        var asOf: UInt64
    }

    private struct State: Sendable {
        var remembered: Set<[UInt8]> = []
        var allowances: [String: Allowance] = [:]
        /// Seconds of computing that wrong attempts may still take, as of a time in nanoseconds.
        var seconds = PasswordChecker.burstSeconds
        var asOf: UInt64 = 0
        /// Attempts that compute or wait for one that does.
        var underWay = 0
    }

    private static let maximumRemembered = 256
    private static let maximumAddresses = 1024
    private static let burst = 5.0
    private static let burstSeconds = 1.0
    private static let secondsPerSecond = 0.25
    /// A hash of the shape of bcrypt's that no password has.
    private static let nobody = "$2y$10$" + String(repeating: "a", count: 21) + "O" + String(repeating: "a", count: 31)

    private let state = Monitor(State())
    /// Held while bcrypt runs.
    private let working = Monitor(())
    private let key: [UInt8]
    private let now: @Sendable () -> UInt64

    init(now: @escaping @Sendable () -> UInt64 = monotonicNow) {
        var key = [UInt8](repeating: 0, count: 32)
        // Safety: the call writes exactly the bytes of the array.
        let status = unsafe key.withUnsafeMutableBytes { unsafe ctls_random($0.baseAddress, $0.count) }
        precondition(status == 0, "no random bytes for the key of remembered passwords (GnuTLS \(status))")
        self.key = key
        self.now = now
    }

    /// Checks credentials against names and hashes.
    ///
    /// Concurrency: any thread. Cost: one HMAC when remembered, else one bcrypt; waits for one that runs only while nobody
    /// has been wrong lately.
    func check(_ credentials: BasicCredentials, _ users: [String: String], from address: String) -> Verdict {
        let hash = users[String(decoding: credentials.user, as: UTF8.self)]
        let tag = tag(credentials, hash ?? "")
        if hash != nil, state.withLock({ $0.remembered.contains(tag) }) { return .right }
        guard spendAttempt(of: address) else { return .tooManyAttempts }
        guard begin(now()) else {
            state.withLock { $0.allowances[address]?.attempts += 1 }
            return .busy
        }
        let setting = hash ?? Self.strangersHash(users)
        let (matches, took) = working.withLock { _ in
            let began = now()
            return (Self.matches(credentials.password, setting), now() &- began)
        }
        let isRight = matches && hash != nil
        end(spending: isRight ? 0 : took)
        guard isRight else { return .wrong }
        state.withLock { state in
            if state.remembered.count >= Self.maximumRemembered { state.remembered = [] }
            state.remembered.insert(tag)
            state.allowances[address]?.attempts += 1
        }
        return .right
    }

    /// How many credentials are remembered.
    var rememberedCount: Int { state.withLock { $0.remembered.count } }

    private func spendAttempt(of address: String) -> Bool {
        let now = now()
        return state.withLock { state in
            if state.allowances.count >= Self.maximumAddresses, state.allowances[address] == nil {
                state.allowances = [:]
            }
            var allowance = state.allowances[address] ?? Allowance(attempts: Self.burst, asOf: now)
            let gained = Double(now &- allowance.asOf) / 1e9
            allowance = Allowance(attempts: min(Self.burst, allowance.attempts + gained), asOf: now)
            let isAllowed = allowance.attempts >= 1
            if isAllowed { allowance.attempts -= 1 }
            state.allowances[address] = allowance
            return isAllowed
        }
    }

    /// Whether an attempt may be computed at all; ``end(spending:)`` must follow when it may.
    private func begin(_ now: UInt64) -> Bool {
        state.withLock { state in
            let gained = Double(now &- min(state.asOf, now)) / 1e9 * Self.secondsPerSecond
            state.seconds = min(Self.burstSeconds, state.seconds + gained)
            state.asOf = now
            let isAllowed = state.underWay == 0 ? state.seconds > 0 : state.seconds >= Self.burstSeconds
            if isAllowed { state.underWay += 1 }
            return isAllowed
        }
    }

    private func end(spending nanoseconds: UInt64) {
        state.withLock { state in
            state.underWay -= 1
            state.seconds -= Double(nanoseconds) / 1e9
        }
    }

    private func tag(_ credentials: BasicCredentials, _ hash: String) -> [UInt8] {
        // None of the three holds a NUL.
        let text = credentials.user + [0] + Array(hash.utf8) + [0] + credentials.password
        var digest = [UInt8](repeating: 0, count: 32)
        // Safety: both inputs are read and 32 bytes are written during the call.
        let status = unsafe digest.withUnsafeMutableBytes { out in
            unsafe key.withUnsafeBytes { key in
                unsafe text.withUnsafeBytes { text in
                    unsafe ctls_hmac(key.baseAddress, key.count, text.baseAddress, text.count, out.baseAddress)
                }
            }
        }
        precondition(status == 0, "HMAC-SHA-256 is not available (GnuTLS \(status))")
        return digest
    }

    /// A hash that costs what the users' cost.
    private static func strangersHash(_ users: [String: String]) -> String {
        let cost = users.values.map { $0.dropFirst(4).prefix(2) }.max() ?? "10"
        return "\(nobody.prefix(4))\(cost)\(nobody.dropFirst(6))"
    }

    private static func matches(_ password: [UInt8], _ hash: String) -> Bool {
        var made = [CChar](repeating: 0, count: 128)
        // Safety: both texts end with 0, and at most 128 bytes are written, ended with 0.
        let status = unsafe (password + [0]).withUnsafeBytes { raw in
            unsafe ccrypt_hash(raw.baseAddress?.assumingMemoryBound(to: CChar.self), hash, &made, made.count)
        }
        let found = Array(textUpToNUL(made).utf8)
        let wanted = Array(hash.utf8)
        guard status == 0, found.count == wanted.count else { return false }
        return zip(found, wanted).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
