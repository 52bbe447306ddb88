#!/bin/bash
# replay_fit.sh PEAL TRAFFIC - a capture of traffic with known distributions becomes a scenario for
# ten times as many users, and a run of it has its rate.
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
TRAFFIC=$(readlink -f "$2")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1

# near WHAT GOT TRUTH SHARE: within so much of it.
near() {
    awk -v got="$2" -v truth="$3" -v share="$4" \
        'BEGIN { exit !(got > truth * (1 - share) && got < truth * (1 + share)) }' ||
        fail "$1 is $2, not $3"
}

# parameter KEY FAMILY NAME: of the scenario that was written, without its unit.
parameter() {
    sed -nE "s/^$1 = $2\(.*$3=([0-9.]+).*\)\$/\1/p" my.conf
}

writes_what_it_was_generated_with() {
    "$TRAFFIC" traffic.pcap 1 && "$PEAL" replay traffic.pcap --write-scenario my.conf --users 2000 || return
    near shape "$(parameter call-interval weibull shape)" 0.7 0.05 &&
        near scale "$(parameter call-interval weibull scale)" 80 0.05 &&
        near median "$(parameter call-duration lognormal median)" 60 0.05 &&
        near sigma "$(parameter call-duration lognormal sigma)" 1.2 0.05 &&
        near mean "$(parameter register-expires exponential mean)" 111.1 0.05
}

does_not_replace_a_file() {
    cp my.conf before.conf
    ! "$PEAL" replay traffic.pcap --write-scenario my.conf 2>error || return
    cmp my.conf before.conf && grep -q -e --force error
}

# Nearly 10 calls a second for 9 min behind the warm-up; four standard deviations of their number.
runs_at_the_rate_of_the_trace() {
    "$PEAL" run my.conf --quiet --out out --set scenario.duration=10min --json >run.json || return
    near calls "$(jq .calls.started run.json)" 5333 0.08 &&
        near answered "$(jq .calls.answered run.json)" "$(jq .calls.started run.json)" 0.001
}

check fitted_scenario_has_what_the_capture_was_generated_with writes_what_it_was_generated_with
check fitted_scenario_replaces_no_file does_not_replace_a_file
check fitted_scenario_runs_at_the_rate_of_the_trace runs_at_the_rate_of_the_trace
finish
