"""esp_https_ota against ESP-IDF's own loop, on a device whose flash and link take as long as a chip's.

Both update the same device (bench/loop) with the same image from the same server, in turn, by `otter run --flash-speed NOR
--link 1M,20ms,0`. The loop is what ESP-IDF's esp_https_ota does, written down call by call in bench/loop/main/loop.c: reads of
1024 bytes, each sector erased when it is entered, the image read and hashed at the end and once more when it is selected.
Times are the device's own; its clock runs ahead over flash and link (`--fast`), so that a round takes seconds.
"""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
import otter_serve  # noqa: E402
import servers  # noqa: E402

GOAL = 0.6
IMAGE = 1 << 20
LINKS = ("1M,20ms,0", "1M,20ms,1%")
HOW = ("model", "esp_https_ota")


def run(command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


def make_image(otter, work, out):
    """An image of chip linux with random bytes behind a small program."""
    payload = work / "payload"
    program = pathlib.Path("/bin/true").read_bytes()
    payload.write_bytes(program + os.urandom(IMAGE - len(program) - 4096))
    run([otter, "image", "build", "--elf", payload, "--chip", "linux", "--project", "loop", "--version", "2.0.0", "-o", out])


def update_ms(otter, folder, link, env):
    """One update of a new device."""
    done = subprocess.run([otter, "run", folder, "--new", "--fast", "--flash-speed", "NOR", "--link", link], text=True,
                          env={**os.environ, **env}, capture_output=True, timeout=600, check=False)
    found = re.search(r"loop: ESP_OK after (\d+) ms", done.stdout)
    if found is None:
        sys.exit(f"bench: the update failed:\n{done.stdout}{done.stderr}")
    return int(found[1])


def compare(otter, folder, link, rounds, env):
    """Prints a line. @return the ratio"""
    times = {how: [] for how in HOW}
    for _ in range(rounds):
        for how in HOW:
            times[how].append(update_ms(otter, folder, link, {**env, "OTTER_LOOP": how}))
    ratios = [ours / theirs for theirs, ours in zip(times["model"], times["esp_https_ota"])]
    ratio = statistics.median(ratios)
    theirs, ours = (statistics.median(times[how]) / 1000 for how in HOW)
    print(f"{link:<12}  {ratio:5.2f}  {min(ratios):5.2f} {max(ratios):5.2f}  {ours:6.2f} s  {theirs:6.2f} s", flush=True)
    return ratio


def measure(build, rounds):
    """Prints the table. @return (what, ratio, the most that it should be) of each"""
    otter = build / "otter"
    with tempfile.TemporaryDirectory(prefix="bench-loop-") as name:
        work = pathlib.Path(name)
        ca, www = servers.make_ca(work), work / "www"
        cert = servers.make_cert(work, ca=ca)
        www.mkdir()
        make_image(otter, work, www / "app.bin")
        shutil.copytree(SOURCE / "bench" / "loop", work / "loop", ignore=shutil.ignore_patterns("build*", "sdkconfig"))
        run([otter, "build", work / "loop"])
        print("esp_https_ota against a model of ESP-IDF's loop (not its own code), an image of 1 MiB, flash NOR, "
              f"{rounds} rounds in turn, medians")
        print(f"{'link':<12}  {'ratio':>5}  {'min':>5} {'max':>5}  {'otter':>8}  {'model':>8}")
        with otter_serve.OtterServe(www, cert) as server:
            env = {"OTTER_LOOP_URL": server.url("app.bin"), "OTTER_LOOP_CA": ca.cert}
            return [(f"esp_https_ota, of a model of ESP-IDF's loop, link {link}",
                     compare(otter, work / "loop" / "build-otter", link, rounds, env), GOAL) for link in LINKS]
