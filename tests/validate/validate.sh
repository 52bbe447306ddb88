#!/bin/bash
# validate.sh - one row of the validation suite, from its scenario to the verdict, and what is refused.
# usage: validate.sh PEAL VALIDATE SOURCE-ROOT
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
HERE=$(dirname "$(readlink -f "$0")")
PEAL=$(readlink -f "$1") VALIDATE=$(readlink -f "$2") ROOT=$3
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"

one_row() {
    "$HERE/run.sh" "$PEAL" "$VALIDATE" "$ROOT" "$SCRATCH/out" 12 >"$SCRATCH/lines" || fail "row 12 did not pass" || return
    grep -q '^12 .*: yes$' "$SCRATCH/lines" || fail "no verdict on row 12" || return
    [ "$(grep -c '^1[0-9] ' "$SCRATCH/lines")" -eq 1 ] || fail "other rows too"
}

nothing_there() {
    local status=0
    mkdir -p "$SCRATCH/empty"
    "$VALIDATE" --results "$SCRATCH/empty" 12 >"$SCRATCH/lines" || status=$?
    [ $status -eq 1 ] || fail "status $status without results" || return
    grep -q 'not measured' "$SCRATCH/lines" || fail "no word of what is missing"
}

unknown_row() {
    local status=0
    "$VALIDATE" --scenarios 999 2>"$SCRATCH/error" || status=$?
    [ $status -eq 2 ] && grep -q 'no row 999' "$SCRATCH/error" || fail "status $status for row 999"
}

# Every scenario that is named is there, and every one that is there is named.
scenarios_are_used() {
    "$VALIDATE" --scenarios | sort >"$SCRATCH/named"
    (cd "$ROOT/scenarios/validation" && ls -- *.conf) | sed 's/\.conf$//' | sort >"$SCRATCH/there"
    diff "$SCRATCH/named" "$SCRATCH/there"
}

check "a row runs its scenario and is judged" one_row
check "without results nothing passes" nothing_there
check "a row that does not exist is refused" unknown_row
check "the scenarios are those that rows ask for" scenarios_are_used
finish
