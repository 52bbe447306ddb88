#!/bin/bash
# readme.sh - what the README shows is what the program does. usage: readme.sh PEAL SOURCE-ROOT
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1") ROOT=$2
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1
ln -s "$ROOT/scenarios" scenarios

# The README's sessions, N from 1: the command after '$ ', and then its output.
session() {
    awk -v n="$1" '/^```console$/ { seen++; on = 1; next } /^```$/ { on = 0 } on && seen == n' "$ROOT/README.md"
}
session 1 >session
session 2 >call
# The speed is the machine's.
machine_free() { sed -E 's/ in [0-9.]+ s, [0-9]+ a second//'; }

session_is_true() {
    local command
    command=$(sed -n '1s/^\$ peal //p' session)
    [ -n "$command" ] || fail "no session in README.md" || return
    # shellcheck disable=SC2086 # its words are arguments
    "$PEAL" $command >printed </dev/null || return
    diff <(sed 1d session | machine_free) <(machine_free <printed)
}

# The standard ports may be somebody else's.
call_session_is_true() {
    local command status=0
    command=$(sed -n '1s/^\$ peal //p' call)
    # shellcheck disable=SC2086 # its words are arguments
    "$PEAL" $command >printed </dev/null || return
    diff <(sed 1d call) printed || status=1
    "$PEAL" testbed stop --dir tb </dev/null || status=1
    return $status
}

figures_are_drawn() {
    "$PEAL" plot out/lookup >drawn || return
    ls out/lookup/plots/*.svg out/lookup/plots/*.png >/dev/null
}

reference_is_up_to_date() {
    diff "$ROOT/scenarios/KEYS.md" <("$PEAL" help keys --markdown)
}

links_lead_somewhere() {
    local path
    for path in $(grep -oE '\]\([^)]+\)' "$ROOT/README.md" | sed 's/](\(.*\))/\1/'); do
        [ -e "$ROOT/$path" ] || fail "README.md links to $path" || return
    done
    for path in $(grep -oE 'scenarios/[a-z-]+\.conf|(core|sim|net|analysis|scenarios|tests)/[a-z_/]+\.[ch]' "$ROOT/README.md"); do
        [ -e "$ROOT/$path" ] || fail "README.md names $path" || return
    done
}

check readme_session_is_what_a_run_prints session_is_true
if (exec 9<>/dev/tcp/127.0.0.1/5060) 2>/dev/null || (exec 9<>/dev/tcp/127.0.0.1/6301) 2>/dev/null; then
    skip readme_call_session_is_what_a_testbed_prints 'the standard ports are taken'
else
    check readme_call_session_is_what_a_testbed_prints call_session_is_true
fi
if command -v gnuplot >/dev/null; then
    check readme_plots_are_drawn figures_are_drawn
else
    skip readme_plots_are_drawn 'gnuplot is not installed'
fi
check keys_reference_is_what_the_program_says reference_is_up_to_date
check readme_names_files_that_exist links_lead_somewhere
finish
