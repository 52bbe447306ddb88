#!/bin/bash
# churn.sh - peers of a scenario come and go as processes: by distributions from a converged start, and by a trace.
# usage: churn.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
export TMPDIR="$SCRATCH"
cd "$SCRATCH" || exit 1

scenario() {
    printf '%s\n' '[scenario]' "duration = $1" 'warmup = 0s' 'replications = 1' \
        '[overlay]' "peers = $2" "start = $3" 'join-interval = 300ms' 'update-interval = 5s' \
        '[network]' 'latency = constant:5ms' \
        '[workload]' 'lookups-per-peer-hour = 3600' 'lookup-target = online' '[churn]'
}

figure() { jq -e "$2" "$1/summary.json"; }

# Both worlds have the same turns: the plan of a seed is one.
processes_come_and_go_as_simulated_peers_do() {
    { scenario 15s 5 converged; printf '%s\n' 'session = exponential(mean=8s)' \
        'absence = exponential(mean=4s)' 'leaves = 50%'; } >churn.conf
    "$PEAL" run churn.conf --on sockets --base-port 21200 --out sockets || return
    "$PEAL" run churn.conf --out simulated || return
    local ends='.membership.left + .membership.failed'
    [ "$(figure sockets "$ends")" = "$(figure simulated "$ends")" ] ||
        fail "ends: $(figure sockets "$ends"), simulated $(figure simulated "$ends")" || return
    figure sockets '.membership.left > 0 and .membership.failed > 0 and .membership.joined > 0' &&
        figure sockets '.lookups.started > 10 and .lookups.success_rate.mean > 0.8'
}

processes_follow_a_trace() {
    printf '%s\n' '# who comes and goes' '0 0 up' '0 1 up' '1 2 up' '4 1 down' '5.5 1 up' '7 2 down' >trace
    { scenario 9s 3 joins; echo 'session = trace:trace'; } >trace.conf
    "$PEAL" run trace.conf --on sockets --base-port 21300 --out traced || return
    figure traced '.membership.failed == 2 and .membership.left == 0 and .membership.joined == 4' &&
        figure traced '.ring.members.mean == 2 and .lookups.reachable > 0'
}

if [ -z "$(command -v jq)" ]; then
    skip processes_come_and_go_as_simulated_peers_do 'no jq'
    skip processes_follow_a_trace 'no jq'
else
    check processes_come_and_go_as_simulated_peers_do processes_come_and_go_as_simulated_peers_do
    check processes_follow_a_trace processes_follow_a_trace
fi
finish
