#!/bin/bash
# restart.sh - real nodes that crash and are started again at once, under the Node-ID they had.
# usage: restart.sh PEAL
set -u -o pipefail
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
BASE=${PEAL_RESTART_BASE:-22600}
ROUNDS=${PEAL_RESTART_ROUNDS:-3}
SCRATCH=$(mktemp -d /tmp/peal-restart-XXXXXX)
DIR=$SCRATCH/tb
STARTED=()

tidy() {
    local pid
    for pid in "${STARTED[@]}"; do
        kill -9 "$pid" 2>/dev/null
    done
    "$PEAL" testbed stop --dir "$DIR" >/dev/null 2>&1
    # shellcheck disable=SC2086
    rm -rf $TAP_CLEANUP "$SCRATCH"
}
trap tidy EXIT

if ! command -v jq >/dev/null; then
    skip restart "needs jq"
    finish
fi

conf() { echo "$DIR/peer-$1/node.conf"; }
status() { "$PEAL" status --socket "$DIR/peer-$1/control" --json; }

# The testbed finds a peer by its pid file, whoever started it.
run() { # PEER
    "$PEAL" node "$(conf "$1")" >>"$DIR/peer-$1/log" 2>&1 &
    STARTED+=($!)
    disown
    echo $! >"$DIR/peer-$1/pid"
}

crash() { # PEER
    kill -9 "$(cat "$DIR/peer-$1/pid")"
    while [ -e "/proc/$(cat "$DIR/peer-$1/pid")/exe" ]; do
        sleep 0.01
    done
}

# within SECONDS COMMAND... : until then it succeeds once.
within() {
    local end=$(($(date +%s%N) + $1 * 1000000000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s%N)" -lt "$end" ] || fail "not in time: $*" || return
        sleep 0.05
    done
}

# Each one's first successor is the next of all peers.
is_one_ring() {
    "$PEAL" testbed status --dir "$DIR" --json | jq -e '
        [.[].status] | sort_by(.node_id) as $ring | ($ring | length) as $n |
        all(range($n); $ring[.].successors[0] == $ring[(. + 1) % $n].node_id)'
}

is_back() { # PEER
    status "$1" | jq -e '.healthy and .state == "joined"'
}

comes_back() { # PEER
    local round before
    before=$(status "$1" | jq -r .node_id) || return
    for ((round = 0; round < ROUNDS; round++)); do
        crash "$1"
        run "$1"
        within 15 is_back "$1" || { tail "$DIR/peer-$1/log"; return 1; }
        within 15 is_one_ring || return
    done
    [ "$(status "$1" | jq -r .node_id)" = "$before" ] || fail "another Node-ID"
}

registered_before_is_found_after() {
    "$PEAL" register --socket "$DIR/peer-1/control" sip:bob@p2p.test --expires 10min || return
    crash 3
    run 3
    within 15 is_back 3 || return
    within 15 "$PEAL" lookup --socket "$DIR/peer-3/control" sip:bob@p2p.test
}

# All at once: nobody is there, and the first founds the overlay anew.
all_come_back() {
    local peer
    for peer in 1 2 3 4 5; do
        crash $peer
    done
    for peer in 5 4 3 2 1; do
        run $peer
    done
    for peer in 1 2 3 4 5; do
        within 25 is_back $peer || { tail "$DIR/peer-$peer/log"; return 1; }
    done
    within 15 is_one_ring
}

check five_peers_become_one_overlay "$PEAL" testbed start --peers 5 --dir "$DIR" --base-port "$BASE" -q
check a_peer_that_crashes_comes_back_at_once comes_back 4
check what_was_registered_is_found registered_before_is_found_after
check the_first_peer_comes_back_into_the_same_overlay comes_back 1
check all_that_crash_become_one_overlay_again all_come_back
finish
