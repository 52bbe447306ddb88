#!/bin/bash
# compare.sh - two runs beside each other. usage: compare.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1
printf '%s\n' '[scenario]' 'duration = 2min' 'warmup = 20s' '[overlay]' 'peers = 30' 'start = converged' \
    '[workload]' 'lookups-per-peer-hour = 1800' >small.conf

runs_are_made() {
    "$PEAL" run small.conf --quiet --out near >/dev/null || return
    "$PEAL" run small.conf --quiet --out far --set network.latency=plane >/dev/null
}

# says WORD... : the comparison has all the words.
says() {
    local word
    "$PEAL" compare near far --no-plot >said || return
    for word in "$@"; do
        grep -qF -e "$word" said || fail "no '$word' in: $(cat said)" || return
    done
}

json_has_the_figures() {
    "$PEAL" compare near far --no-plot --json >said || return
    grep -q '"ks_distance": 0\.[0-9]*' said || fail 'no distance' || return
    # Latency is another, hops are the same.
    [ "$(grep -c '"ks_distance": 0\.00' said)" -eq 1 ] || fail "$(grep ks_distance said)" || return
    grep -q '"hops_equal"' said || fail 'no pairs'
}

same_runs_are_no_distance_apart() {
    "$PEAL" compare near near --no-plot >said || return
    [ "$(grep -c 'KS distance 0.0000, p = 1$' said)" -eq 2 ] || fail "$(cat said)"
}

plots_are_drawn() {
    "$PEAL" compare near far >said || return
    ls out/compare-near-far/lookup-latency-cdf.svg out/compare-near-far/lookup-hops-cdf.png
}

check runs_to_compare_are_made runs_are_made
check compare_names_what_differs says 'The scenarios differ' 'network.latency = synthetic (A), plane (B)'
check compare_counts_both_sides says 'lookup latency: A n = ' '; B n = ' 'KS distance' 'lookup by lookup: '
check compare_gives_json json_has_the_figures
check compare_of_a_run_with_itself_finds_nothing same_runs_are_no_distance_apart
if command -v gnuplot >/dev/null; then
    check compare_draws_below_out plots_are_drawn
else
    skip compare_draws_below_out 'gnuplot is not installed'
fi
finish
