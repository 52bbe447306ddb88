#!/bin/bash
# node.sh - real nodes on loopback: they join, leave, come back, and refuse what is wrong.
# usage: node.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
DIR=$(mktemp -d)
TAP_CLEANUP+=" $DIR"
NODES=()
end_all() {
    local pid
    for pid in "${NODES[@]}"; do
        kill -9 "$pid" 2>/dev/null
    done
    # shellcheck disable=SC2086
    rm -rf $TAP_CLEANUP
}
trap end_all EXIT

# config K LINES... writes node K's configuration: RELOAD at 21200 + 10 K, SIP one above.
config() {
    local k=$1 port=$((21200 + 10 * $1))
    shift
    {
        printf '[node]\nlog-level = info\nstate-dir = %s/state-%s\ncapture = %s/%s.pcap\n' "$DIR" "$k" "$DIR" "$k"
        printf '[http]\nlisten = none\n[sip]\nlisten = 127.0.0.1:%s\n' $((port + 1))
        [ ! -e "$DIR/users-$k" ] || printf 'users = %s/users-%s\n' "$DIR" "$k"
        printf '[overlay]\ninsecure-links = yes\nlisten = 127.0.0.1:%s\n' "$port"
        printf '%s\n' "$@"
    } >"$DIR/$k.conf"
}

# start K runs node K in the background; its pid is in PID.
start() {
    "$PEAL" node "$DIR/$1.conf" >"$DIR/$1.log" 2>&1 &
    PID=$!
    NODES+=("$PID")
    PIDS[$1]=$PID
}
declare -A PIDS=()

# said K WORDS waits until node K's log has the words.
said() {
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        grep -qsF -- "$2" "$DIR/$1.log" && return
        sleep 0.1
    done
    cat "$DIR/$1.log"
    fail "node $1 does not say '$2'"
}

# ends K STATUS waits for node K's end.
ends() {
    local status
    wait "${PIDS[$1]}"
    status=$?
    [ "$status" -eq "$2" ] || { cat "$DIR/$1.log"; fail "node $1 ends with $status"; }
}

# refused STATUS WORDS [ARGUMENTS...]: `peal node` ends by itself, and says so.
refused() {
    local wanted=$1 words=$2 output status
    shift 2
    output=$(timeout 30 "$PEAL" node "$@" 2>&1 </dev/null)
    status=$?
    [ "$status" -eq "$wanted" ] || fail "exit status $status: $output" || return
    [[ $output == *"$words"* ]] || fail "no '$words' in: $output"
}

five_join() {
    local k
    config 1 'first = yes'
    start 1
    said 1 'joined the overlay' || return
    for k in 2 3 4 5; do
        config $k 'bootstrap = 127.0.0.1:21299, localhost:21210'
        start $k
    done
    for k in 2 3 4 5; do
        said $k 'joined the overlay' || return
    done
}

interrupt_leaves() {
    kill -INT "${PIDS[5]}"
    ends 5 0 && grep -q 'left the overlay' "$DIR/5.log" || fail 'no word of leaving'
}

id_of() { sed -n 's/.* peer \([0-9a-f]\{32\}\) .*/\1/p' "$DIR/$1.log" | head -1; }

restarted_peer_is_the_same() {
    local before
    before=$(id_of 4)
    kill -9 "${PIDS[4]}"
    wait "${PIDS[4]}" 2>/dev/null
    start 4
    said 4 'joined the overlay' || return
    [ -n "$before" ] && [ "$(id_of 4)" = "$before" ] || fail "was $before, is $(id_of 4)"
}

state_is_one_nodes() {
    refused 2 'is in use by another node' "$DIR/1.conf" --set overlay.listen=127.0.0.1:21298 --set sip.listen=none
}

port_in_use_is_refused() {
    refused 2 'cannot listen at 127.0.0.1:21210: Address already in use' "$DIR/1.conf" --set "node.state-dir=$DIR/other" &&
        refused 2 'sip.listen: cannot listen at 127.0.0.1:21211' "$DIR/1.conf" \
            --set "node.state-dir=$DIR/other" --set overlay.listen=127.0.0.1:21298
}

other_overlay_is_told() {
    config 6 'name = other.example.org' 'bootstrap = 127.0.0.1:21210'
    start 6
    said 6 'is of another overlay than other.example.org' || return
    said 1 'messages of another overlay came' || return
    ends 6 1
}

silent_bootstrap_is_tried_on() {
    config 7 'bootstrap = 127.0.0.1:21280'
    start 7
    said 7 'not joined after' || return
    config 8 'first = yes'
    start 8
    said 7 'joined the overlay after' || return
    kill "${PIDS[7]}" "${PIDS[8]}"
    ends 7 0 && ends 8 0
}

unknown_name_is_refused() {
    config 9 'bootstrap = nobody.invalid'
    refused 2 'overlay.bootstrap: nobody.invalid: ' "$DIR/9.conf"
}

second_signal_ends_at_once() {
    kill -STOP "${PIDS[2]}" "${PIDS[3]}" "${PIDS[4]}" # nobody answers its Leave
    kill -INT "${PIDS[1]}"
    said 1 'leaves the overlay' || return
    kill -INT "${PIDS[1]}"
    ends 1 1
    local status=$?
    kill -CONT "${PIDS[2]}" "${PIDS[3]}" "${PIDS[4]}"
    return $status
}

bad_users_at_reload_keep_the_old() {
    echo 'bob:example.org:secret' >"$DIR/users-8"
    config 8 'first = yes'
    start 8
    said 8 'joined the overlay' || return
    echo 'bob' >"$DIR/users-8"
    kill -HUP "${PIDS[8]}"
    said 8 "users-8:1: write user:domain:password; the users read before stay" || return
    printf 'bob:example.org:secret\neve:example.org:secret\n' >"$DIR/users-8"
    kill -HUP "${PIDS[8]}"
    said 8 '2 users in' || return
    kill "${PIDS[8]}"
    ends 8 0 && rm "$DIR/users-8"
}

# seen K FILTER prints the packets of node K's capture that pass; false when there are none.
seen() {
    tshark -r "$DIR/$1.pcap" -Y "$2" 2>/dev/null | grep .
}

log_is_opened_anew() {
    config 8 'first = yes'
    sed -i "s|^log-level.*|&\nlog = $DIR/8.file.log|" "$DIR/8.conf"
    start 8
    said 8.file 'joined the overlay' || return
    mv "$DIR/8.file.log" "$DIR/8.old"
    kill -HUP "${PIDS[8]}"
    kill "${PIDS[8]}"
    ends 8 0 || return
    said 8.file 'left the overlay' && ! grep -q 'left the overlay' "$DIR/8.old"
}

# A socket that is connected hears only whom it talks to.
wildcard_answers_from_loopback() {
    local line
    config 8 'first = yes'
    sed -i 's/^listen = 127.0.0.1:21281/listen = 0.0.0.0:21281/' "$DIR/8.conf"
    start 8
    said 8 'joined the overlay' || return
    exec 3<>/dev/udp/127.0.0.1/21281
    printf '%s\r\n' 'OPTIONS sip:127.0.0.1:21281 SIP/2.0' 'Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bK1;rport' \
        'Max-Forwards: 70' 'From: <sip:a@example.org>;tag=1' 'To: <sip:127.0.0.1:21281>' 'Call-ID: 1' 'CSeq: 1 OPTIONS' \
        'Content-Length: 0' '' >"$DIR/options"
    cat "$DIR/options" >&3
    line=$(timeout 10 dd bs=4096 count=1 status=none <&3 | head -1)
    exec 3>&-
    kill "${PIDS[8]}"
    ends 8 0 || return
    [[ $line == 'SIP/2.0 200 '* ]] || fail "answered '$line'"
}

captures_open() {
    local k
    for k in 1 2 3; do
        seen "$k" 'reload' || fail "no RELOAD in node $k's" || return
        ! seen "$k" '_ws.malformed' || fail "malformed packets in node $k's" || return
    done
}

over_tcp() {
    config 8 'first = yes' 'link = tcp'
    config 9 'bootstrap = 127.0.0.1:21280' 'link = tcp'
    start 8
    start 9
    said 9 'joined the overlay' || return
    kill "${PIDS[9]}"
    ends 9 0 || return
    kill "${PIDS[8]}"
    ends 8 0 || return
    command -v tshark >/dev/null || return 0
    seen 8 'reload && tcp' || fail 'no RELOAD over TCP in the capture' || return
    ! seen 8 '_ws.malformed || tcp.analysis.flags' || fail 'odd TCP in the capture'
}

all_leave() {
    local k
    for k in 2 3 4; do
        kill -TERM "${PIDS[$k]}"
        ends $k 0 || return
    done
}

check_says_what_it_would_do() {
    local output
    output=$("$PEAL" node --check "$DIR/2.conf") || return
    [[ $output == *'joins by'*'127.0.0.1:21299, localhost:21210'* ]] || fail "$output"
}

echo '[overlay' >"$DIR/bad.conf"
printf '[overlay]\nfirst = yes\n' >"$DIR/secure.conf"
printf '[overlay]\nfirst = yes\ninsecure-links = yes\nlisten = 127.0.0.1:21299\n[sip]\nlisten = none\n[http]\nlisten = none\n' >"$DIR/lone.conf"

check five_nodes_join_through_one five_join
check interrupt_makes_a_node_leave interrupt_leaves
check restarted_node_is_the_same_peer restarted_peer_is_the_same
check state_directory_of_a_running_node_is_refused state_is_one_nodes
check port_in_use_is_refused port_in_use_is_refused
check other_overlay_name_is_told_at_both_ends other_overlay_is_told
check silent_bootstrap_is_said_and_tried_on silent_bootstrap_is_tried_on
check bootstrap_name_that_is_none_is_refused unknown_name_is_refused
check users_that_are_wrong_at_reload_keep_the_old bad_users_at_reload_keep_the_old
check log_is_opened_anew_on_sighup log_is_opened_anew
check wildcard_is_answered_from_the_address_asked wildcard_answers_from_loopback
check second_signal_ends_at_once second_signal_ends_at_once
check nodes_leave_on_sigterm all_leave
if command -v tshark >/dev/null; then
    check captures_open_in_tshark captures_open
else
    skip captures_open_in_tshark 'needs tshark'
fi
check nodes_link_over_tcp over_tcp
check check_says_what_the_node_would_do check_says_what_it_would_do
check example_is_a_good_configuration bash -c "'$PEAL' node --example >'$DIR/example.conf' && '$PEAL' node --check '$DIR/example.conf'"
check config_that_is_not_there_is_refused refused 2 'no such file' "$DIR/none.conf"
check config_that_is_none_is_refused refused 2 'bad.conf:1:' "$DIR/bad.conf"
check links_must_be_called_insecure refused 2 'insecure-links' "$DIR/secure.conf"
check two_files_are_refused refused 2 'name one configuration file' "$DIR/lone.conf" "$DIR/lone.conf"
check unknown_option_is_refused refused 2 'peal node --help' --frobnicate
check directory_that_cannot_be_made_is_refused refused 2 'node.state-dir' "$DIR/lone.conf" --set node.state-dir=/dev/null/x
check log_that_cannot_be_written_is_refused refused 2 'cannot write the log' "$DIR/lone.conf" --set node.log=/dev/null/x
check capture_that_cannot_be_written_is_refused refused 2 'cannot write the capture' "$DIR/lone.conf" --set node.capture=/dev/null/x
check control_socket_that_cannot_be_made_is_refused refused 2 'control socket' "$DIR/lone.conf" --set node.control=/dev/null/x
check users_that_are_not_there_are_refused refused 2 'cannot read the users' "$DIR/lone.conf" --set sip.users=/dev/null/x
check address_of_another_host_is_refused refused 2 'this host has no such address' "$DIR/lone.conf" --set overlay.listen=192.0.2.1:21299
finish
