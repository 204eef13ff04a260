#!/usr/bin/env bash
# A fleet on one screen: 200 devices take 2.0.0 in two groups; 3.0.0 crashes on some boards, stops by itself, and is taken back.
# usage: examples/fleet_demo.sh BUILD_DIR [FOLDER]
# FOLDER, otherwise BUILD_DIR, gets the picture, fleet.svg. BUILD_DIR is otter's, or any folder with an otter that is installed.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

build=$(cd "${1:?usage: examples/fleet_demo.sh BUILD_DIR [FOLDER]}" && pwd)
[[ ${2:-} != -* ]] || { echo "demo: there is no option $2" >&2 && exit 2; }
folder=${2:-$build}
mkdir -p "$folder"
otter=$build/otter
[[ -x $otter ]] || otter=$(command -v otter) || { echo "demo: there is no otter in $build or in PATH" >&2 && exit 1; }

say() {
    printf '\n== %s\n' "$*"
}

die() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

# Every fourth board is of the revision on which 3.0.0 crashes. The first group is a tenth of the fleet.
plan=(--devices 200 --seed 11 --poll 60 --groups "10,90" --success 90 --error 20 --bad 25 --release 2.0.0 --bad-release 3.0.0
    --withdraw)

say "200 devices run 1.0.0: each the agent, the bootloader and the update code of otter, on flash of its own"
echo "   2.0.0 goes to 20 of them, and to all when 18 of these have it and have confirmed it. Then 3.0.0 goes the same way; it"
echo "   crashes on one board revision, which every fourth device has. Where 4 of 20 fail, the rollout stops by itself."
echo "   Links are slow and lose requests and answers. The clock does not wait: half an hour takes a moment."
printf '\n   otter fleet simulate %s\n' "${plan[*]}"

say "What happened"
report=$("$otter" fleet simulate "${plan[@]}" --quiet --svg "$folder/fleet.svg") || die "the simulation found something wrong"
printf '%s\n' "$report"

say "In words"
end=$("$otter" fleet simulate "${plan[@]}" --quiet --json | sed -n '/"curve"/,$p' | tail -n 20)
on() {
    printf '%s\n' "$end" | sed -n "s/.*\"$1\":[[:space:]]*\([0-9]*\).*/\1/p" | tail -n 1
}
stopped=$(printf '%s\n' "$report" | sed -n 's/^3\.0\.0: stopped by itself: \([0-9]*\) of .*/\1/p')
[[ -n $stopped ]] || die "3.0.0 did not stop"
back=$(on 2.0.0)
[[ $back == 200 && $(on 3.0.0) == 0 ]] || die "not all devices are back on 2.0.0"
echo "   2.0.0 reached all 200 devices, 20 of them first."
echo "   3.0.0 crashed on trial: bootloaders fell back to 2.0.0, agents told why, and after $stopped such reports the server gave"
echo "   it to nobody else. The devices of the group that had it got 2.0.0 again."
echo "   At the end all $back devices run 2.0.0, none runs 3.0.0, and the server was told nothing that was not so."
printf '   The picture: %s\n' "$folder/fleet.svg"
