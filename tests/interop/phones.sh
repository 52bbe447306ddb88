#!/bin/bash
# phones.sh - real phones at a 5-peer overlay: each hears the other's tone, both ways, and calls end
# cleanly. usage: phones.sh PEAL TONE
set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"
# shellcheck source=tests/interop/overlay_lib.sh
. "$here/overlay_lib.sh"
# shellcheck source=tests/interop/phones_lib.sh
. "$here/phones_lib.sh"
PEAL=$(readlink -f "$1") TONE=$(readlink -f "$2")
SCRATCH=$(mktemp -d)
OVERLAY=$SCRATCH/tb PHONES=$SCRATCH/phones BASE=25400
TAP_CLEANUP+=" $SCRATCH"
trap 'phones_end; overlay_end >/dev/null 2>&1; rm -rf $TAP_CLEANUP' EXIT
TALK=5 # seconds that a tone is to be heard

for program in baresip jq curl; do
    if ! command -v $program >/dev/null; then
        skip phones_hear_each_other "needs $program"
        finish
    fi
done

# account USER PEER ANSWER: registers at that peer, which is its outbound proxy too.
account() {
    echo "<sip:$1@p2p.test;transport=udp>;outbound=\"sip:127.0.0.1:$(sip_port "$2");transport=udp\";regint=60;answermode=$3"
}

registered() { # CONTROL-PORT
    baresip_do "$1" reginfo | grep -q OK
}

two_baresips() {
    baresip_start alice 25500 25590 "$(account alice 1 manual)" 440 || fail "alice's phone does not start" || return
    baresip_start bob 25520 25591 "$(account bob 3 auto)" 880 || fail "bob's phone does not start" || return
    until_true 10 registered 25590 || fail "alice is not registered: $(baresip_do 25590 reginfo)" || return
    until_true 10 registered 25591 || fail "bob is not registered: $(baresip_do 25591 reginfo)" || return
}

they_talk() {
    baresip_do 25590 dial sip:bob@p2p.test
    until_true 5 grep -q 'Call established' "$PHONES/alice/log" || fail "no call: $(tail -5 "$PHONES/alice/log")" || return
    sleep $((TALK + 1))
    baresip_do 25590 hangup
    until_true 5 grep -q 'terminated' "$PHONES/bob/log" || fail "bob's phone was not told of the end" || return
    heard_for alice 880 $TALK && heard_for bob 440 $TALK
}

no_call_is_left() {
    local k calls
    for k in 1 2 3 4 5; do
        calls=$("$PEAL" status --socket "$(socket $k)" --json | json .sip.calls)
        [ "$calls" = 0 ] || fail "peer $k still counts $calls calls" || return
    done
}

linphone_talks() {
    linphone_start lin 25540 440 "$(sip_port 2)" || fail "linphonec does not start: $(tail -5 "$PHONES/lin/log")" || return
    until_true 10 "$PEAL" lookup sip:lin@p2p.test --socket "$(socket 5)" || fail "lin is not registered" || return
    rm -f "$PHONES"/bob/heard/*
    linphone_do call sip:bob@p2p.test
    until_true 8 grep -q 'Media streams established' "$PHONES/lin/log" || fail "no call: $(tail -5 "$PHONES/lin/log")" || return
    sleep $((TALK + 1))
    linphone_do terminate
    until_true 5 grep -q 'ended (No error)' "$PHONES/lin/log" || fail "it did not end: $(tail -5 "$PHONES/lin/log")" || return
    linphone_do quit
    heard_for lin 880 $TALK && heard_for bob 440 $TALK
}

# Registered at two peers at once (RFC 5626), a phone outlives one of them.
carol_survives() {
    baresip_start carol 25560 25592 "<sip:carol@p2p.test>;outbound=\"sip:127.0.0.1:$(sip_port 4)\";outbound2=\"sip:127.0.0.1:$(sip_port 5)\";sipnat=outbound;regint=60;answermode=auto" 880 ||
        fail "carol's phone does not start" || return
    until_true 10 at_two_peers || fail "carol is not registered at two peers" || return
    kill -9 "$(pid_of 4)"
    "$PEAL" call sip:carol@p2p.test --duration 1s --socket "$(socket 2)"
}

at_two_peers() {
    [ "$("$PEAL" lookup sip:carol@p2p.test --json --socket "$(socket 2)" | jq '.registrations | length')" = 2 ]
}

check five_peers_join overlay_start 5
check two_baresips_register_at_two_peers two_baresips
check each_hears_the_others_tone they_talk
if command -v linphonec >/dev/null; then
    check a_linphone_at_a_third_peer_talks_too linphone_talks
else
    skip a_linphone_at_a_third_peer_talks_too "needs linphonec"
fi
check no_call_is_left no_call_is_left
check a_phone_at_two_peers_outlives_one carol_survives
finish
