#!/bin/bash
# worlds.sh - the same scenario in the simulated world and with real nodes: hops equal lookup by lookup, latencies
# alike. usage: worlds.sh PEAL SOURCE-ROOT [full]; full takes 10 minutes, as scenarios/worlds.conf says.
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1") ROOT=$2 FORM=${3-short}
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1
export TMPDIR=$SCRATCH # so that what nodes leave behind is found
PORT=$((10000 + $$ % 200 * 100))

# Ports that nobody has now. They are looked at before the directory, which cannot be: nothing runs.
choose_ports() {
    local try
    for try in 1 2 3 4 5 6 7 8; do
        if ! "$PEAL" run "$ROOT/scenarios/worlds.conf" --on sockets --base-port "$PORT" --out /proc/none 2>&1 </dev/null |
            grep -q 'in use'; then
            return
        fi
        PORT=$((PORT + 400 * try))
    done
}
choose_ports

SETTINGS=()
LOOKUPS=5000 DISTANCE=0.03
if [ "$FORM" = short ]; then
    SETTINGS=(--set scenario.duration=30s --set scenario.warmup=12s --set overlay.peers=16
        --set overlay.update-interval=2s --set overlay.finger-interval=2s)
    LOOKUPS=200 DISTANCE=0.15
fi

# both NAME OPTION... runs the scenario in both worlds and compares them.
both() {
    local name=$1
    shift
    "$PEAL" run "$ROOT/scenarios/worlds.conf" --quiet --out "$name-sim" "${SETTINGS[@]}" "$@" </dev/null || return
    "$PEAL" run "$ROOT/scenarios/worlds.conf" --quiet --out "$name-sockets" "${SETTINGS[@]}" "$@" \
        --on sockets --base-port "$PORT" </dev/null || return
    "$PEAL" compare --no-plot "$name-sim" "$name-sockets" || return
    "$PEAL" compare --no-plot --json "$name-sim" "$name-sockets" >"$name.json"
}

# figure NAME KEY prints the only number of that key in a comparison.
figure() {
    sed -n "s/^ *\"$2\": \([0-9.e-]*\),*$/\1/p" "$1.json" | head -n 1
}

hops_are_equal_one_by_one() {
    both constant || return
    local answered equal
    answered=$(figure constant answered) equal=$(figure constant hops_equal)
    [ "$answered" -ge "$LOOKUPS" ] || fail "only $answered lookups were made by both" || return
    [ "$answered" -eq "$equal" ] || fail "$equal of $answered have equal hops" || return
    grep -q '"world": "sockets"' constant-sockets/summary.json || fail 'the summary does not name its world'
}

latencies_are_alike() {
    both synthetic --set network.latency=synthetic --set 'network.jitter=exponential(mean=5ms)' || return
    local distance
    distance=$(figure synthetic ks_distance)
    awk "BEGIN { exit !($distance < $DISTANCE) }" || fail "the distributions lie $distance apart"
}

# Phones register at their peers and call each other, in both worlds as often and with the same success.
calls_are_answered_in_both() {
    local SETTINGS=(--set scenario.duration=24s --set scenario.warmup=10s --set overlay.peers=6
        --set workload.calls-per-user-hour=600 --set workload.call-duration=constant:2s --set workload.ring=300ms)
    local world started answered messages=
    both calls || return
    for world in sim sockets; do
        started=$(sed -n '/"calls": {/,/}/s/.*"started": \([0-9]*\).*/\1/p' "calls-$world/summary.json" | head -n 1)
        answered=$(sed -n '/"calls": {/,/}/s/.*"answered": \([0-9]*\).*/\1/p' "calls-$world/summary.json" | head -n 1)
        [ "${started:-0}" -gt 3 ] || fail "$world: ${started:-no} calls" || return
        [ "$answered" -eq "$started" ] || fail "$world: $answered of $started calls were answered" || return
        messages+=" $(sed -n '/"sip": {/,/}/s/.*"messages": \([0-9]*\).*/\1/p' "calls-$world/summary.json" | head -n 1)"
    done
    awk "BEGIN { split(\"$messages\", m); exit !(m[1] > 0 && m[2] > 0.8 * m[1] && m[2] < 1.25 * m[1]) }" ||
        fail "SIP messages of both worlds:$messages" || return
    grep -q '"setup_difference_ms"' calls.json || fail 'calls were not compared one by one'
}

# Nodes that join before time 0 have made a ring by then.
converged_overlay_is_there_at_time_zero() {
    "$PEAL" run "$ROOT/scenarios/lookup.conf" --out converged --set overlay.peers=8 --set scenario.duration=15s \
        --set scenario.warmup=3s --set workload.lookups-per-peer-hour=3600 --on sockets --base-port "$PORT" \
        >stdout 2>stderr </dev/null || fail "it failed: $(cat stderr)" || return
    grep -q ' lookups .* 100.00 % succeeded, 100.00 % correct' stdout || fail "$(cat stdout)" || return
    grep -q 'one of 8 peers, 0 not joined; 8 values, 0 lost' stdout || fail "$(cat stdout)"
}

# A second after the signal all is gone, and what was measured is kept.
interrupted_run_ends_in_order() {
    local pid status
    set -m # or Bash has background jobs ignore SIGINT
    "$PEAL" run "$ROOT/scenarios/worlds.conf" --quiet --out interrupted --set overlay.peers=4 --on sockets \
        --base-port "$PORT" >stdout 2>stderr </dev/null &
    pid=$!
    sleep 3
    kill -INT "$pid"
    timeout 10 tail --pid="$pid" -f /dev/null || { kill -KILL "$pid"; fail 'still running after 10 s'; return; }
    wait "$pid"
    status=$?
    [ "$status" -eq 1 ] || fail "exit status $status" || return
    grep -q interrupted stderr || fail "it did not say so: $(cat stderr)" || return
    grep -q '"partial": true' interrupted/summary.json || fail 'summary.json does not say that it is partial'
}

# A node that dies is told of, with its last words, and ends the run.
dead_node_ends_the_run() {
    local pid status
    "$PEAL" run "$ROOT/scenarios/worlds.conf" --quiet --out dead --set overlay.peers=4 --on sockets \
        --base-port "$PORT" >stdout 2>stderr </dev/null &
    pid=$!
    sleep 3
    kill -KILL "$(pgrep -f "$SCRATCH/peal-run-.*/peer-2.conf")"
    wait "$pid"
    status=$?
    rm -rf "$SCRATCH"/peal-run-* # the logs that the message speaks of
    [ "$status" -eq 1 ] || fail "exit status $status" || return
    grep -q 'peer 2 has ended' stderr || fail "it did not say so: $(cat stderr)"
}

no_node_is_left() {
    ! pgrep -af "$SCRATCH/peal-run" || fail 'processes are left' || return
    ! ls -d "$SCRATCH"/peal-run* || fail 'files are left'
}

check simulation_and_sockets_take_equal_hops hops_are_equal_one_by_one
check simulation_and_sockets_have_alike_latencies latencies_are_alike
check simulation_and_sockets_answer_calls calls_are_answered_in_both
check converged_start_on_sockets_succeeds converged_overlay_is_there_at_time_zero
check run_on_sockets_can_be_interrupted interrupted_run_ends_in_order
check node_that_dies_ends_the_run dead_node_ends_the_run
check no_node_is_left_behind no_node_is_left
finish
