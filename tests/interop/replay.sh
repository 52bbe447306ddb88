#!/bin/bash
# replay.sh - captures played into real overlays of five nodes, by --to and by a scenario on sockets: each call ends as it
# ended in the trace, nothing is left behind, and passwords are given where nodes ask for them.
# usage: replay.sh PEAL SOURCE_ROOT
set -u
# In a network of its own, where every packet has a way out, if that may be had.
if [ "${PEAL_REPLAY_INSIDE:-}" = "" ] && unshare -n ip link set lo up 2>/dev/null; then
    PEAL_REPLAY_INSIDE=yes exec unshare -n bash "$0" "$@"
fi
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/interop/overlay_lib.sh
. "$(dirname "$0")/overlay_lib.sh"
PEAL=$(readlink -f "$1")
ROOT=$(readlink -f "$2")
DATA=${PEAL_SHARED:-$ROOT/../shared}/data/pcap
BASE=21600
SCRATCH=$(mktemp -d /tmp/peal-replay-XXXXXX)
OVERLAY=$SCRATCH/overlay
SNIFFER=
WORLD=

tidy() {
    [ -z "$WORLD" ] || kill "$WORLD" 2>/dev/null
    [ -z "$SNIFFER" ] || kill "$SNIFFER" 2>/dev/null
    overlay_end >/dev/null 2>&1
    rm -rf $TAP_CLEANUP "$SCRATCH"
}
trap tidy EXIT
cd "$SCRATCH" || exit 1

for program in jq curl; do
    if ! command -v $program >/dev/null; then
        skip replay "needs $program"
        finish
    fi
done
if [ ! -d "$DATA" ]; then
    skip replay "needs the captures of ../shared/data/pcap"
    finish
fi

if [ "${PEAL_REPLAY_INSIDE:-}" = yes ]; then
    ip link set lo up && ip link add out type veth peer name outer && ip addr add 10.9.9.1/24 dev out &&
        ip link set out up && ip link set outer up && ip neigh add 10.9.9.9 lladdr 02:00:00:00:00:09 dev out &&
        ip route add default via 10.9.9.9 || PEAL_REPLAY_INSIDE=no
fi

sniff() {
    tshark -q -i any -w sniffed.pcapng 2>sniffer.txt &
    SNIFFER=$!
    until_true 20 grep -q Capturing sniffer.txt || fail "tshark does not listen: $(cat sniffer.txt)"
}

# Nothing leaves this host, and on it nothing goes past the nodes: SIP to and from their ports for phones, all else
# between the nodes. What the test itself sends out at the end shows that it would be seen.
nothing_went_elsewhere() {
    local ports='{21600, 21610, 21620, 21630, 21640}' all='{21600..21649}' filter
    echo x >/dev/udp/10.9.9.9/5060
    sleep 1
    kill -INT "$SNIFFER"
    wait "$SNIFFER"
    SNIFFER=
    [ "$(seen "sip && udp.port in $ports" | wc -l)" -gt 100 ] || fail 'there is no traffic' || return
    [ "$(seen 'ip.dst == 10.9.9.9 && udp.dstport == 5060' | wc -l)" -gt 0 ] || fail 'the sniffer is blind' || return
    for filter in 'ip.dst != 127.0.0.1 && !(ip.dst == 10.9.9.9 && udp.length == 10)' "sip && !(udp.port in $ports)" \
        "udp && ip.dst == 127.0.0.1 && !(udp.port in $all)" 'dns'; do
        [ "$(seen "$filter" | wc -l)" -eq 0 ] || fail "$filter: $(seen "$filter" | head)" || return
    done
}
seen() { # FILTER
    tshark -r sniffed.pcapng -Y "$1" 2>/dev/null
}

starts() {
    overlay_start 5 -q --set sip.domain=example.org "$@" || return
    for peer in 1 2 3 4 5; do
        until_true 20 healthy $peer || fail "peer $peer is not healthy" || return
    done
}

# played CAPTURE OUT OPTION...: into all five.
played() {
    local capture=$1 out=$2 to=()
    shift 2
    for peer in 1 2 3 4 5; do
        to+=(--to "127.0.0.1:$(sip_port $peer)")
    done
    "$PEAL" replay "$DATA/$capture" "${to[@]}" --domain example.org --quiet --out "$out" "$@" </dev/null
}

# is OUT FILTER WANTED: what jq finds in the results.
is() {
    local found
    found=$(jq -c "$2" "$1/summary.json") || return
    [ "$found" = "$3" ] || fail "$2 of $1 is $found, not $3"
}

# Both ends of each replay: what registered is gone from all nodes.
nothing_is_left() {
    for peer in 1 2 3 4 5; do
        "$PEAL" status --socket "$(socket $peer)" --json | jq -e '.sip.bindings == 0' >/dev/null ||
            fail "peer $peer keeps bindings: $("$PEAL" status --socket "$(socket $peer)" --json | jq -c .contacts)" ||
            return
    done
}

# The trace has one call, on the two legs of a proxy.
the_call_of_two_users_is_answered() {
    played sip-two-users.pcap two --speed 2x || return
    is two '[.replay.calls, .replay.begun, .replay.answered, .replay.as_in_trace.mean]' '[1,1,1,1]' || return
    is two '[.replay.kept_in, .replay.calls_of_strangers, .registrations.failed]' '[0,0,0]' || return
    nothing_is_left
}

# 25 minutes, of which the caller who gives up waits for 34 s: a fifth of a second here.
calls_are_cancelled_and_refused_as_they_were() {
    played sip-calls-and-registers.pcap calls --speed 200x || return
    is calls '[.replay.calls, .replay.begun, .replay.cancelled, .replay.refused, .replay.as_in_trace.mean]' \
        '[4,4,1,3,1]' || return
    is calls '[.calls.by_status["403"], .calls.by_status["480"]]' '[2,1]' || return
    is calls '[.replay.kept_in, .replay.registrations_left]' '[0,0]' || return
    nothing_is_left
}

# A scenario's nodes are others; it takes half a minute until they have settled, which passes beside what comes next.
world_starts() {
    printf '%s\n' '[scenario]' 'duration = 20s' 'warmup = 0s' 'replications = 1' '[overlay]' 'peers = 5' \
        'start = converged' '[network]' 'latency = constant:5ms' '[workload]' 'lookups-per-peer-hour = 0' >five.conf
    "$PEAL" replay "$DATA/sip-calls-and-registers.pcap" --speed 400x --scenario five.conf --on sockets \
        --base-port $((BASE + 50)) --quiet --out world >world.txt 2>&1 </dev/null &
    WORLD=$!
}

calls_go_so_in_a_scenario_on_sockets_too() {
    wait "$WORLD" || fail "$(cat world.txt)" || return
    WORLD=
    is world '[.replay.calls, .replay.cancelled, .replay.refused, .replay.as_in_trace.mean]' '[4,1,3,1]' || return
    is world '[.registrations.stored, .registrations.failed]' '[16,0]' # 7 users, 9 REGISTERs of the trace
}

# Without passwords nobody may register, which is said of whom and why.
passwords_are_asked_for() {
    local said
    said=$(played sip-calls-and-registers.pcap refused --speed 200x 2>&1) && fail "it is played all the same" && return 1
    [[ $said == *'sip:35104723@example.org could not register: SIP status 401'*--credentials* ]] || fail "$said"
}

passwords_are_given() {
    played sip-calls-and-registers.pcap given --speed 200x --credentials credentials || return
    is given '[.replay.cancelled, .replay.refused, .replay.as_in_trace.mean, .registrations.failed]' '[1,3,1,0]' ||
        return
    nothing_is_left
}

check an_overlay_starts starts
if [ "${PEAL_REPLAY_INSIDE:-}" = yes ] && command -v tshark >/dev/null; then
    check a_sniffer_listens sniff
fi
check the_call_of_two_users_is_answered the_call_of_two_users_is_answered
check calls_are_cancelled_and_refused_as_they_were calls_are_cancelled_and_refused_as_they_were
if [ -n "$SNIFFER" ]; then
    check nothing_went_elsewhere_than_to_the_targets nothing_went_elsewhere
else
    skip nothing_went_elsewhere_than_to_the_targets "needs tshark, iproute2 and the right to make a network namespace"
fi
overlay_end >/dev/null 2>&1
rm -rf "$OVERLAY"
for user in voi18063 voi18062 816666 97239287044 0097239287044 35104723 35104724; do
    echo "$user:example.org:secret-$user"
    echo "$user secret-$user" >&3
done >users 3>credentials
world_starts
check an_overlay_with_passwords_starts starts --users users
check passwords_are_asked_for passwords_are_asked_for
check passwords_are_given passwords_are_given
check calls_go_so_in_a_scenario_on_sockets_too calls_go_so_in_a_scenario_on_sockets_too
finish
