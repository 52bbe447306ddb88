#!/bin/bash
# bench_sip.sh - workload S: REGISTERs and calls at one peer, at three peers (each REGISTER is a Store), and
# at Kamailio where it is installed, in one run. usage: bench_sip.sh PEAL SIP-LOAD JSON [REGISTERS] [CALLS]
# The load runs on the last processor, what is measured on the first. Run it on a quiet machine.
set -euo pipefail
PEAL=$(readlink -f "$1") LOAD=$(readlink -f "$2") JSON=$3
REGISTERS=${4:-100000} CALLS=${5:-20000} ROUNDS=3
HERE=$(dirname "$(readlink -f "$0")")
SCRATCH=$(mktemp -d)
KAMAILIO_PORT=25980 ONE=25900 THREE=25930
LOAD_CPU=$(($(nproc) - 1))
KAMAILIO=
end() {
    [ -z "$KAMAILIO" ] || { kill "$KAMAILIO" && wait "$KAMAILIO"; } 2>/dev/null || true
    for dir in "$SCRATCH"/one "$SCRATCH"/three; do
        [ ! -d "$dir" ] || "$PEAL" testbed stop --dir "$dir" </dev/null >/dev/null 2>&1 || true
    done
    rm -rf "$SCRATCH"
}
trap end EXIT

# cpu PID... prints the processor time that these processes and their children used, in ms.
cpu() {
    local pid ticks=0 stat
    for pid in "$@" $(printf 'pgrep -P %s; ' "$@" | bash); do
        read -ra stat <"/proc/$pid/stat"
        ticks=$((ticks + stat[13] + stat[14]))
    done
    echo $((ticks * 1000 / $(getconf CLK_TCK)))
}

# measure NAME WHAT COUNT PORT CALLEE-PORT PID...: the median round by rate; adds a row and an object.
measure() {
    local name=$1 what=$2 count=$3 port=$4 callee=$5 round before after line
    shift 5
    : >"$SCRATCH/rounds"
    for ((round = 0; round < ROUNDS; round++)); do
        before=$(cpu "$@")
        line=$(taskset -c $LOAD_CPU "$LOAD" "$what" "$count" 64 "$port" "$callee") || echo "bench: $name $what: $line" >&2
        after=$(cpu "$@")
        echo "$line cpu_ms $((after - before))" >>"$SCRATCH/rounds"
    done
    sort -k8,8n "$SCRATCH/rounds" | sed -n "$(((ROUNDS + 1) / 2))p" |
        while read -r _ completed _ failed _ _ _ rate _ mean _ _ _ ms; do
            awk -v n="$name" -v w="$what" -v d="$completed" -v f="$failed" -v r="$rate" -v m="$mean" -v c="$ms" \
                -v json="$SCRATCH/json" 'BEGIN {
                    us = d > 0 ? 1000 * c / d : 0
                    printf "%-14s %-9s %10.0f /s %8.1f us of CPU %8.3f ms %6d failed\n", n, w, r, us, m, f
                    printf "  {\"server\": \"%s\", \"operation\": \"%s\", \"per_second\": %.0f, \"cpu_us\": %.2f, " \
                        "\"mean_ms\": %.3f, \"failed\": %d}\n", n, w, r, us, m, f >>json
                }'
            echo "$name $what $rate" >>"$SCRATCH/rates"
        done
}

both() { # NAME PORT CALLEE-PORT PID...
    local name=$1 port=$2 callee=$3
    shift 3
    measure "$name" register "$REGISTERS" "$callee" "$callee" "$@"
    measure "$name" call "$CALLS" "$port" "$callee" "$@"
}

testbed() { # DIR PEERS BASE
    taskset -c 0 "$PEAL" testbed start --peers "$2" --dir "$1" --base-port "$3" --set sip.max-contacts=10 \
        </dev/null >"$SCRATCH/testbed.log" 2>&1 || { cat "$SCRATCH/testbed.log" >&2; exit 1; }
}

echo "workload S: $REGISTERS REGISTERs, $CALLS calls, 64 at a time, the median of $ROUNDS rounds"
testbed "$SCRATCH/one" 1 $ONE
both peal-1-peer $ONE $ONE "$(cat "$SCRATCH/one/peer-1/pid")"
"$PEAL" testbed stop --dir "$SCRATCH/one" </dev/null >/dev/null
testbed "$SCRATCH/three" 3 $THREE
both peal-3-peers $((THREE + 10)) $THREE "$(cat "$SCRATCH/three/peer-1/pid")" "$(cat "$SCRATCH/three/peer-2/pid")" \
    "$(cat "$SCRATCH/three/peer-3/pid")"
"$PEAL" testbed stop --dir "$SCRATCH/three" </dev/null >/dev/null
if command -v kamailio >/dev/null; then
    sed "s/@PORT@/$KAMAILIO_PORT/" "$HERE/kamailio.cfg" >"$SCRATCH/kamailio.cfg"
    taskset -c 0 kamailio -x fm -X fm -m 1024 -M 64 -DD -E -f "$SCRATCH/kamailio.cfg" >"$SCRATCH/kamailio.log" 2>&1 &
    KAMAILIO=$!
    sleep 2
    both kamailio-fm $KAMAILIO_PORT $KAMAILIO_PORT "$KAMAILIO"
    for what in register call; do
        awk -v w=$what '$2 == w { rate[$1] = $3 } END {
            printf "peal-1-peer / kamailio-fm, %s: %.2f\n", w, rate["peal-1-peer"] / rate["kamailio-fm"] }' "$SCRATCH/rates"
    done
else
    echo "kamailio is not installed: no ratio"
fi
{ echo '['; sed '$!s/$/,/' "$SCRATCH/json"; echo ']'; } >"$JSON"
