#!/bin/bash
# sweeps.sh - many replications: in any number of processes, killed, resumed, crashed, watched, and as good as
# their intervals say. usage: sweeps.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1
printf '%s\n' '[scenario]' 'duration = 5min' 'warmup = 20s' 'replications = 3' '[overlay]' 'peers = 60' \
    'start = converged' 'neighbours = 3' '[workload]' 'lookups-per-peer-hour = 3600' '[sweep]' \
    'network.latency = constant:20ms, constant:40ms' 'network.loss = 0%..2% step 2%' >sweep.conf
printf '%s\n' '[scenario]' 'duration = 1000h' 'warmup = 1s' 'replications = 4' '[overlay]' 'peers = 60' \
    'start = converged' '[workload]' 'lookups-per-peer-hour = 3600' >long.conf

without_engine() { jq 'walk(if type == "object" then del(.engine) else . end)' "$1/summary.json"; }

same_as_one_job() { diff <(without_engine one) <(without_engine "$1"); }

# The workers of a run, by the kernel's list of children.
workers_of() { cat "/proc/$1/task/$1/children" 2>/dev/null; }

# The rows of a table of results.db, as CSV.
replications_in() { sqlite3 -readonly "$1/results.db" 'SELECT count(*) FROM replications' 2>/dev/null || echo 0; }

jobs_make_no_difference() {
    "$PEAL" run sweep.conf --quiet --jobs 1 --out one >one.txt || return
    "$PEAL" run sweep.conf --jobs 2 --out two --json >two.json 2>two.log || return
    same_as_one_job two || return
    [ "$(jq -r .fingerprint one/summary.json)" != null ] || fail "no fingerprint" || return
    [ "$(wc -l <two.log)" -eq 12 ] || fail "not a line for each replication: $(cat two.log)" || return
    ! grep -q $'\033' two.log || fail "escape codes in a log" || return
    "$PEAL" run sweep.conf --quiet --jobs 3 --out three >three.txt || return
    diff <(grep -v -e ' in .* s, ' -e '^results' one.txt) <(grep -v -e ' in .* s, ' -e '^results' three.txt)
}

# kill_after N: begins or resumes the sweep and kills it by -9 when N replications are in the results.
kill_after() {
    local pid workers worker
    "$PEAL" run sweep.conf --quiet --jobs 2 --out killed >/dev/null 2>&1 &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        [ "$(replications_in killed)" -lt "$1" ] || break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    workers=$(workers_of "$pid")
    kill -KILL "$pid" || fail "it was at its end already" || return
    wait "$pid" 2>/dev/null
    for worker in $workers; do
        timeout 5 tail --pid="$worker" -f /dev/null || fail "worker $worker lives on" || return
    done
}

killed_twice_and_resumed() {
    kill_after 2 || return
    kill_after 6 || return
    [ "$(jq -r .partial killed/summary.json 2>/dev/null || echo true)" = true ] || fail "it says it is whole" || return
    "$PEAL" run sweep.conf --quiet --jobs 2 --out killed >resumed.txt || return
    [ "$(grep -c fingerprint resumed.txt)" -le 10 ] || fail "it began anew" || return
    [ ! -e killed/parts ] || fail "parts were left" || return
    same_as_one_job killed
}

same_lookups_at_all_points() {
    local count
    count=$(sqlite3 -readonly one/results.db "SELECT count(*) FROM (SELECT r.replication, l.started_ns, l.asker, l.key,
        count(*) AS points FROM lookups l JOIN replications r ON r.id = l.replication_id
        GROUP BY 1, 2, 3, 4) WHERE points = 4")
    [ "$count" -gt 40000 ] || fail "$count lookups are made at all four points" || return
    count=$(sqlite3 -readonly one/results.db 'SELECT count(DISTINCT seed), count(*) FROM replications')
    [ "$count" = '3|12' ] || fail "seeds and replications: $count"
}

crash_is_told_and_the_rest_is_kept() {
    local pid worker status
    "$PEAL" run sweep.conf --quiet --jobs 2 --set scenario.duration=20min --out crashed >/dev/null 2>crash.log &
    pid=$!
    for ((i = 0; i < 100; i++)); do
        worker=$(workers_of "$pid")
        [ -z "$worker" ] || break
        sleep 0.02
    done
    kill -SEGV "${worker%% *}" || fail "no worker" || return
    wait "$pid"
    status=$?
    [ "$status" -eq 1 ] || fail "exit status $status" || return
    grep -q 'point 0, network.latency = constant:20ms, network.loss = 0%, replication 0 (seed 1)' crash.log ||
        fail "$(cat crash.log)" || return
    grep -q "signal 11.*" crash.log || fail "no word of the signal" || return
    grep -q "peal run 'sweep.conf' --set 'scenario.duration=20min'.*--seed 1" crash.log || fail "no command" || return
    [ "$(replications_in crashed)" -eq 11 ] || fail "$(replications_in crashed) replications were kept" || return
    "$PEAL" run sweep.conf --quiet --set scenario.duration=20min --out crashed >again.txt || return
    [ "$(grep -c fingerprint again.txt)" -eq 1 ] || fail "more than the missing one was run"
}

precision_adds_replications() {
    local options=(--quiet --set scenario.precision=0.3% --set scenario.precision-of=lookups.hops
        --set scenario.replications=2 --set scenario.replications-max=12 --set network.loss=0%
        --set network.latency=constant:20ms --set overlay.peers=30 --set scenario.duration=1min)
    "$PEAL" run sweep.conf "${options[@]}" --jobs 1 --out precise1 >/dev/null || return
    "$PEAL" run sweep.conf "${options[@]}" --jobs 2 --out precise2 >/dev/null || return
    diff <(without_engine precise1) <(without_engine precise2) || return
    jq -e '(.replications | length) > 2 and .precision.figure == "lookups.hops" and
           (.precision.met or (.replications | length) == 12)' precise1/summary.json ||
        fail "$(jq '.precision, (.replications | length)' precise1/summary.json)" || return
    "$PEAL" run sweep.conf "${options[@]}" --set scenario.precision-of=lookups.luck --out luck \
        --set scenario.replications=9 --jobs 1 >luck.txt 2>luck.log
    [ $? -eq 1 ] || fail "a figure that is none was taken" || return
    grep -q 'lookups.luck.*lookups.hops' luck.log || fail "$(cat luck.log)" || return
    [ "$(grep -c fingerprint luck.txt)" -eq 1 ] || fail 'the others were run before that was said'
}

# Of 100 runs, each with its own seed and 4 replications, 88 to 99 intervals hold the mean of all.
intervals_cover() {
    "$PEAL" run sweep.conf --quiet --out cover --set network.loss=1% --set network.latency=synthetic \
        --set overlay.peers=24 --set scenario.duration=40s --set scenario.warmup=5s --set scenario.replications=4 \
        --set overlay.link=tcp --set overlay.link-acks=no --set 'sweep.scenario.seed=1001..1100 step 1' \
        --set overlay.request-timeout=300ms --set overlay.request-lifetime=300ms >/dev/null || return
    jq -r '.points as $p | ["hops", "latency_ms", "success_rate"][] as $f |
        ([$p[].lookups[$f].mean] | add / length) as $grand |
        ([$p[].lookups[$f] | select(.ci95[0] <= $grand and $grand <= .ci95[1])] | length) as $held |
        "\($f) \($held) \($grand)"' cover/summary.json >held.txt
    cat held.txt
    [ "$(wc -l <held.txt)" -eq 3 ] && awk '$2 < 88 || $2 > 99 { bad = 1 } END { exit bad }' held.txt
}

live_view_is_drawn_and_wiped() {
    script -qec "stty cols 60 rows 10; '$PEAL' run sweep.conf --jobs 2 --set scenario.duration=40min --set network.loss=0% \
        --out live" /dev/null </dev/null >view || return
    grep -q '\[#*\.*\].*%' view || fail "no bar" || return
    grep -q 'lookups [0-9.]* %.* in [0-9]* ms' view || fail "no lookups" || return
    grep -q $'\033\[J' view || fail "it is not wiped" || return
    # No line of the view is wider than the terminal.
    tr '\r' '\n' <view | sed 's/\x1b\[[0-9]*[A-Z]//g' | grep -a 'to go\|of .* min' |
        awk 'length($0) > 60 { print; bad = 1 } END { exit bad }' || fail "lines too wide" || return
    "$PEAL" run sweep.conf --quiet --jobs 2 --set network.loss=0% --out silent >/dev/null 2>silent.log || return
    [ ! -s silent.log ] || fail "--quiet says: $(cat silent.log)"
}

interrupt_wipes_the_view() {
    script -qec "timeout --foreground -s INT 2 '$PEAL' run long.conf --jobs 2 --out wiped" /dev/null </dev/null >view
    grep -q 'interrupted; what was measured' view || fail "no word of it" || return
    ! tr '\n' ' ' <view | sed 's/.*\x1b\[J//' | grep -q 'messages/s' || fail "the view was left" || return
    [ "$(replications_in wiped)" -eq 2 ] || fail "$(replications_in wiped) replications were kept"
}

# A file that must not grow further is what a full disk is to a program: writing fails.
full_disk_loses_nothing() {
    local status
    (ulimit -f 1500; trap '' XFSZ; "$PEAL" run sweep.conf --quiet --jobs 1 --out full >/dev/null 2>full.log)
    status=$?
    [ "$status" -eq 1 ] || fail "exit status $status: $(cat full.log)" || return
    grep -q 'cannot write.*full' full.log || fail "$(cat full.log)" || return
    [ "$(replications_in full)" -ge 1 ] || fail "nothing was kept" || return
    "$PEAL" run sweep.conf --quiet --jobs 2 --out full >/dev/null || fail "it does not go on" || return
    same_as_one_job full
}

two_runs_in_one_directory() {
    local pid output
    "$PEAL" run long.conf --quiet --jobs 1 --out shared >/dev/null 2>&1 &
    pid=$!
    for ((i = 0; i < 100; i++)); do
        [ ! -e shared/results.db ] || break
        sleep 0.02
    done
    output=$("$PEAL" run long.conf --quiet --out shared 2>&1)
    [ $? -eq 2 ] || fail "both run" || return
    kill -INT "$pid"
    wait "$pid"
    [[ $output == *'another run is writing to shared'* ]] || fail "$output"
}

set -m
check jobs_make_no_difference jobs_make_no_difference
check sweep_killed_twice_and_resumed_has_the_same_summary killed_twice_and_resumed
check replications_have_common_random_numbers_at_all_points same_lookups_at_all_points
check crashed_worker_is_told_and_the_rest_is_kept crash_is_told_and_the_rest_is_kept
check precision_adds_replications_whatever_the_jobs precision_adds_replications
check intervals_of_100_runs_hold_the_mean_as_often_as_they_say intervals_cover
check live_view_is_drawn_and_wiped live_view_is_drawn_and_wiped
check interrupt_wipes_the_view interrupt_wipes_the_view
check full_disk_loses_nothing_that_was_measured full_disk_loses_nothing
check second_run_in_a_directory_is_refused two_runs_in_one_directory
finish
