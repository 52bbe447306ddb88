#!/bin/bash
# soak.sh - load and rubbish for so many seconds on a 3-peer overlay: REGISTERs and calls, spoiled SIP over UDP
# and TCP, spoiled RELOAD. Nobody crashes, memory stays, and what is asked is still answered.
# usage: soak.sh PEAL SIP-LOAD MUTATE SIP-MESSAGES RELOAD-MESSAGES SECONDS
set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"
# shellcheck source=tests/interop/overlay_lib.sh
. "$here/overlay_lib.sh"
PEAL=$(readlink -f "$1") LOAD=$(readlink -f "$2") MUTATE=$(readlink -f "$3")
SIP_MESSAGES=$(readlink -f "$4") RELOAD_MESSAGES=$(readlink -f "$5") LENGTH=$6
SCRATCH=$(mktemp -d)
OVERLAY=$SCRATCH/tb BASE=25800
MUTANTS=100000            # SIP messages in all; half over each transport
GROWTH_FROM=$((LENGTH * 3 / 10)) # from then on memory may not grow by more than 2 %
TAP_CLEANUP+=" $SCRATCH"
PIDS=()
trap 'kill "${PIDS[@]}" 2>/dev/null; overlay_end >/dev/null 2>&1; rm -rf $TAP_CLEANUP' EXIT
[ -n "$SIP_MESSAGES" ] && [ -d "$SIP_MESSAGES" ] || SIP_MESSAGES=$here/../fuzz/corpus/sip
[ "$LENGTH" -ge 300 ] || MUTANTS=$((MUTANTS * LENGTH / 300))

resident() { # PEER: KiB
    awk '/^VmRSS:/ { print $2 }' "/proc/$(pid_of "$1")/status"
}

# Until the end: REGISTERs, then calls, a batch at a time.
load() {
    while [ "$SECONDS" -lt "$END" ]; do
        "$LOAD" register 5000 16 "$BASE" || return
        "$LOAD" call 1000 8 $((BASE + 10)) "$BASE" || return
        sleep 0.5
    done
}

rubbish() { # MESSAGES TRANSPORT PORT COUNT: in slices over the whole length
    local slices=$((LENGTH / 5 - 1)) seed
    for ((seed = 1; seed <= slices && SECONDS < END; seed++)); do
        "$MUTATE" "$1" $(($4 / slices + 50)) "$seed" "$2" "$3" || return
        sleep 4
    done
}

soak() {
    local status=0 pid k
    END=$((SECONDS + LENGTH))
    load >"$SCRATCH/load" 2>&1 & PIDS+=($!)
    rubbish "$SIP_MESSAGES" udp "$BASE" $((MUTANTS / 2)) >"$SCRATCH/sip-udp" 2>&1 & PIDS+=($!)
    rubbish "$SIP_MESSAGES" tcp $((BASE + 20)) $((MUTANTS / 2)) >"$SCRATCH/sip-tcp" 2>&1 & PIDS+=($!)
    rubbish "$RELOAD_MESSAGES" udp $((BASE + 11)) "$MUTANTS" >"$SCRATCH/reload" 2>&1 & PIDS+=($!)
    sleep "$GROWTH_FROM"
    for k in 1 2 3; do
        resident $k >"$SCRATCH/before-$k"
    done
    for pid in "${PIDS[@]}"; do
        wait "$pid" || status=1
    done
    PIDS=()
    for k in 1 2 3; do
        resident $k >"$SCRATCH/after-$k"
    done
    tail -n 3 "$SCRATCH/load" "$SCRATCH/sip-udp" "$SCRATCH/sip-tcp" "$SCRATCH/reload"
    return $status
}

everybody_lives() {
    local k
    for k in 1 2 3; do
        kill -0 "$(pid_of $k)" || fail "peer $k is gone: $(tail -3 "$OVERLAY/peer-$k/log")" || return
    done
}

memory_stays() {
    local k status=0
    for k in 1 2 3; do
        awk -v k=$k -v a="$(cat "$SCRATCH/before-$k")" -v b="$(cat "$SCRATCH/after-$k")" 'BEGIN {
            printf "peer %d: %d KiB, then %d KiB, %+.2f %%\n", k, a, b, 100 * (b - a) / a
            exit b > 1.02 * a }' || status=1
    done
    return $status
}

still_serves() {
    "$LOAD" register 1000 16 "$BASE" && "$LOAD" call 200 8 $((BASE + 10)) "$BASE"
}

check three_peers_join overlay_start 3
check load_is_served_beside_rubbish soak
check everybody_lives everybody_lives
if [ "$LENGTH" -ge 300 ]; then
    check memory_grows_by_less_than_2_percent memory_stays
    memory_stays | sed 's/^/# /'
else
    memory_stays | sed 's/^/# /'
    skip memory_grows_by_less_than_2_percent "too short for it: ./dev soak"
fi
check calls_are_served_afterwards still_serves
for peer in 1 2 3; do
    check "peer_${peer}_is_healthy" until_true 30 healthy $peer
done
finish
