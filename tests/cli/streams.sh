#!/bin/bash
# streams.sh - standard streams that are closed, full or broken, and odd bytes in arguments, cost no results.
# usage: streams.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1
printf '%s\n' '[scenario]' 'duration = 1min' 'warmup = 0s' 'replications = 3' '[overlay]' 'peers = 5' \
    'start = converged' >small.conf

# Most of the replications end when nobody reads any more.
reader_that_leaves_costs_no_results() {
    "$PEAL" run small.conf --out piped --set scenario.replications=64 2>stderr | head -n 1 >first
    [ "$(cat first)" = '5 peers, replication 0 (seed 1)' ] || fail "it began: $(cat first)" || return
    grep -q '"partial": false' piped/summary.json || fail 'replications are missing'
}

full_output_is_a_failure() {
    local status
    "$PEAL" run small.conf --out full --json >/dev/full 2>stderr
    status=$?
    [ "$status" -eq 1 ] || fail "exit status $status" || return
    grep -q 'standard output' stderr || fail "it did not say so: $(cat stderr)" || return
    [ -s full/summary.json ] || fail 'no summary'
}

closed_streams_lead_into_no_file() {
    "$PEAL" run small.conf --out open --pcap open.pcap >/dev/null || return
    "$PEAL" run small.conf --out closed --pcap closed.pcap <&- >&- 2>&- || fail 'it failed' || return
    cmp open.pcap closed.pcap || return
    grep -q '"partial": false' closed/summary.json || fail 'replications are missing'
}

name_beyond_ascii_is_found_in_any_locale() {
    printf '0 10 20 30 40\n%.0s' 1 2 3 4 5 >müller.txt
    LC_ALL=C "$PEAL" run small.conf --out named --set network.latency=matrix:müller.txt >/dev/null
}

check reader_that_leaves_costs_no_results reader_that_leaves_costs_no_results
check full_output_is_a_failure full_output_is_a_failure
check closed_streams_lead_into_no_file closed_streams_lead_into_no_file
check name_beyond_ascii_is_found_in_any_locale name_beyond_ascii_is_found_in_any_locale
finish
