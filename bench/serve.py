"""`otter serve` against nginx and Python's http.server: curl fetches a file from each in turn; ratios of one run."""
# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import otter_serve  # noqa: E402
import servers  # noqa: E402

SIZES_MIB = (1, 64)


def fetch_ms(ca, url):
    start = time.monotonic()
    subprocess.run(["curl", "-sS", "--cacert", ca, "-o", "/dev/null", url], check=True, timeout=300)
    return (time.monotonic() - start) * 1000


def start_all(stack, folder, cert):
    """Ours first, then those to compare with, of what this machine has."""
    running = {"otter serve": stack.enter_context(otter_serve.OtterServe(folder, cert, "--quiet"))}
    if servers.Nginx.available():
        running["nginx"] = stack.enter_context(servers.Nginx(folder, cert))
    else:
        print("skipped: nginx is not installed, so `otter serve` is not compared with it")
    running["http.server"] = stack.enter_context(servers.HttpsServer(folder, cert))
    return running


def print_ratios(mib, times):
    """One line for each other server; `times` has one list of milliseconds for each, by rounds."""
    ours = times.pop("otter serve")
    for name, theirs in times.items():
        ratios = [a / b for a, b in zip(ours, theirs)]
        print(f"{mib:>4} MiB  {statistics.median(ratios):6.2f}  {min(ratios):5.2f} {max(ratios):5.2f}"
              f"  {statistics.median(ours):6.1f} ms  {statistics.median(theirs):6.1f} ms  {name}", flush=True)


def compare_servers(build, rounds):
    """Prints the table. The first round warms the caches up and does not count."""
    otter_serve.OTTER = build / "otter"
    print(f"otter serve against other servers, downloads by curl, {rounds} alternating rounds, medians")
    with tempfile.TemporaryDirectory(prefix="bench-serve-") as work, contextlib.ExitStack() as stack:
        os.chmod(work, 0o755)  # nginx's own user reads it
        folder = pathlib.Path(work) / "firmware"
        folder.mkdir()
        ca = servers.make_ca(work)
        running = start_all(stack, folder, servers.make_cert(work, ca=ca))
        print(f"{'file':>8}  {'ratio':>6}  {'min':>5} {'max':>5}  {'otter':>9}  {'other':>9}")
        for mib in SIZES_MIB:
            (folder / "app.bin").write_bytes(os.urandom(mib << 20))
            times = {name: [] for name in running}
            for i in range(rounds + 1):
                for name in list(running)[::1 if i % 2 else -1]:
                    times[name].append(fetch_ms(ca.cert, running[name].url("app.bin")))
            print_ratios(mib, {name: rows[1:] for name, rows in times.items()})
