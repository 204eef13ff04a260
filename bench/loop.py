"""otter's esp_https_ota against ESP-IDF's, on a device whose flash and link take as long as a chip's.

All update the same device (bench/loop) with the same image from the same server, in turn, by `otter run --flash-speed NOR
--link 1M,20ms,0`. With `--idf DIR` the project is built by that checkout of ESP-IDF, too (idf/inside): its own, unchanged
esp_https_ota, HTTP client, mbedTLS and image verifier, on the same flash and the same link. Without, the reference is a model of
it, written down call by call in bench/loop/main/loop.c: reads of 1024 bytes, each sector erased when it is entered, the image
read and hashed at the end and once more when it is selected.
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
from typing import NamedTuple

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
import otter_serve  # noqa: E402
import servers  # noqa: E402

GOAL = 0.6
IMAGE = 1 << 20
LINKS = ("1M,20ms,0", "1M,20ms,1%")
class Code(NamedTuple):
    """Whose update."""

    name: str
    folder: pathlib.Path  # a build folder of bench/loop
    how: str              # what OTTER_LOOP says


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


def update_ms(otter, code, link, env):
    """One update of a new device."""
    done = subprocess.run([otter, "run", code.folder, "--new", "--fast", "--flash-speed", "NOR", "--link", link], text=True,
                          env={**os.environ, **env, "OTTER_LOOP": code.how}, capture_output=True, timeout=600, check=False)
    found = re.search(r"loop: ESP_OK after (\d+) ms", done.stdout)
    if found is None:
        sys.exit(f"bench: the update by {code.name} failed:\n{done.stdout}{done.stderr}")
    return int(found[1])


def compare(otter, ours, references, link, rounds, env):
    """Prints a line for each reference. @return the ratio to the first one"""
    times = {code.name: [] for code in (ours, *references)}
    for _ in range(rounds):
        for code in (*references, ours):
            times[code.name].append(update_ms(otter, code, link, env))
    medians = []
    for code in references:
        ratios = [mine / theirs for theirs, mine in zip(times[code.name], times[ours.name])]
        medians.append(statistics.median(ratios))
        mine, theirs = (statistics.median(times[name]) / 1000 for name in (ours.name, code.name))
        print(f"{link:<12}  {medians[-1]:5.2f}  {min(ratios):5.2f} {max(ratios):5.2f}  {mine:6.2f} s  {theirs:6.2f} s  "
              f"{code.name}", flush=True)
    return medians[0]


def copied(work, name):
    project = work / name / "loop"
    shutil.copytree(SOURCE / "bench" / "loop", project, ignore=shutil.ignore_patterns("build*", "sdkconfig"))
    return project


def build_by_esp_idf(otter, work, checkout):
    """The project as ESP-IDF builds it. `./dev bench` has idf.py in PATH."""
    project = copied(work, "inside")
    if shutil.which("idf.py") is None:
        sys.exit("bench: idf.py is not in PATH: say `./dev bench loop --idf DIR`, which sees to that")
    done = subprocess.run(["idf.py", "--preview", "-D", f"EXTRA_COMPONENT_DIRS={SOURCE / 'idf' / 'inside'}", "-D",
                           "IDF_TARGET=linux", "-D", f"OTTER={otter}", "build"], cwd=project, text=True, capture_output=True,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {checkout} does not build bench/loop:\n{done.stdout[-3000:]}{done.stderr}")
    version = subprocess.run(["idf.py", "--version"], text=True, capture_output=True, check=True).stdout.strip()
    return Code(f"its own code, {version}", project / "build", "esp_https_ota")


def measure(build, rounds, checkout=None):
    """Prints the table. @return (what, ratio, the most that it should be) of each"""
    otter = build / "otter"
    with tempfile.TemporaryDirectory(prefix="bench-loop-") as name:
        work = pathlib.Path(name)
        ca, www = servers.make_ca(work), work / "www"
        cert = servers.make_cert(work, ca=ca)
        www.mkdir()
        make_image(otter, work, www / "app.bin")
        project = copied(work, "ours")
        run([otter, "build", project])
        ours = Code("otter", project / "build-otter", "esp_https_ota")
        references = [Code("a model of its loop, not its own code", ours.folder, "model")]
        if checkout is not None:
            references.insert(0, build_by_esp_idf(otter, work, checkout))
        print(f"otter's esp_https_ota against ESP-IDF's, an image of 1 MiB, flash NOR, {rounds} rounds in turn, medians")
        print(f"{'link':<12}  {'ratio':>5}  {'min':>5} {'max':>5}  {'otter':>8}  {'ESP-IDF':>8}  by")
        with otter_serve.OtterServe(www, cert) as server:
            env = {"OTTER_LOOP_URL": server.url("app.bin"), "OTTER_LOOP_CA": ca.cert}
            return [(f"esp_https_ota, of ESP-IDF's ({references[0].name}), link {link}",
                     compare(otter, ours, references, link, rounds, env), GOAL) for link in LINKS]
