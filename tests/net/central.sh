#!/bin/bash
# central.sh - one server and its hosts as real nodes: what is registered at the server is found from every node, not
# while the server is down, and again afterwards; phones at the hosts call each other through it.
# usage: central.sh PEAL
set -u -o pipefail
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
BASE=${PEAL_CENTRAL_BASE:-25400}
SCRATCH=$(mktemp -d /tmp/peal-central-XXXXXX)
STARTED=()
declare -A PID

tidy() {
    local pid
    for pid in "${STARTED[@]}"; do
        kill -9 "$pid" 2>/dev/null
    done
    # shellcheck disable=SC2086
    rm -rf $TAP_CLEANUP "$SCRATCH"
}
trap tidy EXIT

if ! command -v jq >/dev/null; then
    skip central "needs jq"
    finish
fi

# Node 0 is the server; each has three ports.
configure() { # NODE
    local way="bootstrap = 127.0.0.1:$((BASE + 1))"
    [ "$1" -ne 0 ] || way="first = yes"
    cat >"$SCRATCH/$1.conf" <<END
[node]
control = $SCRATCH/$1.sock
state-dir = $SCRATCH/$1.state
[overlay]
name = p2p.test
topology = central
insecure-links = yes
listen = 127.0.0.1:$((BASE + 10 * $1 + 1))
$way
[sip]
listen = 127.0.0.1:$((BASE + 10 * $1))
[http]
listen = none
END
}

run() { # NODE
    "$PEAL" node "$SCRATCH/$1.conf" >>"$SCRATCH/$1.log" 2>&1 &
    PID[$1]=$!
    STARTED+=($!)
    disown
}

crash() { # NODE
    kill -9 "${PID[$1]}"
    while [ -e "/proc/${PID[$1]}/exe" ]; do
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

is_joined() { "$PEAL" status --socket "$SCRATCH/$1.sock" --json | jq -e '.state == "joined"'; }
# The status of a node that is not healthy is told with exit status 1.
is_out() { { "$PEAL" status --socket "$SCRATCH/$1.sock" --json || true; } | jq -e '.state == "joining"'; }
finds() { "$PEAL" lookup --socket "$SCRATCH/$1.sock" sip:bob@p2p.test; }

three_nodes_join() {
    local node
    for node in 0 1 2; do
        configure $node
        run $node
    done
    for node in 0 1 2; do
        within 10 is_joined $node || { cat "$SCRATCH/$node.log"; return 1; }
    done
}

registered_is_found_from_all() {
    local node
    "$PEAL" register --socket "$SCRATCH/0.sock" sip:bob@p2p.test sip:bob@127.0.0.1:9 --expires 10min || return
    for node in 0 1 2; do
        finds $node || return
    done
    sleep 3 # what is registered is written to disk within that time
}

nobody_finds_without_the_server() {
    crash 0
    within 10 is_out 1 || return
    ! finds 1 || fail 'node 1 found bob with the server gone'
}

all_find_again_what_the_server_has_kept() {
    local node
    run 0
    within 10 is_joined 0 || return
    for node in 0 1 2; do
        within 70 finds $node || { cat "$SCRATCH/$node.log"; return 1; }
    done
}

phones_of_hosts_call_each_other() {
    cat >"$SCRATCH/calls.conf" <<END
[scenario]
duration = 12s
warmup = 2s
replications = 1
[overlay]
topology = central
peers = 4
start = converged
[network]
latency = constant:20ms
[workload]
lookups-per-peer-hour = 0
calls-per-user-hour = 900
call-duration = constant:1s
ring = 500ms
END
    "$PEAL" run "$SCRATCH/calls.conf" --on sockets --base-port $((BASE + 100)) --quiet --out "$SCRATCH/sockets" || return
    "$PEAL" run "$SCRATCH/calls.conf" --quiet --out "$SCRATCH/sim" || return
    jq -e '.calls | .answered > 2 and .answered == .started' "$SCRATCH/sockets/summary.json" || return
    # Two round trips of 40 ms, and in the simulation 0.25 ms more in each house.
    jq -e '.calls.setup_ms.max >= 80' "$SCRATCH/sockets/summary.json" || return
    jq -e '.calls.setup_ms.max == 81' "$SCRATCH/sim/summary.json"
}

check three_nodes_join three_nodes_join
check what_is_registered_at_the_server_is_found_from_all_nodes registered_is_found_from_all
check nobody_finds_anybody_while_the_server_is_down nobody_finds_without_the_server
check all_find_again_what_the_server_has_kept all_find_again_what_the_server_has_kept
check phones_of_hosts_call_each_other_through_the_server phones_of_hosts_call_each_other
finish
