#!/usr/bin/env bash
# Fuzzes each target, or the one that is named, and fails at the first find, whose input it keeps:
#
#     Fuzzing/run.sh [SECONDS-A-TARGET [TARGET]]
#
# The seeds under Corpus are committed; what libFuzzer finds worth keeping is added to a copy, which the next run takes
# up again. Inputs over 4 KiB are tried only as far as the seeds hold such.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
targets=${2:-request-target accept batch configuration web-configuration}
build=$PWD/.build-fuzz
# A crash must end at once and not wait for a backtrace.
export SWIFT_BACKTRACE=enable=no

swift build -c release --package-path Fuzzing --scratch-path "$build" --product fuzz \
    -Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing -Xswiftc -use-ld=lld -Xcc -fsanitize=fuzzer-no-link,address

for target in $targets; do
    corpus=$build/corpus/$target
    mkdir -p "$corpus" "$build/finds"
    echo "== $target, $seconds s"
    # Leaks are not looked for: the Swift runtime keeps what it has made once for the life of the process.
    if ! FUZZ_TARGET=$target "$build/release/fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=20 \
        -rss_limit_mb=2048 -detect_leaks=0 -dict="Fuzzing/Dictionaries/$target.dict" \
        -artifact_prefix="$build/finds/$target-" -print_final_stats=1 "$corpus" "Fuzzing/Corpus/$target" \
        >"$build/$target.log" 2>&1; then
        tail -n 40 "$build/$target.log"
        echo "$target: a find; the whole report is $build/$target.log" >&2
        exit 1
    fi
    grep -E '^(Done|stat::peak)' "$build/$target.log"
done
