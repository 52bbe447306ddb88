#!/bin/bash
# bench_sip.sh - workload S: REGISTERs and calls at one peer, at three peers (each REGISTER is a Store with two
# replicas, each call goes through two peers or more), and at Kamailio where it is installed, all three up at
# once. usage: bench_sip.sh PEAL SIP-LOAD JSON [REGISTERS] [CALLS]
#
# What is the same for all: the load (sip_load.c: UDP on loopback, 64 operations at a time, 10,000 users of
# p2p.test in turn, each REGISTER a new Call-ID, each call INVITE 180 200 ACK BYE 200 between two ends that
# answer at once), no authentication, no TLS, one worker. The load runs on the last processor, what is measured
# on the first, all three peers included. Kamailio (kamailio.cfg) has its fastest allocator, registers without a
# transaction and keeps bindings in memory; a peer keeps a REGISTER's transaction, stores it in its overlay and
# writes bindings to disk. Before the rounds each is warmed up. A round measures one after the other, so that
# what else the machine does strikes all alike; medians of the rounds are shown, and of the rounds' ratios.
# CPU is what /proc tells of the processes, for one operation; it alone tells servers apart that are faster than
# the load on its one processor. Run it on a quiet machine.
set -euo pipefail
PEAL=$(readlink -f "$1") LOAD=$(readlink -f "$2") JSON=$3
REGISTERS=${4:-100000} CALLS=${5:-20000} ROUNDS=3
HERE=$(dirname "$(readlink -f "$0")")
SCRATCH=$(mktemp -d)
KAMAILIO_PORT=25980 ONE=25900 THREE=25930
LOAD_CPU=$(($(nproc) - 1))
KAMAILIO=
end() {
    [ -z "$KAMAILIO" ] || { kill "$KAMAILIO" && wait "$KAMAILIO"; } 2>/dev/null || true
    for dir in "$SCRATCH"/one "$SCRATCH"/three; do
        [ ! -d "$dir" ] || "$PEAL" testbed stop --dir "$dir" </dev/null >/dev/null 2>&1 || true
    done
    rm -rf "$SCRATCH"
}
trap end EXIT

# cpu PID... prints the processor time that these processes and their children used, in ms.
cpu() {
    local pid ticks=0 stat
    for pid in "$@" $(printf 'pgrep -P %s; ' "$@" | bash); do
        read -ra stat <"/proc/$pid/stat"
        ticks=$((ticks + stat[13] + stat[14]))
    done
    echo $((ticks * 1000 / $(getconf CLK_TCK)))
}

# measure NAME WHAT COUNT PORT CALLEE-PORT PID...: adds a line to the rounds.
measure() {
    local name=$1 what=$2 count=$3 port=$4 callee=$5 before after line
    shift 5
    before=$(cpu "$@")
    line=$(taskset -c $LOAD_CPU "$LOAD" "$what" "$count" 64 "$port" "$callee") || echo "bench: $name $what: $line" >&2
    after=$(cpu "$@")
    echo "$name $what $round $((after - before)) $line" >>"$SCRATCH/rounds"
}

both() { # NAME PORT CALLEE-PORT PID...
    local name=$1 port=$2 callee=$3
    shift 3
    measure "$name" register "$REGISTERS" "$callee" "$callee" "$@"
    measure "$name" call "$CALLS" "$port" "$callee" "$@"
}

# Fields of a round: name what round cpu_ms "done" n "failed" n "seconds" s "rate" r "mean_ms" m "max_ms" m
report() {
    awk -v json="$JSON" '
        function median(name, what, figure,    list, len, i, j, t) {
            len = 0
            for (i = 0; i < rounds; i++) {
                if ((name, what, i, figure) in value) list[len++] = value[name, what, i, figure]
            }
            for (i = 1; i < len; i++) {
                for (j = i; j > 0 && list[j - 1] > list[j]; j--) {
                    t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
                }
            }
            return len > 0 ? list[int(len / 2)] : 0
        }
        {
            if (!($1 in seen)) { seen[$1] = 1; names[names_len++] = $1 }
            if ($3 >= rounds) rounds = $3 + 1
            value[$1, $2, $3, "rate"] = $12
            value[$1, $2, $3, "cpu"] = $6 > 0 ? 1000 * $4 / $6 : 0
            value[$1, $2, $3, "mean"] = $14
            failed[$1, $2] += $8
            if (("kamailio-fm", $2, $3, "rate") in value) {
                for (i = 0; i < names_len; i++) {
                    n = names[i]
                    value[n, $2, $3, "rates"] = value[n, $2, $3, "rate"] / $12
                    value[n, $2, $3, "cpus"] = value[n, $2, $3, "cpu"] / value[$1, $2, $3, "cpu"]
                }
            }
        }
        END {
            printf "%-13s %-9s %10s %9s %10s %9s %8s %7s\n", "server", "operation", "per second", "kamailio",
                "us of CPU", "kamailio", "mean ms", "failed"
            print "[" >json
            for (w = 0; w < 2; w++) {
                what = w ? "call" : "register"
                for (i = 0; i < names_len; i++) {
                    n = names[i]
                    printf "%-13s %-9s %10.0f", n, what, median(n, what, "rate")
                    compared = "kamailio-fm" in seen
                    printf compared ? " x %7.2f" : " %9s", compared ? median(n, what, "rates") : "-"
                    printf " %10.1f", median(n, what, "cpu")
                    printf compared ? " x %7.2f" : " %9s", compared ? median(n, what, "cpus") : "-"
                    printf " %8.3f %7d\n", median(n, what, "mean"), failed[n, what]
                    printf "  {\"server\": \"%s\", \"operation\": \"%s\", \"per_second\": %.0f, \"cpu_us\": %.2f, ",
                        n, what, median(n, what, "rate"), median(n, what, "cpu") >json
                    if (compared) {
                        printf "\"rate_to_kamailio\": %.3f, \"cpu_to_kamailio\": %.3f, ", median(n, what, "rates"),
                            median(n, what, "cpus") >json
                    }
                    printf "\"mean_ms\": %.3f, \"failed\": %d}%s\n", median(n, what, "mean"), failed[n, what],
                        w == 1 && i == names_len - 1 ? "" : "," >json
                }
            }
            print "]" >json
        }' "$SCRATCH/rounds"
}

testbed() { # DIR PEERS BASE
    taskset -c 0 "$PEAL" testbed start --peers "$2" --dir "$1" --base-port "$3" --set sip.max-contacts=10 \
        </dev/null >"$SCRATCH/testbed.log" 2>&1 || { cat "$SCRATCH/testbed.log" >&2; exit 1; }
}

each() { # one round of all, REGISTERS and CALLS of each
    both peal-1-peer $ONE $ONE "$(cat "$SCRATCH/one/peer-1/pid")"
    both peal-3-peers $((THREE + 10)) $THREE "$(cat "$SCRATCH/three/peer-1/pid")" \
        "$(cat "$SCRATCH/three/peer-2/pid")" "$(cat "$SCRATCH/three/peer-3/pid")"
    [ -z "$KAMAILIO" ] || both kamailio-fm $KAMAILIO_PORT $KAMAILIO_PORT "$KAMAILIO"
}

testbed "$SCRATCH/one" 1 $ONE
testbed "$SCRATCH/three" 3 $THREE
if command -v kamailio >/dev/null; then
    sed "s/@PORT@/$KAMAILIO_PORT/" "$HERE/kamailio.cfg" >"$SCRATCH/kamailio.cfg"
    taskset -c 0 kamailio -x fm -X fm -m 1024 -M 64 -DD -E -f "$SCRATCH/kamailio.cfg" >"$SCRATCH/kamailio.log" 2>&1 &
    KAMAILIO=$!
    sleep 2
fi
echo "workload S: $REGISTERS REGISTERs, $CALLS calls, 64 at a time, the median of $ROUNDS rounds"
round=0
(REGISTERS=$((REGISTERS < 20000 ? REGISTERS : 20000)) CALLS=$((CALLS < 2000 ? CALLS : 2000)) && each)
: >"$SCRATCH/rounds"
for ((round = 0; round < ROUNDS; round++)); do
    each
done
report
[ -n "$KAMAILIO" ] || echo "kamailio is not installed: nothing to compare with"
