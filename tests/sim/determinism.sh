#!/bin/bash
# determinism.sh - one scenario and seed, one fingerprint: again, captured, by the other compiler, optimised or not.
# usage: determinism.sh PEAL SOURCE-ROOT SCRATCH-DIRECTORY INSTRUMENTED. Other builds are kept in SCRATCH-DIRECTORY.
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1") ROOT=$2 BUILDS=$3 INSTRUMENTED=$4
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"

# A little of everything that could differ: joins, loss, jitter, failures, storage, randomness of every kind.
cat >"$SCRATCH/mixed.conf" <<'END'
[scenario]
duration = 2min
warmup = 10s
seed = 3
replications = 2
[overlay]
peers = 60
start = joins
crypto = modelled
[network]
latency = synthetic
loss = 1%
jitter = lognormal(mean=5ms, median=3ms)
[peer]
cpu = exponential:100us
queue = 1000
[workload]
users-per-peer = 2
lookups-per-peer-hour = 600
calls-per-user-hour = 120
[event:fail]
at = 1min
do = fail 10% of peers
[event:more]
at = 80s
do = join 5 peers
[attack:lies]
kind = wrong-answer
attackers = 5%
from = 40s
[attack:flood]
kind = sip-flood
phones = 3
rate = 2/s
[attack:storm]
kind = storm
identities = 3
from = 30s
period = 20s
END

# fingerprint PROGRAM ARGUMENT... prints a run's fingerprint.
fingerprint() {
    local program=$1
    shift
    "$program" run "$SCRATCH/mixed.conf" --quiet --force --out "$SCRATCH/out" "$@" >"$SCRATCH/stdout" || return
    sed -n '0,/"fingerprint"/s/.*"fingerprint": "\([0-9a-f]\{16\}\)".*/\1/p' "$SCRATCH/out/summary.json"
}

same_as_first() {
    local other
    other=$(fingerprint "$@") || fail "the run failed" || return
    [[ -n $other && $other == "$FIRST" ]] || fail "$other is not $FIRST"
}

other_seed_differs() {
    local other
    other=$(fingerprint "$PEAL" --seed 4) || fail "the run failed" || return
    [[ -n $other && $other != "$FIRST" ]] || fail "seeds 3 and 4 both give $FIRST"
}

# build COMPILER BUILDTYPE builds peal once and prints its path.
build() {
    local dir=$BUILDS/$1-$2
    [ -f "$dir/build.ninja" ] || CC=$1 meson setup "$dir" "$ROOT" --buildtype="$2" >&2 || return
    meson compile -C "$dir" peal >&2 || return
    echo "$dir/peal"
}

same_when_built() {
    local program
    program=$(build "$1" "$2") || fail "no build" || return
    same_as_first "$program"
}

FIRST=$(fingerprint "$PEAL")
check fingerprint_repeats same_as_first "$PEAL"
check fingerprint_is_the_same_with_a_capture same_as_first "$PEAL" --pcap "$SCRATCH/traffic.pcap"
check other_seed_other_fingerprint other_seed_differs
for build in 'gcc debug' 'gcc release' 'clang debug' 'clang release'; do
    name="fingerprint_is_the_same_by_${build/ /_}"
    if [ "$INSTRUMENTED" = true ]; then
        skip "$name" 'an instrumented build compares with none'
    elif ! command -v "${build% *}" >/dev/null; then
        skip "$name" "${build% *} is not installed"
    else
        # shellcheck disable=SC2086 # two words
        check "$name" same_when_built $build
    fi
done
finish
