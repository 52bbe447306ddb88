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

check no_command_lists_them says 2 'simulate a scenario'
check help_lists_the_commands says 0 'simulate a scenario' help
check help_option_does_too says 0 'simulate a scenario' --help
check version_is_named says 0 'peal ' --version
check help_of_a_command_lists_its_options says 0 --pcap help run
check option_help_of_a_command_does_too says 0 --pcap run --help
check plot_explains_itself says 0 Usage plot --help
check help_keys_has_every_section keys_have_sections
check help_keys_names_the_values says 0 constant:T help keys
check help_of_an_unknown_command_names_the_nearest says 2 "'peal plot'" help plto
check help_keys_refuses_other_words says 2 markdown help keys --html
check plot_without_a_directory_is_refused says 2 'peal plot' plot
check compare_explains_itself says 0 Usage compare --help
check compare_of_one_directory_is_refused says 2 'peal compare' compare out
check compare_of_no_results_is_refused says 2 none compare none none
check plot_of_no_results_is_refused says 2 none plot none
finish
