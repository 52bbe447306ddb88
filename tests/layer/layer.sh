#!/bin/bash
# layer.sh - the floors of the house, checked: an include never runs up, and core knows no world.
# usage: layer.sh SOURCE-ROOT BUILD-ROOT CORE-ARCHIVE INSTRUMENTED COMPILER...
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
ROOT=$1 BUILD=$2 CORE=$3 INSTRUMENTED=$4
shift 4
COMPILER=("$@")

# The include directories each room may see, and with them the rooms: PREFIX: DIRECTORY...
# The longest prefix that a source's path starts with is its room.
FLOORS='
core/: core core/include
core/openssl/: core/openssl/include core/include
analysis/: analysis analysis/include core/include
scenarios/: scenarios scenarios/include analysis/include core/include
net/: net net/include scenarios/include analysis/include core/include core/openssl/include
sim/: sim sim/include scenarios/include analysis/include core/include core/openssl/include
peal.c: net/include sim/include scenarios/include analysis/include core/include core/openssl/include
'
# What core may ask of the C library: nothing that knows a clock, a file, a thread or chance.
CORE_HEADERS=' stdbool.h stddef.h stdint.h string.h '
CORE_SYMBOLS=' bcmp memchr memcmp memcpy memmove memset strchr strcmp strlen strncmp __stack_chk_fail _GLOBAL_OFFSET_TABLE_ '
ASSERT_HEADERS=' stdio.h stdlib.h '
ASSERT_SYMBOLS=' abort fprintf fwrite stderr __fprintf_chk '

sources() {
    (cd "$ROOT" && find core analysis scenarios sim net peal.c -name '*.[ch]' 2>/dev/null)
}

# allowed FILE prints the include directories of the file's room.
allowed() {
    local prefix directories best='' found=''
    while IFS=: read -r prefix directories; do
        if [ -n "$prefix" ] && [ "${1#"$prefix"}" != "$1" ] && [ ${#prefix} -gt ${#best} ]; then
            best=$prefix found=$directories
        fi
    done <<<"$FLOORS"
    [ -n "$best" ] && echo "$found"
}

# in_the_tree PATH: a path as the compiler gets it, relative to the build or the source root.
in_the_tree() {
    local path
    path=$(realpath -m --relative-base="$BUILD" "$BUILD/$1")
    case $path in
    /*) path=$(realpath -m --relative-base="$ROOT" "$path") ;;
    esac
    echo "$path"
}

# Each compiler call names only its room's directories (as sources or as meson's mirror of them in
# the build directory), never the root.
include_paths_follow_the_floors() {
    local status=0 file path directory call
    local -A place=() # of each -I, worked out once
    [ -s "$BUILD/compile_commands.json" ] || fail "no compile_commands.json" || return
    while read -r call; do
        file=${call%% *}
        for path in ${call#"$file"}; do
            [ -n "${place[$path]-}" ] || place[$path]=$(in_the_tree "$path")
            path=${place[$path]}
            case $path in
            *.p | /usr/*) continue ;; # the object's own directory, a library's headers
            esac
            for directory in $(allowed "$file"); do
                [ "$path" != "$directory" ] || continue 2
            done
            fail "$file is compiled with $path on its include path" || status=1
        done
    done < <(include_paths)
    return "$status"
}

# include_paths prints 'FILE DIRECTORY...' for every call that compiles a room's source.
include_paths() {
    awk -F'"' '/"command":/ { command = $0 } /"file":/ { print $4, command }' "$BUILD/compile_commands.json" |
        while read -r file command; do
            file=$(realpath -m --relative-base="$ROOT" "$BUILD/$file")
            case $file in
            tests/* | /*) continue ;;
            esac
            echo "$file $(tr ' ' '\n' <<<"$command" | sed -n 's/^-I//p' | tr '\n' ' ')"
        done
}

# Every #include is found in the room itself or in a public directory of a lower floor.
includes_run_down() {
    local status=0 file name directory
    while IFS=: read -r file name; do
        case $name in
        \"*)
            name=${name//\"/}
            [ -e "$ROOT/${file%%/*}/$name" ] || [ -e "$ROOT/$(dirname "$file")/$name" ] ||
                fail "$file includes \"$name\", which its room does not have" || status=1
            ;;
        \<peal/* | \<analysis/* | \<scenarios/* | \<sim/* | \<net/* | \<peal_openssl/*)
            name=${name//[<>]/}
            for directory in $(allowed "$file"); do
                [ ! -e "$ROOT/$directory/$name" ] || continue 2
            done
            fail "$file includes <$name>, which lies above it" || status=1
            ;;
        esac
    done < <(included)
    return "$status"
}

included() {
    (cd "$ROOT" && sources | xargs grep -HoE '^ *# *include *["<][^">]*[">]' | sed 's/: *# *include */:/')
}

core_includes_only_freestanding_headers() {
    local status=0 file name allowed
    while IFS=: read -r file name; do
        case $file:$name in
        core/openssl/* | core/sip/*:\<osipparser2/* | *:\"* | *:\<peal/* | analysis/* | scenarios/* | sim/* | net/* | peal.c:*) continue ;;
        esac
        name=${name//[<>]/}
        allowed=$CORE_HEADERS
        [ "$file" != core/base/assert.c ] || allowed+=$ASSERT_HEADERS
        [ "${allowed#* "$name" }" != "$allowed" ] || fail "$file includes <$name>" || status=1
    done < <(included)
    return "$status"
}

no_include_climbs() {
    ! (cd "$ROOT" && sources | xargs grep -n '"\.\./') && ! grep -rnE '# *include *"\.\./' --include='*.[ch]' "$ROOT/tests"
}

core_links_alone() {
    "${COMPILER[@]}" -shared -Wl,-z,defs -o "$SCRATCH/core.so" -Wl,--whole-archive "$CORE" -Wl,--no-whole-archive -losipparser2
}

core_calls_nothing_of_a_world() {
    local status=0 object symbol allowed
    local -A defined=()
    while read -r symbol; do
        defined[$symbol]=1
    done < <(nm --defined-only "$CORE" 2>/dev/null | awk 'NF == 3 { print $3 }')
    [ ${#defined[@]} -gt 0 ] || fail "nm finds nothing in $CORE" || return
    while read -r object symbol; do
        [ -z "${defined[$symbol]-}" ] || continue
        allowed=$CORE_SYMBOLS
        case $object in
        *base_assert.c.o:) allowed+=$ASSERT_SYMBOLS ;;
        *sip_*.c.o:) [ "${symbol#osip_}" = "$symbol" ] || continue ;;
        esac
        [ "${allowed#* "$symbol" }" != "$allowed" ] ||
            fail "${object##*/} $symbol is not on the list of what core may call" || status=1
    done < <(nm -A --undefined-only "$CORE" 2>/dev/null | awk '{ print $(NF - 2), $NF }')
    return "$status"
}

core_has_no_mutable_state() {
    objdump -h "$CORE" >"$SCRATCH/sections" || return
    grep -q '\.text' "$SCRATCH/sections" || fail "no object in $CORE" || return
    ! awk '/file format/ { object = $1 }
        object ~ /sip_arena\.c\.o/ && $2 == ".tbss" && $3 ~ /^0+8$/ { next }
        $2 ~ /^\.t?(data|bss)$/ && $3 !~ /^0+$/ { print object, $2, "0x" $3, "bytes" }' "$SCRATCH/sections" | grep .
}

SCRATCH=$(mktemp -d)
TAP_CLEANUP+=" $SCRATCH"
check include_paths_follow_the_floors include_paths_follow_the_floors
check includes_run_down includes_run_down
check core_includes_only_freestanding_headers core_includes_only_freestanding_headers
check no_include_climbs no_include_climbs
for name in core_links_alone core_calls_nothing_of_a_world core_has_no_mutable_state; do
    if [ "$INSTRUMENTED" = true ]; then
        skip $name "the compiler's instrumentation calls into its runtime"
    else
        check $name $name
    fi
done
finish
