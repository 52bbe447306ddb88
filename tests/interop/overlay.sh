#!/bin/bash
# overlay.sh - a 16-peer overlay of real processes: four are killed at once, the responsible peer is
# stopped, and status pages turn red and green again. usage: overlay.sh PEAL
set -u
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"
# shellcheck source=tests/interop/overlay_lib.sh
. "$here/overlay_lib.sh"
PEAL=$(readlink -f "$1")
SCRATCH=$(mktemp -d)
OVERLAY=$SCRATCH/tb BASE=25600 PEERS=16 LIFETIME=60 KILLED='2 5 9 14'
TAP_CLEANUP+=" $SCRATCH"
trap 'overlay_end >/dev/null 2>&1; rm -rf $TAP_CLEANUP' EXIT

for program in jq curl; do
    if ! command -v $program >/dev/null; then
        skip sixteen_peers "needs $program"
        finish
    fi
done

register() { # USER PEER
    "$PEAL" register "sip:u$1@p2p.test" "sip:u$1@127.0.0.1:9" --expires ${LIFETIME}s --socket "$(socket "$2")"
}

found() { # USER PEER
    "$PEAL" lookup "sip:u$1@p2p.test" --socket "$(socket "$2")"
}

all_register() {
    local k
    for ((k = 1; k <= PEERS; k++)); do
        register "$k" "$k" || return
    done
    for ((k = 1; k <= PEERS; k++)); do
        found "$k" $((PEERS + 1 - k)) || return
    done
}

kill_four() {
    local k
    for k in $KILLED; do
        kill -9 "$(pid_of "$k")" || return
    done
}

# register_phones USER...: each at its own peer, or at the next one where that was killed, as phones do that
# live on.
register_phones() {
    local user peer
    for user in "$@"; do
        peer=$user
        case " $KILLED " in *" $user "*) peer=$((user + 1)) ;; esac
        until_true 30 register "$user" "$peer" || fail "u$user cannot register at peer $peer" || return
    done
}

# Phones whose adapter was killed register elsewhere at once, the others when half their lifetime is over: a
# record is gone until then where its owner and both replicas were among the killed.
all_are_found_again() {
    local begin=$SECONDS k missing=x refreshed=
    # shellcheck disable=SC2086 # its words are users
    register_phones $KILLED || return
    while [ -n "$missing" ] && [ $((SECONDS - begin)) -lt $LIFETIME ]; do
        missing=
        for ((k = 1; k <= PEERS; k++)); do
            found "$k" 1 >/dev/null 2>&1 || missing+=" u$k"
        done
        if [ -n "$missing" ] && [ -z "$refreshed" ] && [ $((SECONDS - begin)) -ge $((LIFETIME / 2)) ]; then
            register_phones $(seq $PEERS) || return
            refreshed=yes
        fi
    done
    [ -z "$missing" ] || fail "not found after $((SECONDS - begin)) s:$missing" || return
    echo "all found after $((SECONDS - begin)) s"
}

responsible() { # USER: the number of the peer that answers for it
    peer_of "$("$PEAL" lookup "sip:u$1@p2p.test" --socket "$(socket 1)" --json | jq -r .responsible)"
}

# Copies go to the next two peers, as far as the owner knows.
knows_who_is_next() { # PEER: neither of the next two was killed
    local id
    for id in $("$PEAL" status --json --socket "$(socket "$1")" | jq -r '.successors[0:2][]'); do
        case " $KILLED " in *" $(peer_of "$id") "*) return 1 ;; esac
    done
}

# A user whose responsible peer is not the one asked.
stopped_owner_is_passed_by() {
    local user owner='' took status=0
    register_phones $(seq $PEERS) || return
    for user in 1 3 4 6 7 8; do
        owner=$(responsible $user)
        [ -z "$owner" ] || [ "$owner" = 1 ] || break
    done
    [ -n "$owner" ] && [ "$owner" != 1 ] || fail "no owner to stop" || return
    until_true 30 knows_who_is_next "$owner" || fail "peer $owner goes on with the dead" || return
    register_phones "$user" || return
    kill -STOP "$(pid_of "$owner")" || return
    took=$SECONDS
    timeout 10 "$PEAL" lookup "sip:u$user@p2p.test" --socket "$(socket 1)" || status=$?
    took=$((SECONDS - took))
    kill -CONT "$(pid_of "$owner")"
    [ "$status" -eq 0 ] || fail "no answer about u$user within $took s while peer $owner, its owner, was stopped"
}

alive() {
    local k
    for ((k = 1; k <= PEERS; k++)); do
        case " $KILLED " in *" $k "*) ;; *) echo "$k" ;; esac
    done
}

signal_all_but_first() { # SIGNAL
    local k
    for k in $(alive); do
        [ "$k" = 1 ] || kill "-$1" "$(pid_of "$k")"
    done
}

red() {
    ! healthy 1
}

red_within_30_s() {
    until_true 20 healthy 1 || fail "it was not healthy before" || return
    signal_all_but_first STOP
    until_true 30 red || fail "still healthy 30 s after all others stopped" || return
    signal_all_but_first CONT
}

check sixteen_peers_join overlay_start $PEERS
check everybody_registers_and_is_found all_register
check four_are_killed kill_four
check nobody_is_lost_longer_than_a_lifetime all_are_found_again
check a_stopped_owner_does_not_stop_lookups stopped_owner_is_passed_by
check health_is_red_within_30_s_without_the_others red_within_30_s
check health_is_green_again until_true 60 healthy 1
finish
