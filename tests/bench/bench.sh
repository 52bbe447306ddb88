#!/bin/bash
# bench.sh - workload W (scenarios/bench-w.conf) at several sizes, then workloads S (bench_sip.sh) and T
# (bench_trace.sh): one table each, and out/bench.json. usage: bench.sh PEAL SIP-LOAD TRACE-CAPTURE [PEERS...]
# (10000 100000 1000000; 0: only S and T).
# Run it on a quiet machine.
set -euo pipefail
PEAL=$(readlink -f "$1")
LOAD=$(readlink -f "$2")
TRACE=$(readlink -f "$3")
shift 3
[ $# -gt 0 ] || set -- 10000 100000 1000000
mkdir -p out
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT

# figure NAME prints the first number of that name in the summary, which is the run's own.
figure() {
    sed -nE "0,/\"$1\":/s/.*\"$1\": ([-0-9.eE+]+).*/\1/p" "$SCRATCH/out/summary.json"
}

# measure PEERS LINK prints a row of the table and an object of the JSON. LINK tcp+gate has tokens and a bound on
# waits for every peer, both too wide to keep anything out: what defences cost while nobody attacks.
measure() {
    local peers=$1 link=$2 duration=200s seconds messages lookups hops rss
    [ "$peers" -lt 1000000 ] || duration=20s
    local options=(--set "overlay.peers=$peers" --set "scenario.duration=$duration")
    case $link in
        udp) options+=(--set overlay.link=udp --set overlay.link-acks=yes) ;;
        tcp+gate) options+=(--set defence.overload-wait=100ms --set defence.source-rate=100/s --set defence.source-burst=200) ;;
    esac
    "$PEAL" run scenarios/bench-w.conf --quiet --force --out "$SCRATCH/out" "${options[@]}" >"$SCRATCH/log"
    seconds=$(figure wall_seconds) messages=$(figure messages_per_second) rss=$(figure peak_rss_bytes)
    lookups=$(figure succeeded)
    hops=$(sed -n '/"hops"/,/}/p' "$SCRATCH/out/summary.json" | sed -nE '0,/"mean":/s/.*"mean": ([0-9.]+).*/\1/p')
    awk -v n="$peers" -v l="$link" -v s="$seconds" -v m="$messages" -v k="$lookups" -v h="$hops" -v r="$rss" \
        -v json="$SCRATCH/json" 'BEGIN {
            printf "%9d  %-8s  %12.0f  %10.0f  %5.2f  %8.0f  %8.1f\n", n, l, m, k / s, h, r / n, s
            printf "  {\"peers\": %d, \"link\": \"%s\", \"messages_per_second\": %.0f, \"lookups_per_second\": %.0f, " \
                "\"hops_mean\": %.4f, \"rss_bytes_per_peer\": %.0f, \"wall_seconds\": %.3f}\n", n, l, m, k / s, h, r / n, s >>json
        }'
}

printf '%9s  %-8s  %12s  %10s  %5s  %8s  %8s\n' peers link messages/s lookups/s hops 'B/peer' 'wall s'
for peers in "$@"; do
    [ "$peers" -gt 0 ] || continue
    measure "$peers" tcp
    measure "$peers" udp
done
[ "$1" -eq 0 ] || measure "$1" tcp+gate
"$(dirname "$0")/bench_sip.sh" "$PEAL" "$LOAD" "$SCRATCH/sip.json"
"$(dirname "$0")/bench_trace.sh" "$PEAL" "$TRACE" "$SCRATCH/trace.json"
touch "$SCRATCH/json"
{
    echo '{"lookups": ['
    sed '$!s/$/,/' "$SCRATCH/json"
    echo '], "sip":'
    cat "$SCRATCH/sip.json"
    echo ', "trace":'
    cat "$SCRATCH/trace.json"
    echo '}'
} >out/bench.json
echo "also in out/bench.json"
