#!/bin/bash
# flood.sh - phones flood real nodes on loopback, for some seconds and at bounded rates: requests that a node answers by
# itself leave the calls of honest phones alone; calls that nobody means keep phones busy, unless nodes count what comes
# from strangers.
# usage: flood.sh PEAL
set -u -o pipefail
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
BASE=${PEAL_FLOOD_BASE:-22100}
SCRATCH=$(mktemp -d /tmp/peal-flood-XXXXXX)
TAP_CLEANUP="$TAP_CLEANUP $SCRATCH"

if ! command -v jq >/dev/null; then
    skip flood "needs jq"
    finish
fi

# Twelve users of four nodes, each of whom calls another every 4 s; 1,000 requests a second for 4 s at node 1.
cat >"$SCRATCH/flood.conf" <<END
[scenario]
duration = 9s
warmup = 2s
replications = 1
[overlay]
peers = 4
start = converged
neighbours = 3
[network]
latency = constant:5ms
[workload]
users-per-peer = 3
calls-per-user-hour = 900
call-duration = constant:1s
lookups-per-peer-hour = 0
ring = 200ms
[attack:flood]
kind = sip-flood
method = options
phones = 20
rate = 50/s
target = peer 1
from = 3s
until = 7s
END

run() { # RESULTS OPTION...
    local out=$SCRATCH/$1
    shift
    "$PEAL" run "$SCRATCH/flood.conf" --on sockets --base-port "$BASE" --quiet --out "$out" "$@"
}

holds() { # RESULTS CONDITION
    jq -e "$2" "$SCRATCH/$1/summary.json" >/dev/null || { jq '{attack, calls}' "$SCRATCH/$1/summary.json"; return 1; }
}

# Poisson: 4,000 with a deviation of 63, less what a busy machine is late with.
options_are_answered_beside_calls() {
    run options || return
    holds options '.attack.sent > 2000 and .attack.sent < 4400' || return
    holds options '.attack.answered > 0.9 * .attack.sent' || return
    holds options '.calls.started > 5 and .calls.answered >= 0.9 * .calls.started'
}

registrations_are_answered_beside_calls() {
    run register --set attack:flood.method=register || return
    holds register '.attack.answered > 0.9 * .attack.sent' || return
    holds register '.calls.started > 5 and .calls.answered >= 0.9 * .calls.started'
}

# Five phones at 200 a second each, that call everybody: the phones of 48 users take 64 calls each, and a node so many
# transactions.
calls_that_nobody_means() { # RESULTS OPTION...
    local out=$1
    shift
    run "$out" --set attack:flood.method=invite --set attack:flood.phones=5 --set attack:flood.rate=200/s \
        --set workload.users-per-peer=12 --set workload.calls-per-user-hour=225 "$@" || return
    holds "$out" '.attack.sent > 2000 and .calls.started > 10'
}

invites_keep_everybody_busy() {
    calls_that_nobody_means invite || return
    holds invite '.attack.answered > 2000 and .calls.answered < 0.85 * .calls.started'
}

# A phone that nobody knows gets 20 requests through, and 4 more a second; those that have registered 100 times that.
tokens_for_strangers_keep_calls_going() {
    calls_that_nobody_means tokens --set defence.source-rate=4/s --set defence.known-factor=100 || return
    holds tokens '.attack.answered < 1200 and .calls.answered >= 0.9 * .calls.started'
}

the_time_of_a_flood_is_marked() {
    [ "$(sqlite3 "$SCRATCH/options/results.db" "SELECT group_concat(text, '; ') FROM events")" = \
        'flood begins: sip-flood on peer 1; flood ends: sip-flood on peer 1' ]
}

other_attacks_are_refused_by_name() {
    ! run refused --set attack:flood.kind=drop >"$SCRATCH/out" 2>&1 || fail 'it ran' || return
    sed '/^\[attack/,$d' "$SCRATCH/flood.conf" >"$SCRATCH/drop.conf"
    printf '[attack:bad]\nkind = drop\nattackers = 1\n' >>"$SCRATCH/drop.conf"
    "$PEAL" run "$SCRATCH/drop.conf" --on sockets --base-port "$BASE" --out "$SCRATCH/no" >"$SCRATCH/out" 2>&1
    [ $? -eq 2 ] || fail 'another exit status' || return
    grep -q 'attack:bad.kind = drop: nodes are honest.*--on sockets' "$SCRATCH/out" || { cat "$SCRATCH/out"; return 1; }
}

check options_are_answered_beside_calls options_are_answered_beside_calls
check registrations_are_answered_beside_calls registrations_are_answered_beside_calls
check invites_keep_everybody_busy invites_keep_everybody_busy
check tokens_for_strangers_keep_calls_going tokens_for_strangers_keep_calls_going
if command -v sqlite3 >/dev/null; then
    check the_time_of_a_flood_is_marked the_time_of_a_flood_is_marked
else
    skip the_time_of_a_flood_is_marked "needs sqlite3"
fi
check other_attacks_are_refused_by_name other_attacks_are_refused_by_name
finish
