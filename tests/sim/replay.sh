#!/bin/bash
# replay.sh - a recorded workload leaves the same results again, captured, and by any number of workers.
# usage: replay.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1

cat >hand.calls <<'END'
peal-workload 1
source name=hand.pcap speed=1
user sip:alice@example.org
user sip:bob@example.org
user sip:carol@example.org
register 0.5 2 600
call 1 0 1 answered 200 ringing=0.1 final=3 talk=20 last=23.5
call 2 1 2 refused 403 final=1 last=1
call 3 2 0 cancelled 487 ringing=0.1 cancel=6 final=6.1 last=6.2
call 4 0 2 unanswered 0 ringing=0.2 last=15
END
cat >replay.conf <<'END'
[scenario]
duration = 2min
warmup = 10s
replications = 3
[overlay]
peers = 30
start = converged
[network]
loss = 1%
jitter = exponential:5ms
[workload]
trace = hand.calls
lookups-per-peer-hour = 0
END

# run NAME ARGUMENT... leaves NAME.json: all that is not of the clock.
run() {
    local name=$1
    shift
    "$PEAL" run replay.conf --quiet --force --out "$name" "$@" >"$name.txt" || return
    grep -Ev '"[a-z_]*(wall|rss|per_second|created|command)[a-z_]*"' "$name/summary.json" >"$name.json"
}

same() {
    run "$1" "${@:2}" && diff one.json "$1.json" &&
        diff <(sqlite3 one/results.db 'select * from replay_calls') <(sqlite3 "$1/results.db" 'select * from replay_calls')
}

all_as_in_the_trace() {
    local ends
    ends=$(sqlite3 one/results.db 'select count(*) from replay_calls r join trace_calls t on r.call = t.call
        where r.begun and r.ended and r.outcome = t.outcome')
    [ "$ends" = 12 ] || fail "$ends of 12 calls ended as they did in the trace"
}

if ! command -v sqlite3 >/dev/null; then
    skip replays_repeat 'sqlite3 is not installed'
    finish
fi
check replay_runs run one
check every_call_ends_as_in_the_trace all_as_in_the_trace
check replay_is_the_same_again same two
check replay_is_the_same_with_workers same workers --jobs 2
check replay_is_the_same_with_a_capture same captured --pcap traffic.pcap
finish
