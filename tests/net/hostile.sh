#!/bin/bash
# hostile.sh - a real node among people who mean it ill, or mean well and err.
# usage: hostile.sh PEAL
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
PEAL=$(readlink -f "$1")
DIR=$(mktemp -d)
TAP_CLEANUP+=" $DIR"
SIP=27600
PID=
end_all() {
    [ -z "$PID" ] || kill -9 "$PID" 2>/dev/null
    # shellcheck disable=SC2086
    rm -rf $TAP_CLEANUP
}
trap end_all EXIT
trap '' PIPE # of connections that the node ends

cat >"$DIR/node.conf" <<CONF
[node]
state-dir = $DIR/state
control = $DIR/control
log = $DIR/log
[overlay]
insecure-links = yes
listen = 127.0.0.1:$((SIP + 1))
first = yes
[sip]
listen = 127.0.0.1:$SIP
domain = example.org
[http]
listen = 127.0.0.1:$((SIP + 2))
CONF

# start [DESCRIPTORS] runs the node until it is healthy.
start() {
    local tries
    (
        [ $# -eq 0 ] || ulimit -n "$1"
        exec "$PEAL" node "$DIR/node.conf"
    ) >"$DIR/out" 2>&1 &
    PID=$!
    for ((tries = 0; tries < 100; tries++)); do
        "$PEAL" status --socket "$DIR/control" >/dev/null 2>&1 && return
        sleep 0.1
    done
    cat "$DIR/out" "$DIR/log"
    fail "the node is not healthy"
}

stop() {
    local status
    kill -INT "$PID"
    wait "$PID"
    status=$?
    PID=
    [ "$status" -eq 0 ] || fail "the node ends with $status"
}

# refused STATUS WORDS SETTING: the node does not start, at once, and says why.
refused() {
    timeout -k 1 10 "$PEAL" node "$DIR/node.conf" --set "$3" >"$DIR/refusal" 2>&1
    if [ $? -ne "$1" ] || ! grep -qF -- "$2" "$DIR/refusal"; then
        cat "$DIR/refusal"
        fail "no status $1 with '$2'"
    fi
}

answers() {
    local line
    exec 9<>"/dev/tcp/127.0.0.1/$SIP" || return
    printf 'OPTIONS sip:127.0.0.1:%s SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK%s\r\nFrom: <sip:a@example.org>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 9\r\nContent-Length: 0\r\n\r\n' \
        $SIP "$RANDOM$RANDOM" "$RANDOM" >&9
    read -r -t 5 line <&9
    exec 9>&-
    [[ $line == 'SIP/2.0 200'* ]] || fail "no answer to OPTIONS, but '$line'"
}

descriptors() { find "/proc/$PID/fd" -mindepth 1 | wc -l; }

# hold PORT COUNT TEXT opens connections that send the text and no more; release ends them.
HELD=()
hold() {
    local fd i
    for ((i = 0; i < $2; i++)); do
        exec {fd}<>"/dev/tcp/127.0.0.1/$1" || break
        { printf '%b' "$3" >&"$fd"; } 2>/dev/null
        HELD+=("$fd")
    done
}
release() {
    local fd
    for fd in "${HELD[@]}"; do
        exec {fd}>&-
    done
    HELD=()
}

settles() {
    local tries now=
    for ((tries = 0; tries < 150; tries++)); do
        now=$(descriptors)
        [ "$now" -le "$1" ] && return
        sleep 0.1
    done
    fail "$now descriptors are open, $1 were before"
}

half_requests_are_bounded_and_leave_nothing() {
    local before most
    before=$(descriptors)
    hold $SIP 250 'INVITE sip:a@example.org SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nContent-Length: 9999\r\n\r\nv='
    hold $((SIP + 2)) 60 'GET /sta'
    most=$(descriptors)
    release
    [ "$most" -le $((before + 256 + 16)) ] || fail "$most descriptors, $before before"
    answers && settles "$before"
}

no_descriptor_left_is_survived() {
    local before
    { stop && start 64; } || return
    before=$(descriptors)
    hold $SIP 80 'x'
    hold $((SIP + 2)) 20 'GET /sta'
    release
    settles "$before" && answers && "$PEAL" status --socket "$DIR/control" >/dev/null &&
        exec 9<>"/dev/tcp/127.0.0.1/$((SIP + 2))" && printf 'HEAD / HTTP/1.0\r\n\r\n' >&9 &&
        timeout 15 head -1 <&9 | grep -q '200 OK'
}

rubbish_on_every_port_is_survived() {
    local i port
    for port in $SIP $((SIP + 1)); do
        for ((i = 0; i < 200; i++)); do
            head -c $((i * 7 + 1)) /dev/urandom >"/dev/udp/127.0.0.1/$port"
        done 2>/dev/null
    done
    for port in $SIP $((SIP + 2)); do
        for ((i = 0; i < 20; i++)); do
            head -c 100000 /dev/urandom 2>/dev/null >"/dev/tcp/127.0.0.1/$port"
        done 2>/dev/null
    done
    answers && "$PEAL" status --socket "$DIR/control" >/dev/null
}

damaged_registrations_are_put_aside() {
    "$PEAL" register sip:bob@example.org sip:bob@192.0.2.1 --socket "$DIR/control" || return
    stop || return
    printf 'X' | dd of="$DIR/state/bindings" bs=1 seek=7 conv=notrunc status=none
    cp "$DIR/state/bindings" "$DIR/damaged"
    start && grep -F 'damaged or of another version' "$DIR/log" &&
        cmp "$DIR/damaged" "$DIR/state/bindings.bad"
}

full_disk_is_said_and_survived() {
    # shellcheck disable=SC2016
    unshare -m bash -c '
        mkdir "$2/small" && mount -t tmpfs -o size=64k tmpfs "$2/small" || exit
        head -c 100000 /dev/zero >"$2/small/fill" 2>/dev/null
        "$1" node "$2/node.conf" --set node.capture="$2/small/capture" &
        pid=$!
        for ((tries = 0; tries < 100; tries++)); do
            "$1" status --socket "$2/control" >/dev/null 2>&1 && break
            sleep 0.1
        done
        kill -INT $pid
        wait $pid' - "$PEAL" "$DIR" || return
    grep -F 'ends early: No space left on device' "$DIR/log"
}

nothing_is_left() {
    ! pgrep -f "node $DIR/node.conf"
}

mkfifo "$DIR/pipe"
mkdir "$DIR/directory"
check log_that_nobody_reads_is_refused refused 2 'cannot write the log' "node.log=$DIR/pipe"
check capture_into_a_pipe_is_refused refused 2 'it is a pipe' "node.capture=$DIR/pipe"
check users_without_an_end_are_refused refused 2 '/dev/zero: has more than' sip.users=/dev/zero
check users_that_are_a_directory_are_refused refused 2 'Is a directory' "sip.users=$DIR/directory"
check control_socket_over_a_directory_is_refused refused 2 'is no socket' "node.control=$DIR/directory"
check config_without_an_end_is_refused bash -c "! timeout -k 1 10 '$PEAL' node --check /dev/zero 2>'$DIR/refusal' && grep -F 'has more than' '$DIR/refusal'"
check node_starts start
check half_requests_are_bounded_and_leave_nothing half_requests_are_bounded_and_leave_nothing
check rubbish_on_every_port_is_survived rubbish_on_every_port_is_survived
check damaged_registrations_are_put_aside damaged_registrations_are_put_aside
check no_descriptor_left_is_survived no_descriptor_left_is_survived
check node_leaves stop
if unshare -m true 2>/dev/null; then
    check full_disk_is_said_and_survived full_disk_is_said_and_survived
else
    skip full_disk_is_said_and_survived 'no mount namespace can be made here'
fi
check nothing_is_left_running nothing_is_left
finish
