# shellcheck shell=bash
# phones_lib.sh - what tests with real phones share: baresip and linphonec without sound hardware, each in
# a directory of its own, and tones in WAV files to speak and to hear. Wants PHONES (a scratch directory),
# TONE (the tone program), and ends with `phones_end` what it began.
PHONE_PIDS=()

# phones_end ends every phone that was started here.
phones_end() {
    local pid
    for pid in "${PHONE_PIDS[@]}"; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    PHONE_PIDS=()
}


# baresip_start NAME SIP-PORT CONTROL-PORT ACCOUNT HZ: speaks a tone of HZ; records what it hears.
baresip_start() {
    local name=$1 port=$2 control=$3 account=$4 hz=$5 dir=$PHONES/$1 modules module
    mkdir -p "$dir/heard"
    modules=$(dirname "$(find /usr/lib -path '*/baresip/modules/g711.so' | head -1)")
    "$TONE" make "$dir/speak.wav" "$hz" 20
    {
        echo "module_path $modules"
        echo "net_interface 127.0.0.1"
        echo "sip_listen 127.0.0.1:$port"
        echo "rtp_ports $((port + 2))-$((port + 8))"
        echo "audio_source aufile,$dir/speak.wav"
        echo "audio_player aubridge,nowhere"
        echo "audio_alert aubridge,nowhere"
        echo "snd_path $dir/heard"
        echo "ctrl_tcp_listen 127.0.0.1:$control"
        [ -z "${PHONE_DNS-}" ] || echo "dns_server $PHONE_DNS"
        for module in g711 aufile aubridge sndfile uuid; do
            echo "module $module.so"
        done
        for module in account contact menu ctrl_tcp; do
            echo "module_app $module.so"
        done
    } >"$dir/config"
    echo "$account" >"$dir/accounts"
    : >"$dir/contacts"
    baresip -f "$dir" -v </dev/null >"$dir/log" 2>&1 &
    PHONE_PIDS+=($!)
    until_true 10 grep -q 'baresip is ready' "$dir/log"
}

# baresip_do CONTROL-PORT COMMAND [PARAMETERS] prints the answer to a command.
baresip_do() {
    local json answer
    json=$(printf '{"command":"%s","params":"%s","token":"t"}' "$2" "${3-}")
    exec {fd}<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf '%d:%s,' "${#json}" "$json" >&"$fd"
    IFS= read -r -t 3 -d '}' answer <&"$fd"
    exec {fd}>&-
    echo "$answer"
}

# heard NAME HZ prints for how many seconds the phone heard a tone; the longest of its recordings.
heard() {
    local file best=0 seconds
    for file in "$PHONES/$1"/heard/*dec.wav "$PHONES/$1"/heard.wav; do
        [ -s "$file" ] || continue
        seconds=$("$TONE" heard "$file" "$2") || continue
        best=$(awk -v a="$best" -v b="$seconds" 'BEGIN { print (b > a ? b : a) }')
    done
    echo "$best"
}

# heard_for NAME HZ SECONDS: at least so long.
heard_for() {
    local seconds
    seconds=$(heard "$1" "$2")
    echo "$1 heard $2 Hz for $seconds s"
    awk -v a="$seconds" -v b="$3" 'BEGIN { exit !(a >= b) }'
}

# linphone_start NAME SIP-PORT HZ PROXY-PORT: a linphonec that takes commands from linphone_do; the peer at
# PROXY-PORT is its registrar and outbound proxy.
linphone_start() {
    local name=$1 port=$2 hz=$3 proxy=sip:127.0.0.1:$4 dir=$PHONES/$1
    mkdir -p "$dir/home/.local/share/linphone" "$dir/home/.config/linphone"
    "$TONE" make "$dir/speak.wav" "$hz" 20
    cat >"$dir/linphonerc" <<EOF
[sip]
sip_port=$port
sip_tcp_port=0
sip_tls_port=0
default_proxy=0
[proxy_0]
reg_proxy=<$proxy>
reg_route=<$proxy;lr>
reg_identity=sip:$name@p2p.test
reg_expires=60
reg_sendregister=1
[rtp]
audio_rtp_port=$((port + 2))
[net]
firewall_policy=0
EOF
    mkfifo "$dir/commands"
    HOME=$dir/home XDG_CONFIG_HOME=$dir/home/.config linphonec -c "$dir/linphonerc" <"$dir/commands" >"$dir/log" 2>&1 &
    PHONE_PIDS+=($!)
    exec {LINPHONE}>"$dir/commands"
    until_true 15 grep -q 'linphonec>' "$dir/log"
    linphone_do soundcard use files
    linphone_do play "$dir/speak.wav"
    linphone_do record "$dir/heard.wav"
}

linphone_do() {
    echo "$*" >&"$LINPHONE"
    sleep 0.3
}
