#!/bin/bash
# call.sh - `peal call` and `peal register` with contacts, between real nodes and sipp for a phone.
# usage: call.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SIPP_FILES=$(readlink -f "$(dirname "$0")")/sipp
BASE=22400
PHONE=22450
SCRATCH=$(mktemp -d /tmp/peal-call-XXXXXX)
DIR=$SCRATCH/tb
PHONE_PID=

tidy() {
    [ -z "$PHONE_PID" ] || kill -9 "$PHONE_PID" 2>/dev/null
    "$PEAL" testbed stop --dir "$DIR" >/dev/null 2>&1
    rm -rf $TAP_CLEANUP "$SCRATCH"
}
trap tidy EXIT

for program in sipp jq; do
    if ! command -v $program >/dev/null; then
        skip call "needs $program"
        finish
    fi
done

ask() { # PEER COMMAND ARGUMENT...
    local peer=$1 command=$2
    shift 2
    "$PEAL" "$command" --socket "$DIR/peer-$peer/control" "$@"
}

# phone SCENARIO takes one call at the phone's port.
phone() {
    (cd "$SCRATCH" && exec sipp -sf "$SIPP_FILES/$1.xml" -i 127.0.0.1 -p $PHONE -m 1 -nostdin -timeout 30) \
        >"$SCRATCH/phone" 2>&1 </dev/null &
    PHONE_PID=$!
    for _ in $(seq 50); do
        ss -Hlnu "sport = :$PHONE" | grep -q . && return
        sleep 0.1
    done
    fail "sipp does not listen"
}

# phone_ends: its one call went as its scenario says.
phone_ends() {
    wait "$PHONE_PID"
    local status=$?
    PHONE_PID=
    [ $status -eq 0 ] || fail "sipp: $status: $(tail -30 "$SCRATCH/phone")"
}

# refused STATUS WORD COMMAND...
refused() {
    local wanted=$1 word=$2 output status
    shift 2
    output=$("$@" 2>&1 </dev/null)
    status=$?
    [ "$status" -eq "$wanted" ] || fail "exit status $status: $output" || return
    [[ $output == *"$word"* ]] || fail "no '$word' in: $output"
}

a_contact_is_registered() {
    ask 1 register sip:bob@p2p.test sip:bob@127.0.0.1:$PHONE --expires 10min || return
    ask 3 lookup sip:bob@p2p.test || return
    ask 1 status --json | jq -e '.registrations == 1 and .sip.bindings == 1' || fail "it is not counted"
}

a_call_is_answered() {
    phone answer || return
    refused 0 'peal hung up' ask 3 call sip:bob@p2p.test --duration 1s || return
    phone_ends
}

figures_are_json() {
    phone answer || return
    ask 2 call bob@p2p.test --duration 1s --json >"$SCRATCH/json" || return
    jq -e '.answered and .status == 200 and .hung_up_here and (.lost | not)
        and .to_ringing_ms >= 0 and .to_answer_ms >= 200' "$SCRATCH/json" || return
    phone_ends
}

an_interrupt_cancels() {
    phone ring || return
    refused 1 'given up by you' timeout --foreground --preserve-status -s INT 1 \
        "$PEAL" call --socket "$DIR/peer-3/control" sip:bob@p2p.test || return
    phone_ends
}

patience_ends() {
    phone ring || return
    refused 1 'since nobody answered' ask 3 call sip:bob@p2p.test --timeout 1s || return
    phone_ends
}

a_removed_contact_is_called_no_more() {
    ask 1 register sip:bob@p2p.test sip:bob@127.0.0.1:$PHONE --remove || return
    refused 1 'SIP status 404' ask 3 call sip:bob@p2p.test || return
    refused 1 'is not registered here' ask 1 register sip:bob@p2p.test sip:bob@127.0.0.1:$PHONE --remove
}

"$PEAL" testbed start --peers 3 --dir "$DIR" --base-port $BASE -q >"$SCRATCH/start" 2>&1 || cat "$SCRATCH/start"
check a_contact_is_registered a_contact_is_registered
check a_call_through_another_peer_is_answered a_call_is_answered
check figures_of_a_call_are_json figures_are_json
check an_interrupt_cancels an_interrupt_cancels
check patience_ends patience_ends
check nobody_is_404 refused 1 'SIP status 404' ask 2 call sip:nobody@p2p.test
check a_removed_contact_is_called_no_more a_removed_contact_is_called_no_more
finish
