#!/bin/bash
# replay_capture.sh - a node's own capture, read back: it holds the calls that were made by it, as they ended.
# usage: replay_capture.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
BASE=22700
SCRATCH=$(mktemp -d /tmp/peal-replay-XXXXXX)
DIR=$SCRATCH/tb
cd "$SCRATCH" || exit 1

tidy() {
    "$PEAL" testbed stop --dir "$DIR" >/dev/null 2>&1
    rm -rf $TAP_CLEANUP "$SCRATCH"
}
trap tidy EXIT

if ! command -v jq >/dev/null; then
    skip replay_capture "needs jq"
    finish
fi

printf '%s\n' 'peal-workload 1' 'source name=hand speed=1' 'user sip:a@example.org' 'user sip:b@example.org' \
    'user sip:c@example.org' 'register 0.000000 0 300' \
    'call 0.500000 0 1 answered 200 ringing=0.1 final=0.4 talk=1.0 last=1.5' \
    'call 1.000000 2 1 cancelled 487 ringing=0.1 cancel=0.8 final=0.9 last=1.0' \
    'call 1.500000 1 2 refused 486 ringing=0.1 final=0.2 last=0.3' \
    'call 2.000000 0 2 answered 200 ringing=0.1 final=0.2 talk=0.5 last=0.8 by=callee' >hand.calls

# is FILE FILTER WANTED: what jq finds in a JSON file.
is() {
    local found
    found=$(jq -c "$2" "$1") || return
    [ "$found" = "$3" ] || fail "$2 of $1 is $found, not $3"
}

plays_as_it_says() {
    "$PEAL" replay hand.calls --to 127.0.0.1:$BASE --out out --quiet --json >out.json || return
    is out.json '[.replay.begun, .replay.as_in_trace.mean, .replay.answered, .replay.cancelled, .replay.refused]' \
        '[4,1,2,1,1]'
}

nobody_stays_registered() {
    local user
    for user in a b c; do
        ! "$PEAL" lookup "sip:$user@p2p.test" --socket "$DIR/peer-1/control" >/dev/null 2>&1 ||
            fail "$user is there" || return
    done
}

is_read_back() {
    "$PEAL" testbed stop --dir "$DIR" >/dev/null || return
    "$PEAL" replay node.pcap --json >node.json || return
    is node.json '[.calls, .call_figures.answered, .call_figures.cancelled, .call_figures.refused, .users]' '[4,2,1,1,3]' ||
        return
    is node.json '[.call_figures.by_status["200"], .call_figures.by_status["486"], .call_figures.by_status["487"]]' \
        '[2,1,1]' || return
    is node.json '.damage' null
}

# What is anonymised may be given to others, and the key with it to nobody.
keeps_its_key() {
    "$PEAL" testbed start --dir "$DIR" --peers 1 --base-port $BASE --quiet >/dev/null || return
    "$PEAL" replay node.pcap --to 127.0.0.1:$BASE --speed 10x --anonymise unspeakable --out keyed --quiet \
        >keyed.txt 2>keyed.log || fail "$(cat keyed.log)" || return
    ! grep -rqa unspeakable keyed keyed.txt keyed.log || fail "the key is in $(grep -rla unspeakable keyed keyed.txt keyed.log)"
}

# It is a workload itself.
plays_again() {
    printf '%s\n' '[scenario]' 'duration = 30s' 'warmup = 1s' 'replications = 1' '[overlay]' 'peers = 10' \
        'start = converged' '[workload]' 'lookups-per-peer-hour = 0' >ten.conf
    "$PEAL" replay node.pcap --scenario ten.conf --out again --quiet --json >again.json || return
    is again.json '[.replay.begun, .replay.as_in_trace.mean]' '[4,1]'
}

check a_node_starts "$PEAL" testbed start --dir "$DIR" --peers 1 --base-port $BASE --quiet --set "node.capture=$SCRATCH/node.pcap"
check a_workload_plays_as_it_says plays_as_it_says
check nobody_stays_registered nobody_stays_registered
check what_the_node_captured_is_read_back is_read_back
check and_plays_again_in_the_simulator plays_again
check a_key_that_was_typed_is_kept_nowhere keeps_its_key
finish
