#!/bin/bash
# replay.sh - captures described, made workloads, played into simulated overlays, and read back from what Peal itself
# wrote. usage: replay.sh PEAL SOURCE_ROOT
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
ROOT=$(readlink -f "$2")
DATA=$ROOT/../shared/data/pcap
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1
printf '%s\n' '[scenario]' 'duration = 3min' 'warmup = 20s' 'replications = 1' '[overlay]' 'peers = 20' 'start = converged' \
    'neighbours = 3' '[network]' 'latency = constant:20ms' '[workload]' 'users-per-peer = 2' \
    'lookups-per-peer-hour = 0' 'calls-per-user-hour = 60' 'call-duration = constant:10s' 'ring = 2s' >calls.conf
printf '%s\n' '[scenario]' 'name = stage' 'duration = 1min' 'warmup = 5s' 'replications = 1' '[overlay]' 'peers = 100' 'start = converged' \
    '[workload]' 'lookups-per-peer-hour = 60' >stage.conf

# is FILE FILTER WANTED: what jq finds in a JSON file.
is() {
    local found
    found=$(jq -c "$2" "$1") || return
    [ "$found" = "$3" ] || fail "$2 of $1 is $found, not $3"
}

# What `peal run --pcap` wrote is read back with the calls that were made: all that began before the end.
a_simulated_capture_is_read_back() {
    local made
    "$PEAL" run calls.conf --quiet --out sim --pcap sim.pcap >sim.txt || return
    "$PEAL" replay sim.pcap --describe --json >sim.json || return
    made=$(tshark -r sim.pcap -Y 'sip.Method == "INVITE"' -T fields -e sip.Call-ID | sort -u | wc -l)
    [ "$made" -gt 50 ] || fail "only $made calls" || return
    is sim.json .calls "$made" || return
    is sim.json .users 40 || return
    is sim.json .registrations 40
}

# Those of the measured window, by results.db, lie among them.
its_answered_calls_are_those_of_the_results() {
    local answered
    answered=$(sqlite3 sim/results.db "SELECT count(*) FROM calls WHERE status BETWEEN 200 AND 299") || return
    "$PEAL" replay sim.pcap --from +20s --json >window.json || return
    jq -e --argjson n "$answered" '.call_figures.answered >= $n and .call_figures.answered <= $n + 10' window.json ||
        fail "$answered answered in the results, $(jq -c .call_figures.answered window.json) in the capture"
}

gzip_and_standard_input_make_no_difference() {
    gzip -k sim.pcap || return
    "$PEAL" replay sim.pcap.gz --json >gz.json || return
    "$PEAL" replay - --json <sim.pcap >stdin.json || return
    diff <(jq -S 'del(.file)' sim.json) <(jq -S 'del(.file)' gz.json) || return
    diff <(jq -S 'del(.file)' sim.json) <(jq -S 'del(.file)' stdin.json)
}

# A replay of what was simulated, into another overlay: each call ends as it did.
a_simulated_capture_plays_again() {
    "$PEAL" replay sim.pcap --scenario stage.conf --quiet --out again --json >again.json || return
    is again.json '[.replay.calls == .replay.begun, .replay.as_in_trace.mean > 0.97]' '[true,true]' || return
    [ -s again/results.db ] && ls again/workload-*.calls >/dev/null
}

the_same_replay_has_the_same_fingerprint() {
    "$PEAL" replay sim.pcap --scenario stage.conf --quiet --out twice --json >twice.json || return
    [ "$(jq .fingerprint twice.json)" = "$(jq .fingerprint again.json)" ]
}

# The workload file is as good as the capture.
a_workload_file_plays_as_its_capture_does() {
    "$PEAL" replay sim.pcap --write-workload my.calls || return
    "$PEAL" replay my.calls --scenario stage.conf --quiet --out file --json >file.json || return
    [ "$(jq .fingerprint file.json)" = "$(jq .fingerprint again.json)" ] || fail "another fingerprint"
}

plots_stand_beside_each_other() {
    "$PEAL" plot again >plot.txt || return
    [ -s again/plots/replay-setup.svg ] && [ -s again/plots/replay-answers.svg ] || fail "$(cat plot.txt)" || return
    [ -s again/plots/fit-interarrival.svg ] || fail "no fits among $(cat plot.txt)"
}

# The page lists the calls, each with how it ended there and here.
the_page_has_the_calls() {
    "$PEAL" report again || return
    grep -q 'Calls of the trace' again/report.html || fail 'no calls' || return
    grep -o 'answered 200' again/report.html | wc -l | grep -qvx '[01]' || fail 'no call that was answered'
}

# Two replays of one trace, call by call; and one table of each in csv/.
replays_are_compared_and_exported() {
    "$PEAL" compare again twice --no-plot >compared.txt || return
    grep -q 'call by call' compared.txt || fail "$(cat compared.txt)" || return
    grep -Eq '^replay: ([0-9]+) calls of one trace in both; ([0-9]+) ended as there in A, \2 in B; \1 alike' compared.txt ||
        fail "$(cat compared.txt)" || return
    "$PEAL" plot again --csv >csv.txt || return
    [ "$(wc -l <again/csv/trace_calls.csv)" -eq "$(wc -l <again/csv/replay_calls.csv)" ] || fail "$(wc -l again/csv/*)"
}

a_fitted_scenario_runs() {
    "$PEAL" replay sim.pcap --write-scenario fitted.conf --users 200 || return
    "$PEAL" run fitted.conf --quiet --set scenario.duration=3min --out fitted --json >fitted.json || return
    jq -e '.calls.started > 10' fitted.json
}

# ends_as_it_ended CAPTURE OUTCOMES: in a simulation of 100 peers.
ends_as_it_ended() {
    "$PEAL" replay "$DATA/$1" --scenario stage.conf --quiet --out "$1" --json >"$1.json" || return
    is "$1.json" '[.replay.as_in_trace.mean, .replay.begun]' "$2" || return
    sqlite3 "$1/results.db" "SELECT count(*) FROM replay_calls r JOIN trace_calls t USING (call)
        WHERE r.outcome != t.outcome" | grep -qx 0
}

# anonymised NAME: nothing that the program writes has a name of the trace.
anonymised() {
    "$PEAL" replay "$DATA/$1" --anonymise secret --keep headers,bodies --write-workload "anon-$1.calls" || return
    "$PEAL" replay "$DATA/$1" --anonymise secret --describe >"anon-$1.txt" || return
    ! grep -E 'voi1806|35104723|97239287044|cybercity|brujula|192\.168' "anon-$1.calls" "anon-$1.txt"
}

# refuses WORDS -- ARGUMENT... : exit status 2, a message with all the words, and nothing written.
refuses() {
    local words=() word status output
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    output=$("$PEAL" replay "$@" 2>&1 >stdout </dev/null)
    status=$?
    echo "$output"
    [ "$status" -eq 2 ] || fail "exit status $status" || return
    [ ! -s stdout ] || fail "it printed: $(cat stdout)" || return
    [ ! -e bad ] || fail "it wrote" || return
    for word in "${words[@]}"; do
        [[ $output == *"$word"* ]] || fail "the message lacks '$word'" || return
    done
}

# waits_no_longer BYTES WORD: a capture that comes by a pipe, and stops coming, is interrupted at once.
waits_no_longer() {
    local pid status
    mkfifo pipe || return
    (head -c "$1" sim.pcap && exec sleep 20) >pipe &
    local feeder=$!
    "$PEAL" replay - --json <pipe >pipe.json 2>pipe.log &
    pid=$!
    sleep 1
    kill -INT "$pid"
    timeout 5 tail --pid="$pid" -f /dev/null || fail "it waits on" || return
    wait "$pid"
    status=$?
    kill "$feeder"
    rm pipe
    [ $status -eq 1 ] && grep -q "$2" pipe.log || fail "status $status: $(cat pipe.log)"
}

what_came_is_described() {
    waits_no_longer 20000 'interrupted; what was read until then is above' || return
    is pipe.json '[.packets > 10, .interrupted, .damage]' '[true,true,null]'
}

if command -v tshark >/dev/null; then
    check a_simulated_capture_is_read_back a_simulated_capture_is_read_back
else
    skip a_simulated_capture_is_read_back "needs tshark"
    "$PEAL" run calls.conf --quiet --out sim --pcap sim.pcap >sim.txt
    "$PEAL" replay sim.pcap --describe --json >sim.json
fi
check its_answered_calls_are_those_of_the_results its_answered_calls_are_those_of_the_results
check gzip_and_standard_input_make_no_difference gzip_and_standard_input_make_no_difference
check a_simulated_capture_plays_again a_simulated_capture_plays_again
check the_same_replay_has_the_same_fingerprint the_same_replay_has_the_same_fingerprint
check a_workload_file_plays_as_its_capture_does a_workload_file_plays_as_its_capture_does
check plots_stand_beside_each_other plots_stand_beside_each_other
check the_page_has_the_calls the_page_has_the_calls
check replays_are_compared_and_exported replays_are_compared_and_exported
check a_fitted_scenario_runs a_fitted_scenario_runs
check an_interrupted_pipe_is_described what_came_is_described
check a_pipe_that_says_nothing_is_interrupted waits_no_longer 0 'before the capture - had begun'
if [ -d "$DATA" ]; then
    check two_users_end_as_they_ended ends_as_it_ended sip-two-users.pcap '[1,1]'
    check calls_and_registers_end_as_they_ended ends_as_it_ended sip-calls-and-registers.pcap '[1,4]'
    check names_can_be_hidden anonymised sip-calls-and-registers.pcap
else
    for name in two_users_end_as_they_ended calls_and_registers_end_as_they_ended names_can_be_hidden; do
        skip "$name" "needs ../shared/data/pcap"
    done
fi

: >empty.pcap
echo 'Dear diary' >diary.pcap
head -c 100 "$PEAL" >program.pcap
check no_capture_shows_how refuses 'peal replay' --
check a_missing_capture_is_named refuses none.pcap -- none.pcap
check a_directory_is_no_capture refuses directory -- .
check an_empty_file_is_no_capture refuses empty.pcap -- empty.pcap
check a_text_is_no_capture refuses diary.pcap -- diary.pcap
check a_program_is_no_capture refuses program.pcap -- program.pcap
check a_bad_filter_is_named refuses 'udp prot' -- sim.pcap --filter 'udp prot 5060'
check a_name_in_a_filter_is_not_looked_up refuses example.org -- sim.pcap --to 127.0.0.1:1 --filter 'udp and host example.org'
check a_name_in_a_filter_is_not_looked_up_by_its_label refuses server7 -- sim.pcap --to 127.0.0.1:1 --filter 'src server7'
check a_bad_time_shows_the_forms refuses --from=noon 2026-05-01 -- sim.pcap --from noon
check an_empty_window_is_refused refuses --until -- sim.pcap --from +10s --until +10s
check a_bad_speed_shows_the_form refuses --speed=fast 10x -- sim.pcap --to 127.0.0.1 --speed fast
check a_speed_of_a_description_is_refused refuses 'goes with --scenario, --to' -- sim.pcap --describe --speed 10x
check json_of_a_file_is_refused refuses '--json goes with' -- sim.pcap --write-scenario j.conf --json
check a_name_is_no_target refuses example.org -- sim.pcap --to example.org
check two_stages_are_one_too_many refuses --scenario --to -- sim.pcap --to 127.0.0.1 --scenario stage.conf
check a_lonely_option_is_refused refuses --users -- sim.pcap --users 5
check a_bad_place_shows_the_ways refuses round-robin -- sim.pcap --scenario stage.conf --place anywhere
check a_missing_scenario_is_named refuses none.conf -- sim.pcap --scenario none.conf --out bad
check a_bad_key_leaves_nothing_behind refuses overlay.peesr -- sim.pcap --scenario stage.conf --set overlay.peesr=1 --out bad
touch there.calls
check a_file_that_is_there_is_kept refuses there.calls --force -- sim.pcap --write-workload there.calls
mkfifo pipe
check what_is_no_file_is_not_replaced refuses pipe device -- sim.pcap --write-workload pipe --force
check the_capture_is_not_replaced refuses sim.pcap 'to be read' -- sim.pcap --write-workload ./sim.pcap --force
check two_outputs_are_two_files refuses --write-workload --write-scenario -- sim.pcap --write-workload both --write-scenario both
check an_empty_name_is_no_file refuses --write-scenario name -- sim.pcap --write-scenario ''
check a_bad_domain_shows_the_form refuses '--domain=a b' brackets -- sim.pcap --write-workload bad.calls --domain 'a b'
check a_time_beyond_all_clocks_is_refused refuses --from=2300 seconds -- sim.pcap --from 2300-01-01T00:00:00Z
check an_endless_key_is_refused refuses --anonymise large -- sim.pcap --anonymise @/dev/zero
printf '%s\n' 'peal-workload 1' >nobody.calls
check nobody_plays_nothing refuses nobody.calls 'no users' -- nobody.calls --scenario stage.conf --out bad
check an_unwritable_place_is_named refuses /none/my.calls -- sim.pcap --write-workload /none/my.calls
finish
