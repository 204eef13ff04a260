"""The same power cuts in ESP-IDF's own code and in otter's: every operation of update, confirm and roll back.

Each code runs its own build of tests/idf_linux/operations; after a cut the bootloader decides, and what it boots is compared. A
difference that no row of docs/DIFFERENCES.md tells of is a failure.
"""
# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from test_idf_linux import OTTER, SOURCE, build, otter  # noqa: E402

LIMIT = 600

# (operation, what boots after a cut in ESP-IDF's code, and after none in otter's): the row that tells of it.
KNOWN = {("confirm", "the version before the update, its record lost"): 35}


class Code:
    """One of the two: its build folder, and the flash files that its operations begin with."""

    def __init__(self, name, folder, work):
        self.name, self.folder, self.work = name, folder, work
        done = otter("run", folder, "--new", "--boots", "1", OTTER_OPERATION="none")
        if "operation none" not in done.stdout:
            raise SystemExit(f"{name}: {done.stdout}{done.stderr}")
        self.start = {"update": self.keep("update", folder / "flash/flash.bin")}
        # The only record is that of the update: the other copy of otadata is blank, as where the factory's app has updated.
        trial = self.after("update", "trial")
        otter("flash", "erase", trial, "@0xf000", "--length", "4096")
        self.start["confirm"] = trial
        self.start["rollback"] = self.after("update", "rollback")

    def keep(self, name, flash):
        path = self.work / f"{self.name}-{name}.bin"
        shutil.copy(flash, path)
        shutil.copy(f"{flash}.efuse", f"{path}.efuse")
        return path

    def after(self, operation, name):
        path = self.keep(name, self.start[operation])
        self.run(path, operation)
        return path

    def run(self, flash, operation, *words):
        # A confirmation that is cut on a trial ends in a rollback in any code: what it does to the record shows without one.
        rollback = "off" if operation == "confirm" else "on"
        return otter("run", flash, "--boots", "1", "--max-seconds", "20", "--rollback", rollback, *words,
                     OTTER_OPERATION=operation)

    def count(self, operation):
        """How many flash operations the application makes, and which they are."""
        flash = self.keep(f"{operation}-count", self.start[operation])
        done = self.run(flash, operation, "--cut-list")
        return re.findall(r"^\s*(\d+)\s+(.*)$", done.stdout + done.stderr, re.M)

    def cut(self, operation, number):
        flash = self.keep(f"{operation}-{number}", self.start[operation])
        done = self.run(flash, operation, "--cut-after", number)
        cut = re.search(rf"power was cut in (.*), in flash operation {number}: ([^(]*)", done.stdout + done.stderr)
        verdict = json.loads(otter("flash", "info", flash, "--json").stdout)
        flash.unlink()
        pathlib.Path(f"{flash}.efuse").unlink()
        return (cut[2].strip() if cut and "app" in cut[1] else None), slot(verdict)


def slot(verdict):
    name = re.match(r"\w+", verdict["verdict"] or "nothing")[0]
    return name, [entry["state"] if entry["valid"] else "no record" for entry in verdict["otadata"]]


def outcome(operation, what):
    name, records = what
    lost = "no record" in records and records.count("no record") == 2
    if name == "ota_1":
        return "the update"
    return "the version before the update, its record lost" if lost else "the version before the update"


def sweep(code, operation):
    """{outcome: the first operation of flash whose cut leads to it}, and how many cuts there were."""
    ends, total = {}, 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for base in range(1, 4000, 16):
            results = list(pool.map(lambda n: code.cut(operation, n), range(base, base + 16)))
            for number, (where, what) in enumerate(results, base):
                if where is None:
                    continue
                total += 1
                ends.setdefault(outcome(operation, what), f"{where} (operation {number})")
            if all(where is None for where, _ in results):
                break
    return ends, total


def without_idf(env):
    """The environment as it was: `otter build` has Python and an IDF_PATH of its own."""
    theirs = tuple(env[name] for name in ("IDF_PATH", "IDF_PYTHON_ENV_PATH") if name in env)
    kept = {name: value for name, value in env.items() if not name.startswith(("IDF_", "ESP_IDF_"))}
    kept["PATH"] = os.pathsep.join(part for part in env["PATH"].split(os.pathsep) if not part.startswith(theirs))
    return kept


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="otter-compare-"))
    try:
        print("building with ESP-IDF, and with otter", flush=True)
        theirs = build(work, SOURCE / "tests/idf_linux/operations")
        shutil.copytree(SOURCE / "tests/idf_linux/operations", work / "ours")
        done = subprocess.run([OTTER, "build", work / "ours"], text=True, capture_output=True, timeout=LIMIT, check=False,
                              env=without_idf(os.environ))
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        codes = Code("ESP-IDF", theirs, work), Code("otter", work / "ours/build-otter", work)
        unknown = 0
        for operation in ("update", "confirm", "rollback"):
            (idf, idf_cuts), (ours, our_cuts) = (sweep(code, operation) for code in codes)
            print(f"\n{operation}: {idf_cuts} cuts in ESP-IDF's code, {our_cuts} in otter's")
            for end in sorted(set(idf) | set(ours)):
                row = KNOWN.get((operation, end))
                same = end in idf and end in ours
                told = "" if same else f"  <- row {row} of docs/DIFFERENCES.md" if row else "  <- NO ROW TELLS OF THIS"
                unknown += not same and row is None
                print(f"  boots {end}: ESP-IDF {idf.get(end, 'never')}; otter {ours.get(end, 'never')}{told}", flush=True)
            if not idf_cuts or not our_cuts:
                raise SystemExit("no cut came: the comparison is worth nothing")
        return f"{unknown} differences that no row of docs/DIFFERENCES.md tells of" if unknown else None
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
