#!/bin/bash
# memory.sh - what a run with churn takes does not grow with its simulated length.
# usage: memory.sh PEAL SOURCES
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SOURCES=$2
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"

# peak DURATION: the most resident memory of a run that long, in bytes.
peak() {
    "$PEAL" run "$SOURCES/scenarios/churn.conf" --set overlay.peers=100 --set scenario.replications=1 \
        --set "scenario.duration=$1" --out "$SCRATCH/$1" --quiet >/dev/null || return
    jq '.engine.peak_rss_bytes' "$SCRATCH/$1/summary.json"
}

ten_hours_take_at_most_a_fifth_more_than_one() {
    local one ten
    one=$(peak 1h) && ten=$(peak 10h) || return
    echo "1 h: $one bytes, 10 h: $ten"
    [ "$one" -gt 0 ] && [ $((ten * 10)) -le $((one * 12)) ]
}

if [ -z "$(command -v jq)" ]; then
    skip ten_hours_take_at_most_a_fifth_more_than_one 'no jq'
else
    check ten_hours_take_at_most_a_fifth_more_than_one ten_hours_take_at_most_a_fifth_more_than_one
fi
finish
