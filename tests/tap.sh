# shellcheck shell=bash
# tap.sh - what a shell test sources to speak TAP: `check NAME COMMAND...` and, at the end, `finish`.
# A check passes when its command exits with 0; what the command prints is shown when it fails.
TAP_NUMBER=0
TAP_FAILED=0
TAP_OUTPUT=$(mktemp)
TAP_CLEANUP="$TAP_OUTPUT"
trap 'rm -rf $TAP_CLEANUP' EXIT

check() {
    local name=$1
    shift
    TAP_NUMBER=$((TAP_NUMBER + 1))
    if "$@" >"$TAP_OUTPUT" 2>&1; then
        echo "ok $TAP_NUMBER - $name"
    else
        sed 's/^/# /' "$TAP_OUTPUT"
        echo "not ok $TAP_NUMBER - $name"
        TAP_FAILED=$((TAP_FAILED + 1))
    fi
}

# skip NAME REASON counts a check that cannot run here.
skip() {
    TAP_NUMBER=$((TAP_NUMBER + 1))
    echo "ok $TAP_NUMBER - $1 # SKIP $2"
}

# fail WORDS... says why a check's command fails, and fails.
fail() {
    echo "$*"
    return 1
}

finish() {
    echo "1..$TAP_NUMBER"
    exit $((TAP_FAILED > 0))
}
