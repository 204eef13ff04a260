"""The same power cuts in ESP-IDF's own code and in otter's: in each flash operation of update, confirm and roll back.

Each code runs its own build of tests/idf_linux/operations. After each cut the device is switched on again, and what it boots and
what otadata then holds are compared. A difference that no row of docs/DIFFERENCES.md tells of is a failure.
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
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from test_idf_linux import OTTER, SOURCE, build, otter  # noqa: E402

LIMIT = 600    # seconds for one build on a busy machine
AT_ONCE = 2    # cuts
MOST = 2000    # operations of one run: more is a mistake in here

SECTOR = 4096

# What a device has been through before the operation that is cut, and whether its bootloader rolls back. A confirmation that is
# cut on a trial ends in a rollback in any code: what it does to the record shows where the bootloader does none.
SITUATIONS = {
    "the first update": ((), "update", "on"),
    "a later update": (("update", "confirm", "other content"), "update", "on"),
    "confirming the first update": (("update", "one record"), "confirm", "off"),
    "confirming a later update": (("update", "confirm", "update"), "confirm", "off"),
    "rolling back": (("update", "confirm", "update"), "rollback", "on"),
}
# What differs in a situation by a row of docs/DIFFERENCES.md: the row, and the ends that one code alone has.
TOLD = {"confirming the first update": ("row 35 of docs/DIFFERENCES.md", r"ota_0 runs .*", r"ota_1 runs .*")}
# Of ESP-IDF before 5.5, which otter is not measured by: the beginning of an update leaves the record of the slot that it writes.
TOLD_OF_5_4 = {"a later update": ("ESP-IDF 5.4 alone, the beginning of docs/DIFFERENCES.md",
                                  r"ota_1 runs \(ota_0 VALID, ota_1 VALID\)", r"(?!)")}


class Code:
    """One of the two: its flash file as it is flashed, and a copy of it for each situation."""

    def __init__(self, name, folder, work):
        self.name, self.work = name, work
        done = otter("run", folder, "--new", "--boots", "1", OTTER_OPERATION="none")
        if "operation none: ESP_OK" not in done.stdout:
            raise SystemExit(f"{name}: the first boot has failed:\n{done.stdout}{done.stderr}")
        self.flashed = folder / "flash/flash.bin"

    def copy(self, flash, name):
        path = self.work / f"{self.name}-{name}.bin"
        for end in ("", ".efuse"):
            shutil.copy(f"{flash}{end}", f"{path}{end}")
        return path

    @staticmethod
    def run(flash, operation, rollback, *words):
        return otter("run", flash, "--boots", "1", "--max-seconds", "20", "--rollback", rollback, *words,
                     OTTER_OPERATION=operation)

    def begin(self, situation, before):
        """The flash file of a device that has been through `before`."""
        flash = self.copy(self.flashed, re.sub(r"\W", "-", situation))
        for operation in before:
            if operation == "one record":  # as where the application of factory has updated
                overwrite(flash, "otadata", b"\xFF" * SECTOR)
                continue
            if operation == "other content":  # of the slot that the update goes to: no image that it could leave as it is
                overwrite(flash, "ota_0", bytes(64 * SECTOR))
                continue
            done = self.run(flash, operation, "on")
            if f"operation {operation}: ESP_OK" not in done.stdout:
                raise SystemExit(f"{self.name}, {situation}: {operation} has failed:\n{done.stdout}{done.stderr}")
        return flash

    def operations(self, flash, operation, rollback):
        """[(number, text)] of the application's flash operations, of an uncut run."""
        trial = self.copy(flash, "uncut")
        done = self.run(trial, operation, rollback, "--cut-list")
        found = [(int(number), text) for number, who, text in
                 re.findall(r"^\s*(\d+)\s+boot 1\s+(\S+(?: \S+)?)\s{2,}(.*)$", done.stdout, re.M) if who.startswith("app")]
        if not found or len(found) > MOST:
            raise SystemExit(f"{self.name}: {operation} makes {len(found)} flash operations:\n{done.stdout}{done.stderr}")
        return found

    def cut(self, flash, operation, rollback, number):
        """How the device is after a power cut in one flash operation and one more boot."""
        flash = self.copy(flash, f"cut-{number}")
        try:
            done = self.run(flash, operation, rollback, "--cut-after", number)
            if f"flash operation {number}:" not in done.stdout + done.stderr:
                raise SystemExit(f"{self.name}: no cut came in operation {number}:\n{done.stdout}{done.stderr}")
            done = self.run(flash, "none", rollback)
            runs = re.search(r"operation none: ESP_OK in (\w+)", done.stdout)
            return f"{runs[1]} runs ({records(flash)})" if runs else "nothing runs"
        finally:
            flash.unlink()
            pathlib.Path(f"{flash}.efuse").unlink()


def overwrite(flash, label, content):
    rows = json.loads(otter("flash", "info", flash, "--json").stdout)["partitions"]
    with open(flash, "r+b") as file:
        file.seek(next(row["offset"] for row in rows if row["label"] == label))
        file.write(content)


def records(flash):
    """What otadata tells of each slot."""
    slots = json.loads(otter("flash", "info", flash, "--json").stdout)["slots"]
    return ", ".join(f"{slot['label']} {slot['state'] or 'without a record'}" for slot in slots)


def sweep(code, situation):
    """{how it ends: the operations whose cut leads to it}, with a line of progress."""
    before, operation, rollback = SITUATIONS[situation]
    flash = code.begin(situation, before)
    operations, ends, begun = code.operations(flash, operation, rollback), {}, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        done = pool.map(lambda row: code.cut(flash, operation, rollback, row[0]), operations)
        for row, end in zip(operations, done):
            ends.setdefault(end, []).append(row)
    print(f"  {code.name}: {len(operations)} cuts in {time.monotonic() - begun:.0f} s", flush=True)
    return ends


def shown(rows):
    first, last = rows[0], rows[-1]
    upto = f" to {last[1]} ({last[0]})" if len(rows) > 1 else ""
    return f"{len(rows)} {'cuts' if upto else 'cut'}, {first[1]} (operation {first[0]}){upto}"


def row_for(situation, only_theirs, only_ours):
    """What tells of all of these, or None."""
    rows = TOLD | (TOLD_OF_5_4 if os.environ.get("ESP_IDF_VERSION") == "5.4" else {})
    row, theirs, ours = rows.get(situation, (None, "", ""))
    told = all(re.fullmatch(theirs, end) for end in only_theirs) and all(re.fullmatch(ours, end) for end in only_ours)
    return row if told else None


def compare(situation, theirs, ours):
    """Prints both. Returns whether they differ, and whether a row tells of it."""
    for end in sorted(set(theirs) | set(ours)):
        print(f"  {end}")
        for name, ends in (("ESP-IDF", theirs), ("otter", ours)):
            print(f"    {name:7} {shown(ends[end]) if end in ends else 'never'}")
    if set(theirs) == set(ours):
        print("  the same", flush=True)
        return False, True
    row = row_for(situation, set(theirs) - set(ours), set(ours) - set(theirs))
    told = row or "NO ROW OF docs/DIFFERENCES.md TELLS OF THIS"
    print(f"  DIFFERENT: {told}", flush=True)
    return True, row is not None


def without_idf(env):
    """The environment as it was: `otter build` has Python and an IDF_PATH of its own."""
    theirs = tuple(env[name] for name in ("IDF_PATH", "IDF_PYTHON_ENV_PATH") if name in env)
    kept = {name: value for name, value in env.items() if not name.startswith(("IDF_", "ESP_IDF_"))}
    kept["PATH"] = os.pathsep.join(part for part in env["PATH"].split(os.pathsep) if not part.startswith(theirs))
    return kept


def built(work):
    """The operations as a firmware of each code."""
    print("building with ESP-IDF, and with otter", flush=True)
    theirs = build(work, SOURCE / "tests/idf_linux/operations")
    shutil.copytree(SOURCE / "tests/idf_linux/operations", work / "ours")
    done = subprocess.run([OTTER, "build", work / "ours"], text=True, capture_output=True, timeout=LIMIT, check=False,
                          env=without_idf(os.environ))
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return Code("ESP-IDF", theirs, work), Code("otter", work / "ours/build-otter", work)


def main():
    with tempfile.TemporaryDirectory(prefix="otter-compare-") as folder:
        codes, verdicts = built(pathlib.Path(folder)), []
        for situation in SITUATIONS:
            print(f"\n{situation}", flush=True)
            verdicts.append(compare(situation, *(sweep(code, situation) for code in codes)))
    untold = sum(not told for _, told in verdicts)
    print(f"\n{len(verdicts)} situations, {sum(differs for differs, _ in verdicts)} with a difference, "
          f"{untold} with one that no row of docs/DIFFERENCES.md tells of")
    return 1 if untold else 0


if __name__ == "__main__":
    sys.exit(main())
