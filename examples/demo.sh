#!/usr/bin/env bash
# The main job on one screen: a device updates itself over HTTPS, confirms, takes a broken update, and falls back.
# usage: examples/demo.sh BUILD_DIR [--signed] [FOLDER]
# --signed: the device has secure boot, and on the way refuses what its owner did not sign. FOLDER keeps what was made; without it
# everything is removed at the end. BUILD_DIR is otter's, or that of the examples alone with an otter that is installed.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

build=$(cd "${1:?usage: examples/demo.sh BUILD_DIR [--signed] [FOLDER]}" && pwd)
signed=false
if [[ ${2:-} == --signed ]]; then
    signed=true
    set -- "$1" "${@:3}"
fi
[[ ${2:-} != -* ]] || { echo "demo: there is no option $2, only --signed" >&2 && exit 2; }
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
otter=$build/otter firmwares=$build/examples
[[ -x $otter ]] || otter=$(command -v otter) || { echo "demo: there is no otter in $build or in PATH" >&2 && exit 1; }
[[ -d $firmwares ]] || firmwares=$build
time_limit=120 # seconds for the device; it needs about ten

if [[ -n ${2:-} ]]; then
    mkdir -p "$2"
    folder=$(cd "$2" && pwd)
else
    folder=$(mktemp -d "${TMPDIR:-/tmp}/otter-demo-XXXXXX")
fi
server='' watcher=''

cleanup() {
    [[ -z $watcher ]] || kill "$watcher" 2>/dev/null || true
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    wait
    [[ -n ${2:-} ]] || rm -rf "$folder"
}
trap 'cleanup "$@"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() {
    printf '\n== %s\n' "$*"
}

die() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

# A CA, and a certificate of it for a server on this machine.
make_certificates() {
    local log=$folder/openssl.log
    local kind=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30)
    if ! { openssl req -x509 "${kind[@]}" -subj "/CN=otter demo CA" -keyout "$folder/ca.key" -out "$folder/ca.pem" &&
        openssl req -x509 "${kind[@]}" -subj "/CN=localhost" -addext "basicConstraints=critical,CA:FALSE" \
            -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" \
            -keyout "$folder/server.key" -out "$folder/server.pem"; } 2>"$log"; then
        cat "$log" >&2
        die "openssl could not make certificates"
    fi
}

# The two-OTA table with room for these firmwares: only a build with sanitizers needs more than 1 MiB for each.
choose_table() {
    table=$examples/partitions_two_ota.csv size=4MB
    if (($(stat -c %s "$folder/images/1.0.0.bin") > 1024 * 1024)); then
        table=$examples/partitions_two_ota_8MB.csv size=8MB
    fi
}

# What the story needs of images in $folder/images: unsigned ones are as they were built.
make_images() {
    local version
    mkdir -p "$folder/images"
    for version in 1.0.0 2.0.0 3.0.0; do
        cp "$firmwares/advanced_https_ota-$version.bin" "$folder/images/$version.bin"
    done
}

# The same images with signatures: the owner's, a stranger's, and one that was taken from another image.
sign_images() {
    local key=$folder/owner.pem images=$folder/images version
    "$otter" key new "$key"
    "$otter" key public "$key" -o "$folder/owner.pub.pem"
    cp "$images/2.0.0.bin" "$images/unsigned.bin"
    for version in 1.0.0 2.0.0 3.0.0; do
        "$otter" image sign "$images/$version.bin" --key "$key" -o "$images/$version.bin"
    done
    "$otter" key new "$folder/stranger.pem"
    "$otter" image sign "$images/unsigned.bin" --key "$folder/stranger.pem" -o "$images/stranger.bin"
    # 3.0.0, with the signature of 2.0.0 behind it: signatures are an image's last 4096 bytes.
    head -c -4096 "$images/3.0.0.bin" >"$images/forged.bin"
    tail -c 4096 "$images/2.0.0.bin" >>"$images/forged.bin"
}

# Puts an image on offer, whole or not at all.
offer() {
    cp "$folder/images/$1.bin" "$folder/www/firmware.bin.new"
    mv "$folder/www/firmware.bin.new" "$folder/www/firmware.bin"
}

# Serves $folder/www on a free port, slowly enough that a download can be watched; sets `server` and `port`.
start_server() {
    local rate=$(($(stat -c %s "$folder/www/firmware.bin") / 2))
    "$otter" serve "$folder/www" --cert "$folder/server.pem" --key "$folder/server.key" --bind 127.0.0.1 --port 0 \
        --port-file "$folder/port" --rate "$rate" >"$folder/server.log" 2>&1 &
    server=$!
    for _ in $(seq 200); do
        if [[ -s $folder/port ]]; then
            port=$(<"$folder/port")
            return
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    cat "$folder/server.log" >&2
    die "the server did not start"
}

# offer_in_turn REQUESTS IMAGE ...: after so many requests in all, the next one finds this image.
offer_in_turn() {
    while (($# > 0)); do
        until (($(grep -c "firmware.bin" "$folder/server.log") >= $1)); do
            sleep 0.05
        done
        offer "$2"
        shift 2
    done
}

# The story has ended as told, or this is a failure.
check_end() {
    local info slots versions
    info=$("$otter" flash info "$folder/flash.bin" --json | tr -d '[:space:]')
    slots=$(grep -o '"label":"ota_[01]","state":"[A-Z_]*"' <<<"$info" | tr -d '"' | tr '\n' ' ') || true
    versions=$(grep -o '"version":"[^"]*"' <<<"$info" | tr -d '"' | tr '\n' ' ') || true
    [[ $slots == "label:ota_0,state:VALID label:ota_1,state:ABORTED " ]] ||
        die "ota_0 should be VALID and ota_1 ABORTED, but there is: $slots"
    [[ $versions == "version:1.0.0 version:2.0.0 version:3.0.0 " ]] ||
        die "the slots should hold 1.0.0, 2.0.0 and 3.0.0, but there is: $versions"
    [[ $info == *'"boot":{"label":"ota_0"'* ]] || die "ota_0 should boot next"
}

say "Certificates: a CA that the device trusts, and a server certificate signed by it"
make_certificates
openssl x509 -in "$folder/server.pem" -noout -subject -issuer -ext subjectAltName

rm -f "$folder/flash.bin" "$folder/flash.bin.efuse" "$folder/port"
mkdir -p "$folder/www"
make_images
secure=() first=2.0.0 turns=(2 3.0.0) # once 2.0.0 runs it asks again: the second request
if $signed; then
    cat <<'TEXT'

   the owner's key ── signs ──> images ──> server ──> device: flash, and eFuses that hold
   (never leaves his desk)                            the digest of the owner's key
                                                      │
                     whoever has no such key ──> ✗  refused when it is verified,
                                                    refused again at every boot
TEXT
    say "Keys: the owner's, who signs 1.0.0, 2.0.0 and 3.0.0; and a stranger's, who signs what he likes"
    sign_images
    secure=(--secure-boot --trust "$folder/owner.pub.pem") first=unsigned turns=(1 stranger 2 forged 3 2.0.0 5 3.0.0)
fi

choose_table
say "A flash of $size with ESP-IDF's two-OTA table and version 1.0.0 in the factory partition"
"$otter" flash new "$folder/flash.bin" --size "$size" --table "$table" \
    --app "factory=$folder/images/1.0.0.bin" "${secure[@]}"

if $signed; then
    say "A server on 127.0.0.1 that somebody else has got hold of. It offers, one after the other:"
    cat <<'TEXT'
   2.0.0, not signed
   2.0.0, signed by a stranger
   3.0.0, with the signature of 2.0.0
   and, in the owner's hands again: 2.0.0, and 3.0.0, which crashes in its self-test
TEXT
else
    say "A server on 127.0.0.1 that offers 2.0.0, and 3.0.0 as soon as 2.0.0 runs (3.0.0 crashes in its self-test)"
fi
offer "$first"
start_server
echo "https://localhost:$port/firmware.bin"
offer_in_turn "${turns[@]}" &
watcher=$!

say "The device"
status=0
OTTER_EXAMPLE_URL=https://localhost:$port/firmware.bin OTTER_EXAMPLE_CA=$folder/ca.pem OTTER_EXAMPLE_INTERVAL_MS=1000 \
    timeout --foreground "$time_limit" "$otter" run "$folder/flash.bin" --watchdog 30 || status=$?
((status == 0)) || die "the device ended with status $status"

say "What is in the flash now"
"$otter" flash info "$folder/flash.bin"
check_end

if $signed; then
    say "As it should: three images that the owner did not sign are not there, 2.0.0 runs, 3.0.0 had its chance"
else
    say "As it should: 2.0.0 runs, 3.0.0 had its chance"
fi
