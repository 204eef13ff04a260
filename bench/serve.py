"""`otter serve` against nginx: curl fetches one big file from each in turn; prints the ratio of the medians.

usage: OTTER_BUILD=build python3 bench/serve.py [MIB [ROUNDS]]        (default: 64 MiB, 11 rounds)
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
from otter_serve import OtterServe  # noqa: E402
from servers import Nginx, make_ca, make_cert  # noqa: E402


def fetch_s(ca, url):
    start = time.monotonic()
    subprocess.run(["curl", "-sS", "--cacert", ca, "-o", "/dev/null", url], check=True, timeout=300)
    return time.monotonic() - start


def measure(mib, rounds):
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)  # nginx's own user reads it
        folder = pathlib.Path(work) / "firmware"
        folder.mkdir()
        ca, cert = make_ca(work).cert, make_cert(work)
        (folder / "app.bin").write_bytes(os.urandom(mib << 20))
        with OtterServe(folder, cert, "--quiet") as serve, Nginx(folder, cert) as nginx:
            pairs = [(fetch_s(ca, serve.url("app.bin")), fetch_s(ca, nginx.url("app.bin"))) for _ in range(rounds + 1)]
    return [statistics.median(times) for times in zip(*pairs[1:])]  # the first round warms the caches


def main():
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 11
    serve_s, nginx_s = measure(mib, rounds)
    print(f"serve {mib} MiB  {serve_s * 1000:.1f} ms  nginx {nginx_s * 1000:.1f} ms  ratio {serve_s / nginx_s:.2f}")


if __name__ == "__main__":
    main()
