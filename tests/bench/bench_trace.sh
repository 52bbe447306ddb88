#!/bin/bash
# bench_trace.sh - workload T: a capture is described, beside `tshark -q -z sip,stat` on the same file where tshark is
# installed. usage: bench_trace.sh PEAL TRACE-CAPTURE JSON [BYTES]
#
# The capture (trace_capture.c) is made first, so that both find it in the page cache. The wall time of ours is the
# median of three runs, that of tshark of one. Both count the messages; tshark is not asked to put late segments in
# their place, which is its default and less work. Run it on a quiet machine.
set -euo pipefail
PEAL=$(readlink -f "$1") MAKE=$(readlink -f "$2") JSON=$3 BYTES=${4:-1000000000}
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT

# timed NAME COMMAND... leaves "wall-seconds peak-kB" in NAME, and in NAME.out what it printed.
timed() {
    local name=$1
    shift
    /usr/bin/time -o "$SCRATCH/$name" -f '%e %M' "$@" >"$SCRATCH/$name.out" 2>"$SCRATCH/$name.err" ||
        { cat "$SCRATCH/$name.err" >&2; exit 1; }
}

row() { # NAME SECONDS KB MESSAGES
    awk -v n="$1" -v s="$2" -v k="$3" -v m="$4" -v b="$(stat -c %s "$SCRATCH/capture")" \
        'BEGIN { printf "%-8s  %8.2f  %8.0f  %8.1f  %10d\n", n, s, b / 1e6 / s, k / 1024, m }'
}

echo "workload T: $("$MAKE" "$SCRATCH/capture" "$BYTES")"
printf '%-8s  %8s  %8s  %8s  %10s\n' program 'wall s' MB/s 'peak MB' messages
for run in 1 2 3; do
    timed "peal.$run" "$PEAL" replay "$SCRATCH/capture" --describe --json
done
read -r seconds kb < <(sort -n "$SCRATCH"/peal.[123] | sed -n 2p)
messages=$(sed -nE '/"messages": *\{/,/\}/s/.*"total": *([0-9]+).*/\1/p' "$SCRATCH/peal.1.out" | head -1)
row peal "$seconds" "$kb" "$messages"
printf '{"bytes": %d, "messages": %d, "peal": {"seconds": %s, "rss_bytes": %d}' \
    "$(stat -c %s "$SCRATCH/capture")" "$messages" "$seconds" $((kb * 1024)) >"$JSON"
if command -v tshark >/dev/null; then
    timed tshark tshark -q -z sip,stat -r "$SCRATCH/capture"
    read -r tshark_seconds tshark_kb <"$SCRATCH/tshark"
    row tshark "$tshark_seconds" "$tshark_kb" "$(sed -n 's/^Number of SIP messages: //p' "$SCRATCH/tshark.out")"
    awk -v a="$seconds" -v b="$tshark_seconds" 'BEGIN { printf "%.0f times as fast\n", b / a }'
    printf ', "tshark": {"seconds": %s, "rss_bytes": %d}' "$tshark_seconds" $((tshark_kb * 1024)) >>"$JSON"
else
    echo "tshark is not installed: nothing to compare with"
fi
echo '}' >>"$JSON"
