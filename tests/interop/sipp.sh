#!/bin/bash
# sipp.sh - sipp's phones at a 5-peer overlay, over UDP and TCP: the callee is registered at peer 3, the
# caller is at peer 1. usage: sipp.sh PEAL
set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"
# shellcheck source=tests/interop/overlay_lib.sh
. "$here/overlay_lib.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
OVERLAY=$SCRATCH/tb BASE=25200
CALLER=25291 CALLEE=25292 OLD=25293
TAP_CLEANUP+=" $SCRATCH"
trap 'overlay_end >/dev/null 2>&1; rm -rf $TAP_CLEANUP' EXIT
cd "$SCRATCH" || exit 1

for program in sipp jq curl; do
    if ! command -v $program >/dev/null; then
        skip phones_of_sipp "needs $program"
        finish
    fi
done

# phone TRANSPORT PEER LOCAL-PORT SCENARIO [OPTION...] runs a sipp against a peer; users.csv says who.
phone() {
    local transport=$1 peer=$2 port=$3 scenario=$4 status=0
    shift 4
    timeout 60 sipp "127.0.0.1:$(sip_port "$peer")" -t "${transport}1" -sf "$scenario" -inf users.csv -i 127.0.0.1 \
        -p "$port" -nostdin -timeout 40 -trace_err -error_file "$SCRATCH/errors" "$@" >sipp.log 2>&1 || status=$?
    [ "$status" -eq 0 ] || { grep -hE '^[^ ]*[<>-]{10}|expecting|^SIP/2.0' sipp.log "$SCRATCH/errors" 2>/dev/null; }
    return "$status"
}

# users USER... writes users.csv: name; domain; contact's port; expires; credentials; caller.
users() {
    local user
    echo SEQUENTIAL >users.csv
    for user in "$@"; do
        echo "$user;127.0.0.1;$CALLEE;300;;" >>users.csv
    done
}

secret() { # USER PASSWORD
    printf 'SEQUENTIAL\n%s;p2p.test;%d;300;[authentication username=%s password=%s];%s\n' "$1" $CALLEE "$1" "$2" "$1" >users.csv
}

# with_callee TRANSPORT CALLS UAS -- COMMAND...: COMMAND while a callee answers.
with_callee() {
    local transport=$1 calls=$2 scenario=$3 callee status=0
    shift 4
    timeout 60 sipp -t "${transport}1" -sf "$here/sipp/$scenario" -i 127.0.0.1 -p $CALLEE -m "$calls" -nostdin \
        -timeout 40 >uas.log 2>&1 &
    callee=$!
    sleep 0.5
    "$@" || status=$?
    wait $callee || { status=1; echo 'the callee did not see the whole call'; }
    return "$status"
}

registers() { # TRANSPORT
    users u0 u1 u2 u3 u4 u5 u6 u7 u8 u9
    phone "$1" 3 $CALLER "$here/sipp/register.xml" -m 50 -r 100
}

calls() {
    with_callee "$1" 20 uas.xml -- phone "$1" 1 $CALLER "$here/sipp/uac.xml" -m 20 -r 20
}

cancels() {
    with_callee "$1" 5 uas_cancel.xml -- phone "$1" 1 $CALLER "$here/sipp/uac_cancel.xml" -m 5 -r 5
}

refused() { # TRANSPORT STATUS MAX-FORWARDS USER
    sed "s/@STATUS@/$2/; s/@MAX_FORWARDS@/$3/" "$here/sipp/uac_refused.xml" >refused.xml
    users "$4"
    phone "$1" 1 $CALLER refused.xml -m 1
}

# A phone that is registered and says nothing: 408 when timer B is over. One whose port is closed: at once.
unanswered() {
    local deaf status=0
    users u0
    phone u 3 $CALLER "$here/sipp/register.xml" -m 1 || return
    nc -u -l -k 127.0.0.1 $CALLEE >/dev/null &
    deaf=$!
    refused u 408 70 u0 || status=$?
    kill $deaf && wait $deaf 2>/dev/null
    return "$status"
}

closed() {
    refused u 408 70 u0
}

# One request a byte at a time, then three at once: each is answered.
bytes_and_bursts() {
    local request answers i
    exec 9<>"/dev/tcp/127.0.0.1/$(sip_port 2)" || return
    request=$(options 1; printf x)
    request=${request%x}
    for ((i = 0; i < ${#request}; i++)); do
        printf '%s' "${request:i:1}" >&9
    done
    [ "$(answered 1)" -eq 1 ] || fail "no answer to a request that came a byte at a time" || return
    {
        options 2
        options 3
        options 4
    } >three
    cat three >&9
    answers=$(answered 3)
    exec 9>&-
    [ "$answers" -eq 3 ] || fail "$answers answers to three requests in one piece"
}

options() { # NUMBER
    printf 'OPTIONS sip:127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKone%d;rport\r\n' "$(sip_port 2)" "$1"
    printf 'Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: bytes%d\r\n' "$1"
    printf 'CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n'
}

answered() { # COUNT: reads from the connection until so many answers came, or 5 s are over
    local line count=0
    while [ "$count" -lt "$1" ] && IFS= read -r -t 5 line <&9; do
        case $line in "SIP/2.0 200"*) count=$((count + 1)) ;; esac
    done
    echo "$count"
}

# What Nagios does. sipsak cuts a port of five digits in the URI to four, so that it is told apart.
probe() { # TRANSPORT
    timeout 10 sipsak -E "$1" -s sip:127.0.0.1 -r "$(sip_port 2)"
}

# A phone that has moved on: its old binding at peer 3 leads nowhere, the new one is at peer 5.
moved() {
    printf 'SEQUENTIAL\nmover;127.0.0.1;%d;300;;\n' $OLD >users.csv
    phone u 3 $CALLER "$here/sipp/register.xml" -m 1 || return
    printf 'SEQUENTIAL\nmover;127.0.0.1;%d;300;;\n' $CALLEE >users.csv
    phone u 5 $CALLER "$here/sipp/register.xml" -m 1 || return
    answered_within_2_s
}

answered_within_2_s() {
    local begin end
    begin=$(date +%s%N)
    with_callee u 1 uas.xml -- "$PEAL" call sip:mover@127.0.0.1 --duration 1s --socket "$(socket 1)" || return
    end=$(date +%s%N)
    # Half a second is the callee's start, one the call itself.
    [ $(((end - begin) / 1000000)) -lt 3600 ] || fail "answered after $(((end - begin) / 1000000)) ms"
}

past_the_dead() {
    kill -9 "$(pid_of 3)" || return
    answered_within_2_s
}

check five_peers_join overlay_start 5 --set sip.timer-b=4s
for transport in u t; do
    name=$([ $transport = u ] && echo udp || echo tcp)
    check "phones_register_over_$name" registers $transport
    check "calls_from_another_peer_over_$name" calls $transport
    check "calls_are_cancelled_over_$name" cancels $transport
    check "nobody_is_404_over_$name" refused $transport 404 70 nobody
    check "no_hops_left_is_483_over_$name" refused $transport 483 0 u0
    if command -v sipsak >/dev/null; then
        check "a_monitors_options_is_answered_over_$name" probe "$name"
    else
        skip "a_monitors_options_is_answered_over_$name" "needs sipsak"
    fi
done
check a_phone_that_does_not_answer_is_408 unanswered
check a_phone_whose_port_is_closed_is_408 closed
check tcp_bytes_and_bursts_are_served bytes_and_bursts
check a_phone_that_moved_is_found_at_once moved
check calls_fork_past_a_killed_adapter past_the_dead
overlay_end >/dev/null

printf 'u1:p2p.test:secret\nu2:p2p.test:other\n' >users
BASE=25300 OVERLAY=$SCRATCH/tb2
check a_user_list_is_taken overlay_start 3 --users "$SCRATCH/users" --set "sip.digest-algorithms=MD5, SHA-256"
secret u1 secret
check right_password_registers phone u 3 $CALLER "$here/sipp/register_auth.xml" -m 1
secret u1 wrong
check wrong_password_does_not phone u 2 $CALLER "$here/sipp/register_refused.xml" -m 1
calls_with_password() {
    printf 'SEQUENTIAL\nu1;p2p.test;%d;300;[authentication username=u2 password=other];u2\n' $CALLEE >users.csv
    with_callee u 1 uas.xml -- phone u 1 $CALLER "$here/sipp/uac_auth.xml" -m 1
}
check caller_proves_who_he_is calls_with_password
finish
