#!/bin/bash
# call.sh - `peal call` and `peal register` with contacts, between real nodes and sipp for a phone.
# usage: call.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SIPP_FILES=$(readlink -f "$(dirname "$0")")/sipp
BASE=22500
PHONE=22550
SCRATCH=$(mktemp -d /tmp/peal-call-XXXXXX)
DIR=$SCRATCH/tb
PHONE_PID=

tidy() {
    [ -z "$PHONE_PID" ] || kill -9 "$PHONE_PID" 2>/dev/null
    "$PEAL" testbed stop --dir "$DIR" >/dev/null 2>&1
    rm -rf $TAP_CLEANUP "$SCRATCH"
}
trap tidy EXIT

for program in sipp jq curl; do
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
    ask 1 status --json | jq -e '.registrations == 1 and .sip.bindings == 1 and
        .contacts[0].contact == "sip:bob@127.0.0.1:'$PHONE'" and (.contacts[0] | has("from") | not)' ||
        fail "it is not shown"
}

has_contact() { ask "$1" status --json | jq -e --arg uri "$2" '.contacts[] | select(.contact == $uri)'; }

# A phone's own REGISTER, with a character that means something in a page.
a_phone_shows_on_the_page() {
    local uri="sip:eve@127.0.0.1:$PHONE;x='b'" id=$RANDOM socket
    exec {socket}<>"/dev/udp/127.0.0.1/$((BASE + 10))" # open while it is registered
    printf 'REGISTER sip:p2p.test SIP/2.0\r\n%s\r\n%s\r\n%s\r\n%s\r\n%s\r\n%s\r\n%s\r\n%s\r\n\r\n' \
        "Via: SIP/2.0/UDP 127.0.0.1:$PHONE;branch=z9hG4bK$id;rport" 'Max-Forwards: 70' 'To: <sip:eve@p2p.test>' \
        'From: <sip:eve@p2p.test>;tag=1' "Call-ID: $id" 'CSeq: 1 REGISTER' "Contact: <$uri>" \
        'Content-Length: 0' | dd bs=4096 iflag=fullblock status=none >&"$socket" # one datagram
    for _ in $(seq 25); do
        has_contact 2 "$uri" && break
        sleep 0.2
    done
    has_contact 2 "$uri" | jq -es 'length == 1 and .[0].transport == "UDP" and
        (.[0].from | startswith("127.0.0.1:"))' || return
    curl -s -m 5 "http://127.0.0.1:$((BASE + 12))/" | grep -q "sip:eve@127.0.0.1:$PHONE;x=&apos;b&apos;" ||
        fail "it is not on the page, escaped" || return
    exec {socket}>&-
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
check a_phone_shows_on_the_page_of_its_peer a_phone_shows_on_the_page
check a_call_through_another_peer_is_answered a_call_is_answered
check figures_of_a_call_are_json figures_are_json
check an_interrupt_cancels an_interrupt_cancels
check patience_ends patience_ends
check nobody_is_404 refused 1 'SIP status 404' ask 2 call sip:nobody@p2p.test
check a_removed_contact_is_called_no_more a_removed_contact_is_called_no_more
finish
