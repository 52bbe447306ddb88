#!/bin/bash
# testbed.sh - an overlay of real nodes: started, asked, hurt and stopped. usage: testbed.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
BASE=22100
SCRATCH=$(mktemp -d /tmp/peal-testbed-XXXXXX)
DIR=$SCRATCH/tb

# Whatever fails, nothing stays: SIGKILL for what `stop` would not end.
tidy() {
    local pid dir
    for dir in "$DIR" "$SCRATCH/16" "$SCRATCH/ns"; do
        "$PEAL" testbed stop --dir "$dir" >/dev/null 2>&1
    done
    for pid in $(running "$SCRATCH"); do
        kill -9 "$pid"
    done
    rm -rf $TAP_CLEANUP "$SCRATCH"
}
trap tidy EXIT

for program in curl jq; do
    if ! command -v $program >/dev/null; then
        skip testbed "needs $program"
        finish
    fi
done

# running DIR prints the processes of the nodes below a directory.
running() {
    local proc
    for proc in /proc/[0-9]*; do
        if { tr '\0' ' ' <"$proc/cmdline"; } 2>/dev/null | grep -q " node $1/"; then
            basename "$proc"
        fi
    done
}

pid_of() { cat "$DIR/peer-$1/pid"; }
http() { echo "http://127.0.0.1:$((BASE + 2 + 10 * ($1 - 1)))$2"; }
ask() { # PEER COMMAND ARGUMENT...
    local peer=$1 command=$2
    shift 2
    "$PEAL" "$command" --socket "$DIR/peer-$peer/control" "$@"
}
code() { curl -s -o /dev/null -m 5 -w '%{http_code}' "$@"; }

# eventually SECONDS COMMAND... : within so long it succeeds once.
eventually() {
    local left=$(($1 * 5))
    shift
    until "$@"; do
        left=$((left - 1))
        [ $left -gt 0 ] || fail "not in time: $*" || return
        sleep 0.2
    done
}
has_code() { [ "$(code "$2")" = "$1" ]; }

# refused STATUS WORD COMMAND...
refused() {
    local wanted=$1 word=$2 output status
    shift 2
    output=$("$@" 2>&1 </dev/null)
    status=$?
    [ "$status" -eq "$wanted" ] || fail "exit status $status: $output" || return
    [[ $output == *"$word"* ]] || fail "no '$word' in: $output"
}

starts() {
    "$PEAL" testbed start --peers 3 --dir "$DIR" --base-port $BASE "$@"
}

each_is_healthy() {
    local peer
    for peer in 1 2 3; do
        curl -sf -m 5 "$(http $peer /status.json)" |
            jq -e '.healthy and .peers >= 2 and .registrations == 0 and .state == "joined"
                and (.node_id | test("^[0-9a-f]{32}$")) and (.successors | length) == 2' ||
            fail "peer $peer is not well" || return
    done
}

ids() {
    local peer
    for peer in 1 2 3; do
        curl -sf -m 5 "$(http $peer /status.json)" | jq -r .node_id
    done
}

pages_are_served() {
    curl -sf -m 5 "$(http 2 /)" | grep -q '>healthy</span>' || fail "the page does not say so" || return
    curl -sf -m 5 "$(http 2 /metrics)" | grep -qx 'peal_healthy 1' || fail "no metrics" || return
    [ "$(code -I "$(http 2 /)")" = 200 ] || fail "HEAD fails" || return
    [ "$(code -X POST -d x=1 "$(http 2 /)")" = 405 ] || fail "POST passes" || return
    [ "$(code "$(http 2 /none)")" = 404 ] || fail "there is a page of any name" || return
}

status_speaks_of_all() {
    "$PEAL" testbed status --dir "$DIR" | grep -c ' healthy$' | grep -qx 3 || fail "not 3 are healthy" || return
    "$PEAL" testbed status --dir "$DIR" --json | jq -e 'length == 3 and all(.[]; .process == "runs")' || return
    ask 2 status | grep -q 'is healthy' || fail "peal status does not say so"
}

registered_here_is_found_there() {
    local id
    id=$(ask 1 status --json | jq -r .node_id)
    ask 1 register sip:bob@p2p.test --expires 10min || return
    ask 3 lookup bob@p2p.test --json | jq -e --arg id "$id" '[.registrations[].node_id] == [$id]' || return
    ask 3 lookup sip:bob@p2p.test | grep -q "registered at peer $id" || return
    ask 1 register sip:bob@p2p.test --remove || return
    refused 1 'is not registered' ask 2 lookup sip:bob@p2p.test
    refused 1 'is not registered here' ask 1 register sip:bob@p2p.test --remove
}

control_is_private() {
    [ "$(stat -c %a "$DIR/peer-1/control")" = 600 ]
}

logs_are_shown() {
    "$PEAL" testbed logs --dir "$DIR" --lines 5 >"$SCRATCH/logs" || return
    grep -q '^   1 | ' "$SCRATCH/logs" && grep -q '^   3 | ' "$SCRATCH/logs" || fail "not of all" || return
    refused 2 'peers 1 to 3' "$PEAL" testbed logs --dir "$DIR" 4
}

# A log that is followed goes on in the file that takes the place of the one before.
logs_are_followed() {
    local follower status
    "$PEAL" testbed logs --dir "$DIR" --lines 0 --follow >"$SCRATCH/followed" &
    follower=$!
    eventually 5 grep -qs . "/proc/$follower/cmdline" && sleep 0.5
    echo 'a line of its own' >>"$DIR/peer-2/log"
    eventually 5 grep -qx '   2 | a line of its own' "$SCRATCH/followed" || return
    mv "$DIR/peer-2/log" "$DIR/peer-2/log.1" && kill -HUP "$(pid_of 2)" || return
    eventually 5 test -e "$DIR/peer-2/log" || return
    echo 'another line' >>"$DIR/peer-2/log"
    eventually 5 grep -qx '   2 | another line' "$SCRATCH/followed" || return
    kill "$follower"
    wait "$follower"
    status=$?
    [ $status -eq 0 ] || fail "exit status $status"
}

is_red_when_nobody_answers() {
    kill -STOP "$(pid_of 2)" "$(pid_of 3)" || return
    eventually 30 has_code 503 "$(http 1 /status.json)" || return
    [ "$(code "$(http 1 /)")" = 503 ] && [ "$(code "$(http 1 /metrics)")" = 200 ] || return
    refused 1 'not healthy' ask 1 status || return
    refused 1 'stopped' "$PEAL" testbed status --dir "$DIR"
}

is_well_again() {
    kill -CONT "$(pid_of 2)" "$(pid_of 3)" || return
    eventually 90 "$PEAL" testbed status --dir "$DIR"
}

a_killed_peer_is_told() {
    kill -9 "$(pid_of 3)" || return
    refused 1 'ended' "$PEAL" testbed status --dir "$DIR" || return
    refused 2 'no node at' ask 3 status
}

stop_leaves_nothing() {
    "$PEAL" testbed stop --dir "$DIR" || return
    [ -z "$(running "$DIR")" ] || fail "still running: $(running "$DIR")" || return
    [ ! -e "$DIR/peer-1/control" ] && [ ! -e "$DIR/peer-1/pid" ] || fail "files are left" || return
    ! ss -Hlntu "sport >= :$BASE and sport <= :$((BASE + 30))" 2>/dev/null | grep . || fail "ports are taken"
}

ids_survive() {
    local before=$1
    starts -q || return
    [ "$(ids)" = "$before" ] || fail "other Node-IDs than before"
}

fails_whole() {
    refused 2 "$1" starts "${@:2}" || return
    [ -z "$(running "$DIR")" ] || fail "something runs"
}

a_peer_that_cannot_start_is_blamed() {
    # Whether a capture can be written is found out when the node starts.
    refused 1 'end of its log' starts --set "node.capture=$SCRATCH/none/x.pcap" || return
    [ -z "$(running "$DIR")" ] || fail "something runs"
}

# The peer that answers for an AOR is stopped without a word; the others know nothing of it yet.
a_stopped_owner_does_not_stop_lookups() {
    local dir=$SCRATCH/16 owner peer asker=1
    "$PEAL" testbed start --peers 16 --dir "$dir" --base-port $((BASE + 200)) -q || return
    "$PEAL" register --socket "$dir/peer-3/control" sip:bob@p2p.test || return
    owner=$("$PEAL" lookup --socket "$dir/peer-1/control" sip:bob@p2p.test --json | jq -r .responsible)
    peer=$("$PEAL" testbed status --dir "$dir" --json |
        jq --arg id "$owner" '.[] | select(.status.node_id == $id) | .peer')
    [ "$peer" != 1 ] || asker=2
    kill -STOP "$(cat "$dir/peer-$peer/pid")" || return
    timeout 10 "$PEAL" lookup --socket "$dir/peer-$asker/control" sip:bob@p2p.test || return
    "$PEAL" testbed stop --dir "$dir"
}

namespaces_come_and_go() {
    "$PEAL" testbed start --peers 3 --dir "$SCRATCH/ns" --netns -q || return
    "$PEAL" testbed status --dir "$SCRATCH/ns" | grep -q '10.77.0.3' || return
    "$PEAL" testbed stop --dir "$SCRATCH/ns" || return
    ! ip netns list | grep -q '^peal-' || fail "$(ip netns list)"
}

# Not so in a chroot, where the root is no mount point.
namespaces_work() {
    local name=probe-$$ status=0
    ip netns add $name || return
    ip netns exec $name true || status=1
    ip netns del $name
    return $status
}

check three_peers_become_one_overlay starts
check each_is_healthy_by_its_page each_is_healthy
check pages_are_served pages_are_served
check status_speaks_of_all status_speaks_of_all
check the_control_socket_is_its_owners_alone control_is_private
check registered_here_is_found_there registered_here_is_found_there
check logs_are_shown logs_are_shown
check logs_are_followed_and_rotated logs_are_followed
check a_running_testbed_is_not_started_again refused 2 'a testbed runs in' starts
check ports_in_use_are_named refused 2 "$BASE" "$PEAL" testbed start --peers 3 --dir "$SCRATCH/other" --base-port $BASE
before=$(ids)
check red_within_30_s_when_nobody_answers is_red_when_nobody_answers
check well_again_when_they_do is_well_again
check a_killed_peer_is_told a_killed_peer_is_told
check stop_leaves_nothing stop_leaves_nothing
check peers_keep_their_ids_over_a_restart ids_survive "$before"
check stop_leaves_nothing_again stop_leaves_nothing
check a_key_that_is_none_is_refused_before_anything_runs fails_whole 'overlay.nonsense' --set overlay.nonsense=1
check a_missing_user_file_is_refused_before_anything_runs fails_whole none/users --users "$SCRATCH/none/users"
check a_failed_start_says_who_failed_and_leaves_nothing a_peer_that_cannot_start_is_blamed
check a_stopped_owner_does_not_stop_lookups a_stopped_owner_does_not_stop_lookups
if [ "$(id -u)" -eq 0 ] && command -v ip >/dev/null && namespaces_work 2>/dev/null; then
    check network_namespaces_come_and_go namespaces_come_and_go
else
    skip network_namespaces_come_and_go "needs root, iproute2 and a host that has network namespaces"
fi
finish
