#!/bin/bash
# figures.sh - what `peal plot` and `peal report` draw, name and refuse. usage: figures.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1
printf '%s\n' '[scenario]' 'name = small' 'duration = 40s' 'warmup = 10s' 'replications = 2' '[overlay]' 'peers = 20' \
    'start = converged' '[workload]' 'lookups-per-peer-hour = 1800' '[sweep]' 'overlay.neighbours = 2, 3, 5' \
    'network.loss = 0%, 10%' >small.conf

runs_are_made() {
    "$PEAL" run small.conf --quiet --out swept >/dev/null || return
    "$PEAL" run small.conf --quiet --out other --set scenario.seed=2 >/dev/null
}

# refused WORD STATUS ARGUMENT... : `peal ARGUMENT...` ends with STATUS, says WORD and writes nothing.
refused() {
    local word=$1 wanted=$2 status
    shift 2
    "$PEAL" "$@" >words 2>err
    status=$?
    [ "$status" -eq "$wanted" ] || fail "exit status $status: $(cat err)" || return
    grep -qF -e "$word" err || fail "no '$word' in: $(cat err)" || return
    [ ! -s words ] || fail "said $(cat words)"
}

list_names_what_can_be_shown() {
    local name
    "$PEAL" plot --list swept >list || return
    for name in latency-cdf hops load-lorenz lookups-over-time-0 success-over-time swept-success heat-latency cost-latency; do
        grep -q "^$name" list || fail "no $name in: $(cat list)" || return
    done
    ! grep -E 'setup-cdf|hops-scaling' list || return
    [ ! -e swept/plots ]
}

only_draws_what_is_asked_for() {
    "$PEAL" plot swept --only 'heat-*' --only hops >drawn || return
    [ "$(grep -c '\.svg$' drawn)" -eq 3 ] || fail "$(cat drawn)" || return
    [ "$(ls swept/plots/*.png | wc -l)" -eq 3 ]
}

any_figure_is_drawn_against_the_key() {
    "$PEAL" plot swept --only hops --quantity link.retransmissions --out elsewhere >drawn || return
    ls elsewhere/swept-link.retransmissions.svg
}

runs_are_drawn_beside_one_another() {
    "$PEAL" plot swept other --only 'swept-*' >drawn || return
    grep -q '^out/plot-swept-other/swept-success.svg$' drawn || fail "$(cat drawn)" || return
    grep -q 'other' out/plot-swept-other/swept-success.gp
}

# Nobody looks anything up, or nothing comes of it: what is left is drawn, whatever that is.
runs_with_little_to_show_are_drawn() {
    "$PEAL" run small.conf --quiet --out calls --set overlay.neighbours=3 --set workload.calls-per-user-hour=60 \
        --set workload.lookups-per-peer-hour=0 >/dev/null || return
    "$PEAL" plot calls >drawn || return
    grep -q 'Calls answered' calls/plots/success-over-time.gp || fail 'no calls' || return
    ! grep 'Lookups answered' calls/plots/success-over-time.gp || return
    grep 'loss = 10%' calls/plots/success-over-time.gp || fail 'lines without names' || return
    "$PEAL" run small.conf --quiet --out lost --set overlay.neighbours=3 --set network.loss=100% >/dev/null || return
    "$PEAL" plot lost >drawn && "$PEAL" report lost
}

report_holds_all_and_needs_nothing() {
    "$PEAL" report swept >said || return
    [ "$(cat said)" = swept/report.html ] || fail "$(cat said)" || return
    grep -q 'peal run small.conf --set scenario.seed=1' swept/report.html || fail 'no command' || return
    grep -q 'overlay.finger-interval' swept/report.html || fail 'no keys' || return
    grep -q '<td>network.loss</td>' swept/report.html || fail 'no table of keys' || return
    # Nothing is fetched: no address but that of SVG's namespace.
    ! grep -oE '(src|href)="[^"#][^"]{0,12}' swept/report.html | grep -vE '="data:' || return
    "$PEAL" report swept other --out both.html >/dev/null || return
    grep -q 'other' both.html
}

report_can_do_without_gnuplot() {
    PATH=/nonexistent "$PEAL" report swept --out plain.html >/dev/null || return
    grep -q 'drawn by a script' plain.html
}

the_file_in_the_report_gives_the_same_run() {
    sed -n 's/.*href="data:text\/plain;base64,\([^"]*\)".*/\1/p' swept/report.html | base64 -d >again.conf || return
    "$PEAL" run again.conf --quiet --out again >/dev/null || return
    diff <(jq 'del(.. | .engine?)' swept/summary.json) <(jq 'del(.. | .engine?)' again/summary.json)
}

# Of five peers 0 and 1 are there throughout, 2 in the warm-up alone, 3 from 30 s on, and 4 never.
load_is_of_peers_that_were_there() {
    printf '%s\n' '0 0 up' '0 1 up' '1 2 up' '5 2 down' '30 3 up' >five.trace
    "$PEAL" run small.conf --quiet --out five --set overlay.neighbours=3 --set network.loss=0% --set overlay.peers=5 \
        --set churn.session=trace:five.trace --set scenario.replications=1 >/dev/null || return
    [ "$(sqlite3 five/results.db 'SELECT group_concat(peer) FROM peers')" = 0,1,3 ] ||
        fail "$(sqlite3 five/results.db 'SELECT * FROM peers')"
}

replaced_results_take_their_report_along() {
    mkdir -p swept/plots && echo mine >swept/plots/mine.html || return
    "$PEAL" run small.conf --quiet --out swept --force --set scenario.seed=3 >/dev/null || return
    [ ! -e swept/report.html ] || fail 'an old report is left' || return
    cat swept/plots/mine.html
}

check runs_to_draw_are_made runs_are_made
check list_names_what_can_be_shown_and_draws_nothing list_names_what_can_be_shown
check a_figure_that_is_none_is_named refused "no figure 'nonsense'" 2 plot swept --only nonsense
check a_family_that_cannot_be_shown_says_so refused "cannot show 'setup-cdf'" 2 plot swept --only setup-cdf
check a_quantity_that_is_none_is_named refused "no figure 'lookups.joy'" 2 plot swept --quantity lookups.joy
check plot_wants_results refused "'peal run'" 2 plot swept nowhere
check report_wants_results refused "'peal run'" 2 report nowhere
check report_to_no_place_is_an_error refused 'small.conf' 1 report swept --out small.conf/report.html
check report_refuses_an_unknown_figure refused "no figure 'nonsense'" 2 report swept --only nonsense
if command -v gnuplot >/dev/null; then
    check plot_without_gnuplot_names_the_package env PATH="$(dirname "$(command -v env)")/nowhere" \
        "$BASH" -c "! '$PEAL' plot swept 2>err && exec 3<err && read -r line <&3 && [[ \$line == *gnuplot-nox* ]]"
    check only_draws_what_is_asked_for only_draws_what_is_asked_for
    check any_figure_is_drawn_against_the_key any_figure_is_drawn_against_the_key
    check runs_are_drawn_beside_one_another runs_are_drawn_beside_one_another
    check runs_with_little_to_show_are_drawn runs_with_little_to_show_are_drawn
    check plot_to_no_place_is_an_error refused 'small.conf' 1 plot swept --only hops --out small.conf/plots
else
    skip figures_are_drawn 'gnuplot is not installed'
fi
check report_holds_all_and_needs_nothing report_holds_all_and_needs_nothing
check report_can_do_without_gnuplot report_can_do_without_gnuplot
if command -v jq >/dev/null; then
    check the_file_in_the_report_gives_the_same_run the_file_in_the_report_gives_the_same_run
else
    skip the_file_in_the_report_gives_the_same_run 'jq is not installed'
fi
if command -v sqlite3 >/dev/null; then
    check load_is_of_peers_that_were_there load_is_of_peers_that_were_there
else
    skip load_is_of_peers_that_were_there 'sqlite3 is not installed'
fi
check replaced_results_take_their_report_along replaced_results_take_their_report_along
finish
