#!/usr/bin/env python3
"""What otter is measured against: ratios of one run, alternating rounds, and peak memory.

update:    a whole update against curl, openssl and sync.
  Reference: `curl -o FILE URL && openssl dgst -sha256 FILE && sync FILE`, from the same nginx.
  Ours:      `otter update FLASH URL --ca CA`: downloaded, written, read back, verified, synced, selected for boot.
floor:     the same against the least that an update is: bench/floor.c, one process that does TLS, SHA-256, write and sync. Wall
           and processor time, where the image that runs must be hashed first, and where nothing depends on it.
signed:    `otter image verify --key` of a signed image against `openssl dgst -sha256 -verify` of the bytes that are signed;
           and an update of a device with secure boot against the same of one without. Processor time.
memory:    the peak resident memory of `otter update`.
encrypted: an update with an encrypted image (RSA-3072, AES-256-GCM) against the same one plain, each on one core.
xts:       an update of a device with flash encryption (XTS-AES-256) against the same of one without, each on one core. Processor
           time.
idf:       an ESP-IDF project folder: built from nothing, after a change of one file, from power on to app_main().
fleet:     `otter fleet simulate`: a rollout to 10,000 devices, in seconds and in memory.
loop:      esp_https_ota against ESP-IDF's, on a device with a chip's flash and a link of 1 Mbit/s: its own code with
           `--idf DIR`, a checkout of ESP-IDF; a model of it without.
serve:     downloads from `otter serve` against nginx and Python's http.server.

All but serve have goals, which the end tells to be met or not; those before fleet need nginx. What is absent is skipped with a
message. Exit status 1 if one is not met.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from typing import NamedTuple

SOURCE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
import loop  # noqa: E402
import project  # noqa: E402
import serve  # noqa: E402
import servers  # noqa: E402  (certificates and nginx, shared with the tests)

MIB = 1 << 20
ONE_CORE = ("taskset", "-c", "0")
WHAT = ("update", "floor", "signed", "memory", "encrypted", "xts", "idf", "fleet", "loop", "serve")
GOALS = {"wall": 1.0, "floor_wall": 1.1, "floor_cpu": 1.1, "peak_mib": 7.0, "flat": 1.05, "verify": 1.2, "signed": 1.05,
         "encrypted": 1.25, "xts": 1.3,
         "fleet_s": 60.0, "fleet_mib": 256.0}
OTADATA, OTADATA_LEN, OTA_0, SECTOR = 0x9000, 0x2000, 0x10000, 0x1000


class Goal(NamedTuple):
    """One that was measured."""

    what: str
    value: float
    most: float

    def is_met(self):
        return self.value <= self.most

    def __str__(self):
        return f"{'met    ' if self.is_met() else 'NOT MET'}  {self.what}: {self.value:.2f}, goal {self.most:.2f}"


class Cost(NamedTuple):
    """Of one command."""

    wall_ms: float
    cpu_ms: float
    peak_mib: float


def run(command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


class Bench:
    def __init__(self, build, work):
        self.otter = build / "otter"
        self.work = work
        self.peak = work / "peak"
        run(["cc", "-O2", "-o", self.peak, SOURCE / "bench" / "peak.c"])
        run(["cc", "-O2", "-o", work / "floor", SOURCE / "bench" / "floor.c", "-lssl", "-lcrypto"])
        self.www = work / "www"
        self.www.mkdir()
        self.ca = servers.make_ca(work)
        self.nginx = servers.Nginx(self.www, servers.make_cert(work, ca=self.ca))

    def make_images(self, mib):
        """Two different ones: a slot that holds the image already would be left alone, which is not what is measured."""
        return [self.make_image(mib, which) for which in "ab"]

    def make_image(self, mib, which):
        """An image of chip linux of about `mib` MiB: a small program with random bytes behind it."""
        name = f"image-{mib}{which}.bin"
        elf = self.work / "payload"
        with open("/bin/true", "rb") as source, open(elf, "wb") as out:
            program = source.read()
            out.write(program)
            left = mib * MIB - len(program) - 4096
            while left > 0:
                out.write(os.urandom(min(left, MIB)))
                left -= MIB
        run([self.otter, "image", "build", "--elf", elf, "--chip", "linux", "--project", "bench", "--version",
             f"{mib}.0.0", "-o", self.www / name])
        elf.unlink()
        return name

    def make_keys(self):
        key, public = self.work / "signing.pem", self.work / "signing.pub.pem"
        run([self.otter, "key", "new", key])
        run([self.otter, "key", "public", key, "-o", public])
        return key, public

    def make_flash(self, mib, kind="flash", *options):
        slot = mib + 1
        table = self.work / f"parts-{mib}.csv"
        table.write_text(f"otadata, data, ota, 0x9000, 0x2000\nota_0, app, ota_0, 0x10000, {slot}M\n"
                         f"ota_1, app, ota_1, , {slot}M\n")
        flash = self.work / f"{kind}-{mib}.bin"
        run([self.otter, "flash", "new", flash, "--size", f"{2 * slot + 1}MB", "--table", table, "--chip", "linux", *options])
        return flash

    def measure(self, command):
        """What one command costs, which must succeed."""
        result = self.work / "result"
        run([self.peak, result, *command])
        wall_us, cpu_us, peak_kib, status = map(int, result.read_text().split())
        if status != 0:
            sys.exit(f"bench: {' '.join(map(str, command))} ended with status {status}")
        return Cost(wall_us / 1000, cpu_us / 1000, peak_kib / 1024)

    def ours(self, flash, name, *also, core=()):
        return self.measure([*core, self.otter, "update", flash, self.nginx.url(name), "--ca", self.ca.cert, "--quiet",
                             "--rollback", "off", *also])

    def compare_encrypted(self, mib, rounds):
        key, public = self.work / "key.pem", self.work / "key.pub.pem"
        run(["openssl", "genrsa", "-out", key, "3072"])
        run(["openssl", "rsa", "-in", key, "-pubout", "-out", public])
        names, plain, flash = self.make_images(mib), self.make_flash(mib), self.make_flash(mib, "encrypted")
        for name in names:
            run([self.otter, "image", "encrypt", self.www / name, "--key", public, "-o", self.www / f"{name}.enc"])
        costs = self.in_turn(rounds, {
            "plain": lambda i: self.ours(plain, names[i // 2 % 2], core=ONE_CORE),
            "encrypted": lambda i: self.ours(flash, f"{names[i // 2 % 2]}.enc", "--decrypt-key", key, core=ONE_CORE),
        })
        plain.unlink()
        self.remove(flash, [*names, *(f"{name}.enc" for name in names)])
        return costs

    def compare_xts(self, mib, rounds):
        """Two devices, each with two images in turn: one has encrypted flash."""
        names, plain = self.make_images(mib), self.make_flash(mib)
        flash = self.make_flash(mib, "xts", "--flash-encryption")
        costs = self.in_turn(rounds, {"xts": lambda i: self.ours(flash, names[i // 2 % 2], core=ONE_CORE),
                                      "plain": lambda i: self.ours(plain, names[i // 2 % 2], core=ONE_CORE)})
        self.remove(plain, names)
        self.remove(flash, [])
        pathlib.Path(f"{flash}.efuse").unlink()
        return costs

    def reference(self, name):
        out = self.work / "reference.bin"
        return self.measure(["sh", "-c", f"curl -sS --cacert '{self.ca.cert}' -o '{out}' '{self.nginx.url(name)}' && "
                                         f"openssl dgst -sha256 '{out}' >/dev/null && sync '{out}'"])

    def floor(self, name, *also, reads_back=False):
        slot = self.work / "floor.bin"
        options = ["-r"] if reads_back else []
        return self.measure([self.work / "floor", *options, self.ca.cert, self.nginx.port, name, slot, *also])

    def in_turn(self, rounds, runs):
        """Costs of each of `runs`, functions by name that get the number of the round; the first two warm up and do not count."""
        costs = {who: [] for who in runs}
        for i in range(rounds + 2):
            for who in list(runs)[::1 if i % 2 else -1]:
                cost = runs[who](i)
                if i > 1:
                    costs[who].append(cost)
        return costs

    def compare_floor(self, mib, rounds):
        """A flash that needs the hash of what runs each time, and one whose other slot holds nothing that could boot."""
        names, needs, alone = self.make_images(mib), self.make_flash(mib), self.make_flash(mib, "alone")
        self.ours(alone, names[1])
        runs = pathlib.Path(shutil.copy(self.www / names[1], self.work / "runs.bin"))  # in no cache but the kernel's
        with alone.open("rb") as flash:
            flash.seek(OTADATA)
            records = flash.read(OTADATA_LEN)

        def spoil(i):
            with alone.open("r+b") as flash:
                flash.seek(OTADATA)
                flash.write(records)
                flash.seek(OTA_0)  # the first update has gone to ota_1
                flash.write(b"\xff" * SECTOR)
                flash.flush()
                os.fsync(flash.fileno())
            return self.ours(alone, names[i % 2])

        costs = self.in_turn(rounds, {
            "hashed": lambda i: self.ours(needs, names[i // 2 % 2]),  # two slots in turn: each gets the other image every time
            "alone": spoil,
            "floor": lambda i: self.floor(names[i % 2]),
            "floor and hash": lambda i: self.floor(names[i % 2], runs),
            "duties": lambda i: self.floor(names[i % 2], reads_back=True),
            "duties and hash": lambda i: self.floor(names[i % 2], runs, reads_back=True),
        })
        self.remove(alone, [])
        runs.unlink()
        self.remove(needs, names)
        return costs

    def compare(self, mib, rounds):
        names, flash = self.make_images(mib), self.make_flash(mib)
        ours, theirs = [], []
        for i in range(rounds + 1):  # the first round warms the caches up and does not count
            name = names[i // 2 % 2]  # two slots in turn: each gets the other image every time
            pair = {}
            for who in ("ours", "theirs") if i % 2 else ("theirs", "ours"):
                pair[who] = self.ours(flash, name) if who == "ours" else self.reference(name)
            if i > 0:
                ours.append(pair["ours"])
                theirs.append(pair["theirs"])
        self.remove(flash, names)
        ratios = [a.wall_ms / b.wall_ms for a, b in zip(ours, theirs)]
        return {"ratio": statistics.median(ratios), "min": min(ratios), "max": max(ratios),
                "ours_ms": statistics.median(a.wall_ms for a in ours),
                "theirs_ms": statistics.median(b.wall_ms for b in theirs)}

    def compare_verify(self, mib, rounds):
        """otter and openssl on one signed image; the hash, the public key and the signature are the same."""
        key, public = self.make_keys()
        name = self.make_image(mib, "a")
        image, covered, signature = self.work / "signed.bin", self.work / "covered", self.work / "signature"
        run([self.otter, "image", "sign", self.www / name, "--key", key, "-o", image])
        covered.write_bytes(image.read_bytes()[:-SECTOR])
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]
        run(["openssl", "dgst", "-sha256", "-sign", key, *pss, "-out", signature, covered])
        costs = self.in_turn(rounds, {
            "otter": lambda i: self.measure([self.otter, "image", "verify", image, "--key", public]),
            "openssl": lambda i: self.measure(["openssl", "dgst", "-sha256", "-verify", public, *pss, "-signature", signature,
                                               covered]),
        })
        for path in (key, public, image, covered, signature, self.www / name):
            path.unlink()
        return costs

    def compare_signed(self, mib, rounds):
        """Two devices, each with two images in turn: one has secure boot."""
        key, public = self.make_keys()
        names, signed = self.make_images(mib), []
        for name in names:
            signed.append(f"signed-{name}")
            run([self.otter, "image", "sign", self.www / name, "--key", key, "-o", self.www / signed[-1]])
        open_flash, owned = self.make_flash(mib), self.make_flash(mib, "owned", "--secure-boot", "--trust", public)
        costs = self.in_turn(rounds, {"signed": lambda i: self.ours(owned, signed[i // 2 % 2]),
                                      "unsigned": lambda i: self.ours(open_flash, names[i // 2 % 2])})
        self.remove(open_flash, names)
        self.remove(owned, signed)
        for path in (key, public, pathlib.Path(f"{owned}.efuse")):
            path.unlink()
        return costs

    def peak_of(self, mib):
        names, flash = self.make_images(mib), self.make_flash(mib)
        peak = max(self.ours(flash, names[i // 2]).peak_mib for i in range(4))
        self.remove(flash, names)
        return peak

    def remove(self, flash, names):
        flash.unlink()
        for name in names:
            (self.www / name).unlink()


def compare_speed(bench, rounds):
    """Prints the table; returns the goals."""
    goals = []
    print(f"whole update against curl + openssl dgst + sync, {rounds} alternating rounds, medians")
    print(f"{'image':>8}  {'ratio':>6}  {'min':>5} {'max':>5}  {'otter':>9}  {'reference':>9}")
    for mib in (1, 16, 64):
        row = bench.compare(mib, rounds)
        print(f"{mib:>4} MiB  {row['ratio']:6.2f}  {row['min']:5.2f} {row['max']:5.2f}  {row['ours_ms']:6.1f} ms"
              f"  {row['theirs_ms']:6.1f} ms", flush=True)
        if mib != 16:
            goals.append(Goal(f"{mib} MiB: wall, of curl and openssl", row["ratio"], GOALS["wall"]))
    return goals


def print_against_floor(mib, what, costs, floor, duties, hashes):
    """One line of the table; returns its goals. `hashes`: processor time of the one hash more, told beside the rest."""
    walls = [a.wall_ms / b.wall_ms for a, b in zip(costs, floor)]
    wall = statistics.median(walls)
    cpu = statistics.median((a.cpu_ms - h) / b.cpu_ms for a, b, h in zip(costs, floor, hashes))
    share = statistics.median(h / b.cpu_ms for b, h in zip(floor, hashes))
    duty_wall = statistics.median(a.wall_ms / b.wall_ms for a, b in zip(costs, duties))
    duty_cpu = statistics.median(a.cpu_ms / b.cpu_ms for a, b in zip(costs, duties))
    print(f"{mib:>4} MiB  {what:<13} {wall:5.2f}  {min(walls):5.2f} {max(walls):5.2f}  {cpu:5.2f}  {share:+8.2f}"
          f"  {duty_wall:5.2f} {duty_cpu:5.2f}"
          f"  {statistics.median(a.wall_ms for a in costs):6.1f} ms  {statistics.median(b.wall_ms for b in floor):6.1f} ms",
          flush=True)
    besides = f", and that hash, {share:+.2f}" if any(hashes) else ""
    return [Goal(f"{mib} MiB, what runs {what}: wall, of the floor", wall, GOALS["floor_wall"]),
            Goal(f"{mib} MiB, what runs {what}: CPU, of the floor{besides}", cpu, GOALS["floor_cpu"]),
            Goal(f"{mib} MiB, what runs {what}: wall, of the floor with an update's duties", duty_wall, GOALS["floor_wall"]),
            Goal(f"{mib} MiB, what runs {what}: CPU, of the floor with an update's duties", duty_cpu, GOALS["floor_cpu"])]


def compare_floor(bench, rounds, sizes):
    """Prints the table; returns the goals."""
    goals = []
    print(f"whole update against the floor (TLS, SHA-256, write, sync in one process), {rounds} rounds in turn, medians;\n"
          "CPU is without the one hash of what runs, which is told beside it; `duties`: wall and CPU of a floor that hashes\n"
          "what runs before it asks, where that must be, and reads back what it has written")
    print(f"{'image':>8}  {'what runs':<13} {'wall':>5}  {'min':>5} {'max':>5}  {'CPU':>5}  {'its hash':>8}  {'duties':>11}"
          f"  {'otter':>9}  {'floor':>9}")
    for mib in sizes:
        costs = bench.compare_floor(mib, rounds)
        floor = costs["floor"]
        hashes = [b.cpu_ms - a.cpu_ms for a, b in zip(floor, costs["floor and hash"])]
        goals += print_against_floor(mib, "is not hashed", costs["alone"], floor, costs["duties"], [0.0] * rounds)
        goals += print_against_floor(mib, "is hashed", costs["hashed"], floor, costs["duties and hash"], hashes)
    return goals


def print_cpu(mib, what, ours, theirs, goal):
    """One line of the table; returns its goal."""
    ratios = [a.cpu_ms / b.cpu_ms for a, b in zip(ours, theirs)]
    ratio = statistics.median(ratios)
    print(f"{mib:>4} MiB  {what:<36} {ratio:5.2f}  {min(ratios):5.2f} {max(ratios):5.2f}"
          f"  {statistics.median(a.cpu_ms for a in ours):6.1f} ms  {statistics.median(b.cpu_ms for b in theirs):6.1f} ms",
          flush=True)
    return Goal(f"{mib} MiB: CPU of {what}", ratio, goal)


def compare_signatures(bench, rounds):
    """Prints the table; returns the goals."""
    print(f"signatures, processor time, {rounds} rounds in turn, medians")
    print(f"{'image':>8}  {'':<36} {'ratio':>5}  {'min':>5} {'max':>5}  {'ours':>9}  {'reference':>9}")
    verify, update = bench.compare_verify(16, rounds), bench.compare_signed(16, rounds)
    return [print_cpu(16, "image verify, of openssl dgst", verify["otter"], verify["openssl"], GOALS["verify"]),
            print_cpu(16, "a signed update, of an unsigned one", update["signed"], update["unsigned"], GOALS["signed"])]


def compare_memory(bench, sizes):
    peaks = {mib: bench.peak_of(mib) for mib in sizes}
    flat = max(peaks.values()) / peaks[sizes[0]]
    print("peak resident memory of `otter update`: " +
          ", ".join(f"{peak:.1f} MiB for a {mib} MiB image" for mib, peak in peaks.items()) + f"; ratio {flat:.2f}")
    return [Goal("peak resident memory, MiB", max(peaks.values()), GOALS["peak_mib"]),
            Goal(f"the same, of {sizes[0]} MiB's", flat, GOALS["flat"])]


def compare_encrypted(bench, rounds, sizes):
    goals = []
    print("encrypted: an update of an encrypted image against the same plain, on one core; median, and peak memory")
    for mib in sizes:
        costs = bench.compare_encrypted(mib, rounds)
        ratio = statistics.median(a.wall_ms / b.wall_ms for a, b in zip(costs["encrypted"], costs["plain"]))
        wall = {who: statistics.median(cost.wall_ms for cost in of) for who, of in costs.items()}
        peak = {who: max(cost.peak_mib for cost in of) for who, of in costs.items()}
        print(f"{mib:>4} MiB  {ratio:6.2f}  {wall['encrypted']:6.1f} ms  {wall['plain']:6.1f} ms   "
              f"{peak['encrypted']:.1f} MiB against {peak['plain']:.1f}")
        if mib > 1:
            goals.append(Goal(f"encrypted against plain, {mib} MiB", ratio, GOALS["encrypted"]))
    return goals


def compare_xts(bench, rounds, sizes):
    """Prints the table; returns the goals."""
    print(f"xts: an update of a device with flash encryption against one without, processor time on one core, {rounds} rounds in "
          "turn, medians")
    print(f"{'image':>8}  {'':<36} {'ratio':>5}  {'min':>5} {'max':>5}  {'xts':>9}  {'plain':>9}")
    goals = []
    for mib in sizes:
        costs = bench.compare_xts(mib, rounds)
        goals.append(print_cpu(mib, "an update of encrypted flash", costs["xts"], costs["plain"], GOALS["xts"]))
    return goals


def compare_updates(build, what, rounds, sizes):
    """Returns the goals that were measured."""
    if not servers.Nginx.available():
        print("skipped: nginx is not installed, which all but serve are measured with")
        return []
    goals = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as work:
        bench = Bench(build, pathlib.Path(work).resolve())
        with bench.nginx:
            if "update" in what:
                goals += compare_speed(bench, rounds)
            if "floor" in what:
                goals += compare_floor(bench, rounds, sizes)
            if "signed" in what:
                goals += compare_signatures(bench, rounds)
            if "memory" in what:
                goals += compare_memory(bench, sizes)
            if "encrypted" in what:
                goals += compare_encrypted(bench, rounds, sizes[:2])
            if "xts" in what:
                goals += compare_xts(bench, rounds, sizes[:2])
    return goals


def measure_fleet(build, rounds, devices=10000):
    """Prints the table; returns the goals."""
    print(f"fleet: one rollout to {devices} devices simulated, {rounds} seeds, medians; peak resident memory")
    costs = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as work:
        peak, result = pathlib.Path(work, "peak"), pathlib.Path(work, "result")
        run(["cc", "-O2", "-o", peak, SOURCE / "bench" / "peak.c"])
        for seed in range(1, rounds + 1):
            run([peak, result, build / "otter", "fleet", "simulate", "--devices", devices, "--seed", seed, "--quiet"])
            wall_us, cpu_us, peak_kib, status = map(int, result.read_text().split())
            if status != 0:
                sys.exit(f"bench: seed {seed} ended with status {status}")
            costs.append(Cost(wall_us / 1000, cpu_us / 1000, peak_kib / 1024))
    wall, cpu = (statistics.median(getattr(c, which) for c in costs) / 1000 for which in ("wall_ms", "cpu_ms"))
    mib = max(c.peak_mib for c in costs)
    print(f"{wall:8.1f} s, {cpu:.1f} s of one core, {1000 * cpu / devices:.2f} ms a device; {mib:.0f} MiB, "
          f"{1024 * mib / devices:.1f} KiB a device")
    return [Goal(f"{devices} devices through a rollout, s", wall, GOALS["fleet_s"]),
            Goal("the same: peak resident memory, MiB", mib, GOALS["fleet_mib"])]


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=os.environ.get("OTTER_BUILD", "build-bench"),
                        help="a finished build without tests, which bring assertions along (default: build-bench)")
    parser.add_argument("--rounds", type=int, default=11, help="counted rounds (default 11)")
    parser.add_argument("--quick", action="store_true", help="3 rounds, no 256 MiB image: a look, not a figure")
    parser.add_argument("--idf", type=pathlib.Path, metavar="DIR", help="a checkout of ESP-IDF, 5.4 or later: for `loop`")
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"of {', '.join(WHAT)} (default: all)")
    args = parser.parse_args()
    if not set(args.what) <= set(WHAT):
        parser.error(f"WHAT is one of {', '.join(WHAT)}")
    what, build, rounds = args.what or WHAT, args.build.resolve(), 3 if args.quick else args.rounds
    goals = []
    if set(what) - {"idf", "fleet", "loop", "serve"}:
        goals = compare_updates(build, what, rounds, (1, 64) if args.quick else (1, 64, 256))
    if "idf" in what:
        goals += [Goal(*row) for row in project.measure(build, min(rounds, 5))]
    if "fleet" in what:
        goals += measure_fleet(build, min(rounds, 3))
    if "loop" in what:
        goals += [Goal(*row) for row in loop.measure(build, rounds, args.idf)]
    if "serve" in what:
        serve.compare_servers(build, rounds)
    for goal in goals:
        print(goal)
    return 0 if all(goal.is_met() for goal in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
