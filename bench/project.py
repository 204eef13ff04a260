"""How long an ESP-IDF project folder takes: built from nothing, after a change of one file, and from power on to app_main()."""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import idf_project  # noqa: E402

GOALS_MS = {"from nothing": 5000, "one file changed": 1000, "power on to app_main()": 20}
FIRST_WORDS = b"simple_ota: version"  # of the example's app_main()


def build_ms(otter, project):
    start = time.monotonic()
    subprocess.run([otter, "build", project.path], check=True, capture_output=True, timeout=300)
    return (time.monotonic() - start) * 1000


def boot_ms(otter, project):
    """Until the first line of app_main() is there. The device is then switched off."""
    start = time.monotonic()
    with subprocess.Popen([otter, "run", project.out], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as device:
        seen = b""
        while FIRST_WORDS not in seen:
            piece = os.read(device.stdout.fileno(), 65536)
            if not piece:
                sys.exit("bench: the device has not come to app_main()")
            seen += piece
        took = (time.monotonic() - start) * 1000
        device.terminate()
    return took


def measure(build, rounds):
    """Prints a line each. @return (what, milliseconds, the most that it should be) of each"""
    otter, project = build / "otter", idf_project.Project("simple_ota")
    for name in [name for name in os.environ if name.startswith("CCACHE_") or name == "CMAKE_C_COMPILER_LAUNCHER"]:
        del os.environ[name]  # a compiler's cache would be measured
    times = {name: [] for name in GOALS_MS}
    print(f"an ESP-IDF project (examples/idf/simple_ota), {rounds} rounds, medians")
    for _ in range(rounds):
        shutil.rmtree(project.out, ignore_errors=True)
        times["from nothing"].append(build_ms(otter, project))
        project.append("main/main.c", "\n")
        times["one file changed"].append(build_ms(otter, project))
        boot_ms(otter, project)  # the flash file is made
        times["power on to app_main()"].append(boot_ms(otter, project))
    project.remove()
    for name, taken in times.items():
        print(f"{name:<24}{statistics.median(taken):9.1f} ms")
    return [(f"project, {name}: ms", statistics.median(taken), GOALS_MS[name]) for name, taken in times.items()]
