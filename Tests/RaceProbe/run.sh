#!/bin/sh
# Runs the race probe under a sanitizer: every strategy, and the flight recorder, must be clean, and what is planted must
# be found. A sanitizer that finds nothing planted proves nothing.
#
#     [SANITIZER=thread|address] Tests/RaceProbe/run.sh [OPERATIONS [SEED [ROUNDS]]]
#
# Each strategy lives through ROUNDS maps of so many operations, each with a seed of its own, eight threads at a time.
# CONFIGURATION=release makes it five times as fast, and what it watches is what ships.
set -eu
cd "$(dirname "$0")/../.."
operations=${1:-400000}
seed=${2:-1}
rounds=${3:-1}
configuration=${CONFIGURATION:-debug}
strategies="sharded rwlock optimistic checked recorded recorder"

# With its crash handler on, Swift's runtime and the sanitizer wait for each other.
export SWIFT_BACKTRACE=enable=no
case ${SANITIZER:-thread} in
thread)
    sanitizer=ThreadSanitizer planted=unguarded
    export TSAN_OPTIONS=halt_on_error=1:exitcode=66
    # Swift 6.3.1 emits a bitcast for the instrumented BasicContainers (swift-collections 1.6.0, the hash tables, which
    # nobody here calls) that its own verifier refuses: a crash of the compiler. Without the verifier it compiles.
    set -- --sanitize=thread --scratch-path .build-tsan -Xswiftc -Xfrontend -Xswiftc -disable-llvm-verify
    ;;
address)
    sanitizer=AddressSanitizer planted=freed
    export ASAN_OPTIONS=exitcode=66
    set -- --sanitize=address --scratch-path .build-asan
    ;;
*)
    echo "SANITIZER is thread or address, not $SANITIZER" >&2
    exit 2
    ;;
esac

swift build -c "$configuration" "$@" --product race-probe
probe=$(swift build -c "$configuration" "$@" --show-bin-path)/race-probe
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
    cat "$log" >&2
    echo "race-probe: $1" >&2
    exit 1
}

# A run on two busy cores does 10,000 operations a second and more.
limit=$((120 + operations / 5000))

# run MAP SEED: runs the probe on one map; its exit status is left in $status and all that it said in $log.
run() {
    status=0
    timeout "$limit" "$probe" "$1" --operations "$operations" --seed "$2" >"$log" 2>&1 || status=$?
}

total=0
for round in $(seq "$rounds"); do
    for strategy in $strategies; do
        run "$strategy" $((seed + round - 1))
        if grep -q "$sanitizer" "$log"; then fail "$sanitizer reports a fault in $strategy"; fi
        if [ "$status" -ne 0 ]; then fail "$strategy ended with status $status"; fi
        if ! grep -q "invariants hold" "$log"; then fail "$strategy did not say that its invariants hold"; fi
        total=$((total + operations))
        echo "$(cat "$log"), seed $((seed + round - 1)); $total in all"
    done
done

run "$planted" "$seed"
if ! grep -q "$sanitizer: " "$log"; then fail "what is planted was NOT reported: this run proves nothing"; fi
if [ "$status" -ne 66 ]; then fail "$planted ended with status $status, not with the sanitizer's 66"; fi
grep "$sanitizer: " "$log" | head -n 1
echo "race-probe: $total operations on $(echo "$strategies" | wc -w) strategies clean under $sanitizer, what is planted found"
