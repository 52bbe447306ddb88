#!/bin/bash
# run.sh - runs the validation scenarios that ROWs want (all without any), two at a time, and judges what comes out.
# usage: run.sh PEAL VALIDATE ROOT OUT [ROW...]. With all rows, ROOT/scenarios/validation/README.md is written anew.
set -euo pipefail
PEAL=$1 VALIDATE=$2 SCENARIOS=$3/scenarios/validation OUT=$4
shift 4
readme=()
[ $# -gt 0 ] || readme=(--readme "$SCENARIOS/README.md")
export PEAL SCENARIOS OUT

# run_one SCENARIO
run_one() {
    local started=$SECONDS capture=()
    [[ $1 != *-timers ]] || capture=(--pcap "$OUT/$1.pcap") # judged by what was sent when
    if ! "$PEAL" run "$SCENARIOS/$1.conf" "${capture[@]}" --jobs 1 --out "$OUT/$1" --force --quiet >"$OUT/$1.log" 2>&1; then
        echo "validate: $1 failed:" >&2
        tail -5 "$OUT/$1.log" >&2
        return 1
    fi
    echo "validate: $1 done in $((SECONDS - started)) s" >&2
}
export -f run_one

mkdir -p "$OUT"
wanted=$("$VALIDATE" --scenarios "$@")
status=0
xargs -P 2 -I '{}' bash -c 'run_one "$1"' _ '{}' <<<"$wanted" || status=1
"$VALIDATE" --results "$OUT" "${readme[@]}" "$@" || status=1
echo "validate: $SECONDS s in all" >&2
exit $status
