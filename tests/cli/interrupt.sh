#!/bin/bash
# interrupt.sh - Ctrl-C ends a run soon, keeps what was measured and says so. usage: interrupt.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1
printf '%s\n' '[scenario]' 'duration = 1000h' 'warmup = 1s' 'replications = 3' '[overlay]' 'peers = 100' \
    'start = converged' '[workload]' 'lookups-per-peer-hour = 3600' >long.conf

# One peer needs no messages: nothing but the scenario's own actions happens.
printf '%s\n' '[scenario]' 'duration = 3650d' 'warmup = 1s' 'replications = 1' '[overlay]' 'peers = 1' \
    'start = converged' '[workload]' 'lookups-per-peer-hour = 3600000' >quiet.conf

# It would run for hours; a second after the signal it is gone, or the test's own limit says otherwise.
ends_soon_and_says_so() {
    local scenario=$1 pid status
    "$PEAL" run "$scenario" --out out --force >stdout 2>stderr </dev/null &
    pid=$!
    sleep 1
    kill -INT "$pid"
    timeout 5 tail --pid="$pid" -f /dev/null || { kill -KILL "$pid"; fail "still running after 5 s"; return; }
    wait "$pid"
    status=$?
    [ "$status" -eq 1 ] || fail "exit status $status" || return
    grep -q 'interrupted' stderr || fail "it did not say so: $(cat stderr)" || return
    grep -q 'out' stderr || fail "it did not say where the results are: $(cat stderr)"
}

what_was_measured_is_kept() {
    grep -q '"partial": true' out/summary.json || fail "summary.json does not say that it is partial" || return
    grep -q '"fingerprint": "[0-9a-f]\{16\}"' out/summary.json || fail "no fingerprint" || return
    awk -F'[:,]' '/"started"/ { exit !($2 > 0) }' out/summary.json || fail "no lookups were kept"
}

# Bash ignores SIGINT in background jobs unless job control is on.
set -m
check run_without_messages_can_be_interrupted ends_soon_and_says_so quiet.conf
check interrupted_run_ends_soon_and_says_so ends_soon_and_says_so long.conf
check interrupted_run_keeps_what_was_measured what_was_measured_is_kept
finish
