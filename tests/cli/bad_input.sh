#!/bin/bash
# bad_input.sh - every kind of bad input: one message that says where, what and what to do, exit status 2,
# and nothing written. usage: bad_input.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
cd "$SCRATCH" || exit 1

# scenario LINE... writes bad.conf: a small scenario that works, ended by the lines that spoil it.
scenario() {
    printf '%s\n' '[scenario]' 'duration = 1min' 'warmup = 0s' '[overlay]' 'peers = 3' 'start = converged' "$@" >bad.conf
}

# refuses WORDS -- ARGUMENT... : `peal run ARGUMENT...` fails as it should, and its message has all the words.
refuses() {
    local words=() word status output
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    output=$("$PEAL" run "$@" 2>&1 >stdout </dev/null)
    status=$?
    echo "$output"
    [ "$status" -eq 2 ] || fail "exit status $status" || return
    [ ! -s stdout ] || fail "it printed: $(cat stdout)" || return
    if [ -e out ]; then
        rm -rf out
        fail "it wrote out"
        return
    fi
    [ "$(wc -l <<<"$output")" -le 2 ] || fail "more than a message" || return
    for word in "${words[@]}"; do
        case $output in
        *"$word"*) ;;
        *) fail "the message lacks '$word'" || return ;;
        esac
    done
}

printf '0 10 20\n10 0 30\n20 30 0\n' >three.txt
printf '0 10 20\n10 0\n20 30 0\n' >hole.txt
printf '0 10 20\n10 0 far\n20 30 0\n' >word.txt

scenario 'peesr = 4'
check unknown_key_names_the_nearest refuses bad.conf:7 overlay.peesr "'peers'" -- bad.conf --out out
scenario '[overlya]' 'peers = 4'
check unknown_section_names_the_nearest refuses bad.conf:7 overlya "overlay" -- bad.conf --out out
scenario 'peers = 4'
check duplicate_key_names_both_lines refuses bad.conf:7 "'peers'" 'line 5' remove -- bad.conf --out out
scenario '[network]' 'latency = constant:50parsec'
check bad_unit_lists_the_units refuses bad.conf:8 network.latency parsec ms -- bad.conf --out out
scenario '[network]' 'loss = 120%'
check impossible_value_gives_the_range refuses bad.conf:8 network.loss 120% 100% -- bad.conf --out out
scenario 'peers-online = '
check empty_value_of_an_unknown_key_is_refused refuses bad.conf:7 peers-online -- bad.conf --out out
scenario '[network]' 'latency = matrix:none.txt'
check missing_matrix_says_where_it_looked refuses bad.conf:8 network.latency none.txt relative -- bad.conf --out out
scenario '[network]' 'latency = matrix:hole.txt'
check matrix_with_a_hole_names_its_line refuses bad.conf:8 network.latency hole.txt:2 'a hole' '3 are needed' -- \
    bad.conf --out out
scenario '[network]' 'latency = matrix:word.txt'
check matrix_with_a_word_names_its_line refuses bad.conf:8 network.latency word.txt:2 far -- bad.conf --out out
scenario '[network]' 'latency = matrix:three.txt'
check more_peers_than_hosts_offers_shared refuses bad.conf:8 '3 hosts' hosts shared -- \
    bad.conf --set overlay.peers=4 --out out
sed -i 's/^peers = 3/peers = 0/' bad.conf
check no_peers_gives_the_range refuses bad.conf:5 overlay.peers 1 -- bad.conf --out out
scenario
check bad_option_names_the_option refuses "--set overlay.peesr=4" "'peers'" -- bad.conf --set overlay.peesr=4 --out out
check option_without_value_is_refused refuses --set overlay.peers -- bad.conf --set overlay.peers --out out
head -c 4096 "$PEAL" >bad.conf
check program_is_no_scenario refuses bad.conf scenario 'peal help keys' -- bad.conf --out out
echo 'Dear diary' >bad.conf
check letter_is_no_scenario refuses bad.conf:1 scenario 'peal help keys' -- bad.conf --out out
: >bad.conf
check empty_file_is_no_scenario refuses bad.conf scenario -- bad.conf --out out
check missing_file_is_named refuses none.conf -- none.conf --out out
check directory_is_no_scenario refuses "$SCRATCH" -- "$SCRATCH" --out out
scenario
check unwritable_out_names_the_option refuses /proc/out --out -- bad.conf --out /proc/out
check file_as_out_names_the_option refuses bad.conf/out --out -- bad.conf --out bad.conf/out
check unwritable_capture_names_the_file refuses none/traffic.pcap --pcap -- bad.conf --pcap none/traffic.pcap --out out
check unknown_world_is_named refuses --on=mars sim sockets -- bad.conf --on mars --out out
check base_port_without_sockets_is_refused refuses --base-port sim -- bad.conf --base-port 23000 --out out
check base_port_that_is_none_is_refused refuses --base-port=no 65535 -- bad.conf --on sockets --base-port no --out out
check processors_on_sockets_are_refused refuses peer.cpu processor -- bad.conf --set peer.cpu=constant:1ms --on sockets --out out
check capture_on_sockets_is_refused refuses --pcap sockets -- bad.conf --on sockets --pcap x.pcap --out out
check jobs_that_are_none_are_refused refuses --jobs=0 1..1024 -- bad.conf --jobs 0 --out out
check jobs_on_sockets_are_refused refuses --jobs=2 ports -- bad.conf --jobs 2 --on sockets --out out
scenario '[sweep]'
check empty_sweep_is_refused_with_its_line refuses bad.conf:7 'sweeps nothing' -- bad.conf --out out
scenario '[sweep]' 'overlay.peesr = 1, 2'
check sweep_over_an_unknown_key_is_refused refuses bad.conf:8 "'peers'" -- bad.conf --out out
scenario '[sweep]' 'network.loss = 0%..5% step 2%'
check range_that_misses_its_end_is_refused refuses bad.conf:8 'hit its end' 4% -- bad.conf --out out
scenario
check unknown_option_is_named refuses --fast -- bad.conf --fast
check two_scenarios_are_refused refuses 'one scenario' -- bad.conf bad.conf

unknown_command() {
    local output
    output=$("$PEAL" rnu 2>&1)
    [ $? -eq 2 ] || fail "exit status not 2" || return
    [[ $output == *"'peal run'"* ]] || fail "$output"
}
check unknown_command_names_the_nearest unknown_command

results_are_kept() {
    "$PEAL" run bad.conf --quiet --out kept >first || return
    "$PEAL" run bad.conf --quiet --out kept --seed 7 >second 2>message
    [ $? -eq 2 ] || fail "other results were replaced" || return
    grep -q -e '--force' message || fail "no word of --force: $(cat message)" || return
    "$PEAL" run bad.conf --quiet --out kept --seed 7 --force || fail "--force did not help"
}
check other_results_are_replaced_only_by_force results_are_kept
finish
