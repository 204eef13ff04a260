#!/usr/bin/env bash
# The main job on one screen: a device updates itself over HTTPS, confirms, takes a broken update, and falls back.
# usage: examples/demo.sh BUILD_DIR [FOLDER]     FOLDER keeps what was made; without it everything is removed at the end
# BUILD_DIR is otter's, or that of the examples alone with an otter that is installed.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

build=$(cd "${1:?usage: examples/demo.sh BUILD_DIR [FOLDER]}" && pwd)
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
    if (($(stat -c %s "$firmwares/advanced_https_ota-1.0.0.bin") > 1024 * 1024)); then
        table=$examples/partitions_two_ota_8MB.csv size=8MB
    fi
}

# Puts a version on offer, whole or not at all.
offer() {
    cp "$firmwares/advanced_https_ota-$1.bin" "$folder/www/firmware.bin.new"
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

# Once 2.0.0 runs it asks for the next update: the second request. From then on 3.0.0 is on offer.
offer_the_broken_one_in_time() {
    until (($(grep -c "firmware.bin" "$folder/server.log") >= 2)); do
        sleep 0.05
    done
    offer 3.0.0
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

choose_table
say "A flash of $size with ESP-IDF's two-OTA table and version 1.0.0 in the factory partition"
rm -f "$folder/flash.bin" "$folder/port"
mkdir -p "$folder/www"
"$otter" flash new "$folder/flash.bin" --size "$size" --table "$table" \
    --app "factory=$firmwares/advanced_https_ota-1.0.0.bin"

say "A server on 127.0.0.1 that offers 2.0.0, and 3.0.0 as soon as 2.0.0 runs (3.0.0 crashes in its self-test)"
offer 2.0.0
start_server
echo "https://localhost:$port/firmware.bin"
offer_the_broken_one_in_time &
watcher=$!

say "The device"
status=0
OTTER_EXAMPLE_URL=https://localhost:$port/firmware.bin OTTER_EXAMPLE_CA=$folder/ca.pem OTTER_EXAMPLE_INTERVAL_MS=1000 \
    timeout --foreground "$time_limit" "$otter" run "$folder/flash.bin" --watchdog 30 || status=$?
((status == 0)) || die "the device ended with status $status"

say "What is in the flash now"
"$otter" flash info "$folder/flash.bin"
check_end

say "As it should: 2.0.0 runs, 3.0.0 had its chance"
