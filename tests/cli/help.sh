#!/bin/bash
# help.sh - the program explains itself. usage: help.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")

# says STATUS WORD ARGUMENT... : `peal ARGUMENT...` ends with STATUS and its output has WORD.
says() {
    local wanted=$1 word=$2 output status
    shift 2
    output=$("$PEAL" "$@" 2>&1 </dev/null)
    status=$?
    [ "$status" -eq "$wanted" ] || fail "exit status $status: $output" || return
    [[ $output == *"$word"* ]] || fail "no '$word' in: $output"
}

keys_have_sections() {
    local section
    "$PEAL" help keys >"$TAP_OUTPUT.keys" || return
    for section in scenario overlay network workload peer event; do
        grep -q "\[$section" "$TAP_OUTPUT.keys" || fail "no section $section" || return
    done
}
TAP_CLEANUP+=" $TAP_OUTPUT.keys"

check no_command_lists_them says 2 'run a scenario'
check help_lists_the_commands says 0 'run a scenario' help
check help_option_does_too says 0 'run a scenario' --help
check version_is_named says 0 'peal ' --version
check help_of_a_command_lists_its_options says 0 --pcap help run
check option_help_of_a_command_does_too says 0 --pcap run --help
for command in status lookup register call; do
    check "${command}_explains_itself" says 0 '--socket=PATH' "$command" --help
    check "help_of_${command}_does_too" says 0 'Exit status 0' help "$command"
    check "${command}_without_a_node_is_refused" says 2 'no node at /none/control' "$command" --socket /none/control \
        $([ "$command" = status ] || echo sip:bob@example.org)
done
check status_takes_no_words says 2 'usage: peal status' status bob
check lookup_wants_an_address says 2 'usage: peal lookup' lookup
check lookup_of_no_address_is_refused says 2 "'b@d@x' is no SIP address" lookup b@d@x
check register_refuses_a_bad_time says 2 '--expires wants a time' register bob@example.org --expires 1fortnight
check call_refuses_a_bad_time says 2 '--duration wants a time' call bob@example.org --duration 0s
check testbed_explains_itself says 0 'peal testbed start --dir DIR' testbed --help
for command in start status stop logs; do
    check "testbed_${command}_explains_itself" says 0 '--dir=DIR' testbed "$command" --help
    check "testbed_${command}_wants_a_directory" says 2 '--dir DIR is wanted' testbed "$command"
done
check testbed_wants_a_verb says 2 'peal testbed stop' testbed
check testbed_refuses_other_verbs says 2 "nothing is known of 'begin'" testbed begin
check testbed_wants_some_peers says 2 '--peers wants a number' testbed start --peers 0 --dir none
check testbed_ports_end says 2 'go beyond 65535' testbed start --peers 500 --base-port 65000 --dir none
check testbed_port_zero_is_none says 2 '--base-port wants a port' testbed start --peers 2 --base-port 0 --dir none
check testbed_that_is_none_is_named says 2 'there is no testbed in' testbed status --dir none
check plot_explains_itself says 0 Usage plot --help
check help_keys_has_every_section keys_have_sections
check help_keys_names_the_values says 0 constant:T help keys
check help_of_an_unknown_command_names_the_nearest says 2 "'peal plot'" help plto
check help_keys_refuses_other_words says 2 markdown help keys --html
check plot_without_a_directory_is_refused says 2 'peal plot' plot
check plot_names_its_families says 0 load-lorenz plot --help
check plot_exports_one_directory says 2 'one results directory' plot --csv a b
check plot_exports_without_other_options says 2 'leave the other options out' plot --csv --list a
check report_explains_itself says 0 'one HTML page' report --help
check report_without_a_directory_is_refused says 2 'peal report DIR' report
check report_of_no_results_is_refused says 2 "'peal run'" report none
check compare_explains_itself says 0 Usage compare --help
check compare_of_one_directory_is_refused says 2 'peal compare' compare out
check compare_of_no_results_is_refused says 2 none compare none none
check plot_of_no_results_is_refused says 2 none plot none
finish
