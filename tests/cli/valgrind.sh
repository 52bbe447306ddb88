#!/bin/bash
# valgrind.sh - a small run of everything leaks and misreads nothing. usage: valgrind.sh PEAL INSTRUMENTED
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1") INSTRUMENTED=$2
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
printf '%s\n' '[scenario]' 'duration = 20s' 'warmup = 1s' '[overlay]' 'peers = 12' 'start = joins' '[workload]' \
    'users-per-peer = 1' 'lookups-per-peer-hour = 1800' '[event:fail]' 'at = 10s' 'do = fail 2 peers' \
    '[event:leave]' 'at = 12s' 'do = leave 1 peers' >"$SCRATCH/small.conf"

run_is_clean() {
    valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
        "$PEAL" run "$SCRATCH/small.conf" --quiet --out "$SCRATCH/out" --pcap "$SCRATCH/traffic.pcap"
}

if [ "$INSTRUMENTED" = true ]; then
    skip valgrind_finds_nothing_in_a_run 'the build has sanitizers of its own'
elif ! command -v valgrind >/dev/null; then
    skip valgrind_finds_nothing_in_a_run 'valgrind is not installed'
else
    check valgrind_finds_nothing_in_a_run run_is_clean
fi
finish
