#!/bin/bash
# captures.sh - Wireshark, which is not ours, decodes every packet of a simulated capture. usage: captures.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1
export HOME=$SCRATCH # nobody's Wireshark preferences

# Every exchange there is: joins, registrations, lookups, maintenance, failures, a leave, loss.
cat >all.conf <<'END'
[scenario]
duration = 90s
warmup = 1s
[overlay]
peers = 20
start = joins
[network]
loss = 0.5%
[workload]
users-per-peer = 1
lookups-per-peer-hour = 360
register-expires = 1min
[event:fail]
at = 30s
do = fail 2 peers
[event:leave]
at = 40s
do = leave 2 peers
[event:restart]
at = 50s
do = restart 1 peers
END

# count FILTER prints how many packets of $CAPTURE match.
count() {
    tshark -n -r "$CAPTURE" -Y "$1" -T fields -e frame.number 2>/dev/null | wc -l
}

nothing_malformed() {
    local found
    found=$(tshark -n -r "$CAPTURE" -Y "$1" 2>/dev/null | head -5)
    [ -z "$found" ] || fail "$found"
}

# every_packet_is FILTER: it matches as many packets as there are, and there are some.
every_packet_is() {
    local all matching
    all=$(count 'frame')
    matching=$(count "$1")
    echo "$matching of $all packets are: $1"
    [ "$all" -gt 1000 ] && [ "$matching" -eq "$all" ]
}

# Both requests and answers of what such a run must contain are named by tshark.
messages_are_named() {
    local code missing=''
    tshark -n -r "$CAPTURE" -Y reload -T fields -e reload.message.code 2>/dev/null | tr ',' '\n' | sort -u >codes
    for code in 3 4 7 8 9 10 15 16 17 18 19 20 23 24; do
        grep -qx "$code" codes || missing+=" $code"
    done
    [ -z "$missing" ] || fail "no message with code$missing; there are $(tr '\n' ' ' <codes)"
}

if ! command -v tshark >/dev/null; then
    skip tshark_decodes_captures 'tshark is not installed'
    finish
fi
for mode in 'udp none' 'udp modelled' 'tcp none'; do
    link=${mode% *} crypto=${mode#* }
    CAPTURE=$link-$crypto.pcap
    name=${mode/ /_}
    check "${name}_run_writes_a_capture" "$PEAL" run all.conf --quiet --force --out out --pcap "$CAPTURE" \
        --set "overlay.link=$link" --set "overlay.crypto=$crypto" --set scenario.replications=1
    if [ "$link" = udp ]; then
        check "${name}_nothing_is_malformed" nothing_malformed '_ws.malformed || _ws.expert'
        check "${name}_every_packet_is_reload" every_packet_is 'reload || reload-framing'
    else
        # A stream opens and closes with segments of its own, which Wireshark remarks on ("Chat").
        check "${name}_nothing_is_malformed" nothing_malformed \
            '_ws.malformed || ((reload || reload-framing || tcp.len > 0) && _ws.expert)'
        check "${name}_every_packet_is_reload" every_packet_is 'reload || reload-framing || tcp.len == 0'
    fi
    check "${name}_every_message_is_named" messages_are_named
done

# Users with phones: SIP beside RELOAD.
sip_is_named() {
    local word missing=''
    tshark -n -r "$CAPTURE" -Y sip -T fields -e sip.Method -e sip.Status-Code 2>/dev/null | sort -u >words
    for word in REGISTER INVITE ACK BYE 100 180 200; do
        grep -qw "$word" words || missing+=" $word"
    done
    [ "$(count 'reload.message.code in {29, 30}')" -gt 0 ] || missing+=' app_attach'
    [ -z "$missing" ] || fail "there is no$missing"
}

CAPTURE=calls.pcap
check calls_run_writes_a_capture "$PEAL" run all.conf --quiet --force --out out --pcap "$CAPTURE" \
    --set scenario.replications=1 --set workload.calls-per-user-hour=300 --set workload.call-duration=5s \
    --set workload.ring=1s
check calls_nothing_is_malformed nothing_malformed '_ws.malformed || (_ws.expert && !sip)'
check calls_no_sip_looks_wrong nothing_malformed 'sip && _ws.expert.severity > 2097152' # more than a chat
check calls_every_packet_is_decoded every_packet_is 'reload || reload-framing || sip || tcp.len == 0'
check calls_every_method_is_named sip_is_named
finish
