# shellcheck shell=bash
# overlay_lib.sh - what tests on a real overlay share: `peal testbed` on loopback. Wants PEAL (the program)
# and OVERLAY (a scratch directory); BASE is the first port. Sets the traps' work in overlay_end.
overlay_start() { # PEERS [OPTION...]
    local peers=$1
    shift
    "$PEAL" testbed start --peers "$peers" --dir "$OVERLAY" --base-port "$BASE" "$@" </dev/null
}

overlay_end() {
    [ ! -d "$OVERLAY" ] || "$PEAL" testbed stop --dir "$OVERLAY" </dev/null
}

sip_port() { # PEER, from 1
    echo $((BASE + 10 * ($1 - 1)))
}
http_port() {
    echo $((BASE + 2 + 10 * ($1 - 1)))
}
socket() {
    echo "$OVERLAY/peer-$1/control"
}
pid_of() {
    cat "$OVERLAY/peer-$1/pid"
}

# json FILTER reads standard input with jq.
json() {
    jq -r "$1"
}

# peer_of NODE-ID prints the number of the peer that has it.
peer_of() {
    local k
    for k in "$OVERLAY"/peer-*; do
        if [ "$(cat "$k/state/node-id" 2>/dev/null)" = "$1" ]; then
            echo "${k##*-}"
        fi
    done
}

# until_true SECONDS COMMAND... repeats a command until it succeeds.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

healthy() { # PEER
    curl -fs -m 2 "http://127.0.0.1:$(http_port "$1")/status.json" >/dev/null
}
