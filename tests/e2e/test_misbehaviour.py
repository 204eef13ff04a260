"""`otter update` against every row of the catalogue of misbehaviour: code, stage, one line, time, and what boots then."""
# SPDX-License-Identifier: Apache-2.0

import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import device  # noqa: E402
import misbehaviour  # noqa: E402
import misbehaviour_certs  # noqa: E402
import servers  # noqa: E402
from test_update import OTTER, SOURCE, TABLE, must, otter  # noqa: E402

SLOT_OFFSET = 0x110000
PLAYERS = 6  # at a time: most of them wait
HANG_S = 60
ONE_TRY = ("--retries", "0")
RESUMING = ("--resume", "--retry-delay", "50")
CUTS_IN_CI = 16
IN_NAMESPACE = ("unshare", "-rm", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"')
ONLY = os.environ.get("OTTER_MISBEHAVIOUR", "")  # names of rows, to play only those


def pattern(size):
    """Bytes that neither repeat nor compress: a piece that stands at a wrong place is seen."""
    return b"".join((n * 2654435761 % (1 << 32)).to_bytes(4, "little") for n in range(size // 4))


def has_namespaces():
    return subprocess.run([*IN_NAMESPACE, "/dev/null", "true"], capture_output=True, timeout=20, check=False).returncode == 0


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


class Catalogue(unittest.TestCase):
    """All rows at once in threads; each has its own server, flash file and process."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="test-misbehaviour-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.work = pathlib.Path(cls.folder.name)
        cls.image = device.make_image(pattern(24_000), "2.0.0")
        cls.large = device.make_image(pattern(65_120), "2.0.0")  # 64 KiB
        cls.fresh = cls.work / "fresh.bin"
        (cls.work / "parts.csv").write_text(TABLE)
        (cls.work / "old.bin").write_bytes(device.make_image(pattern(8000), "1.0.0"))
        must("flash", "new", cls.fresh, "--size", "4MB", "--table", cls.work / "parts.csv", "--app",
             f"factory={cls.work / 'old.bin'}")
        cls.certs = misbehaviour_certs.Certs(cls.work)
        cls.lock = threading.Lock()
        cls.runs = 0

    def new_flash(self):
        with self.lock:
            Catalogue.runs += 1
            flash = self.work / f"flash-{self.runs}.bin"
        shutil.copyfile(self.fresh, flash)
        return flash

    def update(self, row, player, flash, *options):
        """Runs it. Returns (exit status, report, standard error, seconds)."""
        command = [str(OTTER), "update", str(flash), player.url, "--ca", self.certs.ca.cert, "--json", "--timeout",
                   str(misbehaviour.TIMEOUT_S), *row.args, *options]
        if row.hosts:
            hosts = flash.with_suffix(".hosts")
            hosts.write_text(row.hosts)
            command = [*IN_NAMESPACE, str(hosts), *command]
        start = time.monotonic()
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False)
        except subprocess.TimeoutExpired:
            return None, {}, f"it hung for {HANG_S} s", HANG_S
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr, time.monotonic() - start

    def judge(self, row, player, flash, ran, outcome, limit_s):
        """What is wrong, as a list of sentences."""
        status, report, said, seconds = ran
        wrong = []
        got = f"{report.get('result')} {report.get('stage')}"
        if got not in outcome.split(" or "):
            wrong.append(f"{got}, not {outcome}")
        if seconds > limit_s:
            wrong.append(f"took {seconds:.1f} s, more than {limit_s}")
        success = report.get("result") == "ESP_OK"
        if status != (0 if success else 1):
            wrong.append(f"exit status {status}")
        if said.count("\n") != (0 if success else 1):
            wrong.append(f"{said.count(chr(10))} lines on standard error")
        boots = json.loads(must("flash", "info", flash, "--json"))["boot"]["label"]
        if boots != ("ota_0" if success else "factory"):
            wrong.append(f"{boots} boots")
        content = flash.read_bytes()[SLOT_OFFSET:SLOT_OFFSET + len(player.image)]
        if success and content != player.image:
            wrong.append("ANOTHER IMAGE IS IN FLASH")
        remark = row.check(player) if row.check else None
        return [*wrong, remark] if remark else wrong

    def play(self, row, resume=False, **state):
        """Plays one row. Returns (sentences about what is wrong, the report)."""
        flash = self.new_flash()
        image = self.large if row.sweep else self.image
        try:
            with misbehaviour.Player(row, image, self.work, self.certs, **state) as player:
                ran = self.update(row, player, flash, *(RESUMING if resume else ONE_TRY))
                outcome, limit_s = (row.resumed, row.resumed_limit_s) if resume else (row.outcome, row.limit_s)
                wrong = self.judge(row, player, flash, ran, outcome, limit_s)
            return [f"{w}; it said: {ran[2].strip() or 'nothing'}" for w in wrong], ran[1]
        finally:
            for path in self.work.glob(flash.name + "*"):
                path.unlink()

    def cannot_play(self, row):
        if ":" in row.host and not has_ipv6():
            return "this machine has no IPv6"
        if row.hosts and not has_namespaces():
            return "this machine makes no mount namespaces"
        return None

    def check_all(self, rows, resume, **state):
        rows = [row for row in rows if not ONLY or row.name in ONLY.split()]
        with concurrent.futures.ThreadPoolExecutor(PLAYERS) as pool:
            # The long ones first: then the short ones fill the time.
            played = {row.name: pool.submit(self.play, row, resume, **state)
                      for row in sorted(rows, key=lambda r: -r.limit_s) if not self.cannot_play(row)}
        for row in rows:
            with self.subTest(row.name):
                if row.name not in played:
                    self.skipTest(self.cannot_play(row))
                self.assertEqual([], played[row.name].result()[0])

    def test_every_row_ends_as_the_table_says(self):
        self.check_all([row for row in misbehaviour.all_entries() if not row.sweep], resume=False)

    def test_every_row_about_going_on_ends_as_the_table_says_with_resume(self):
        self.check_all([row for row in misbehaviour.all_entries() if row.resumed and not row.sweep], resume=True)

    def cuts(self):
        """Positions in an answer of head and image: all, or some that reach every part and every kind of place."""
        end = len(self.large) + 80
        if os.environ.get("OTTER_ALL_CUTS"):
            return range(end)
        edges = (0, 1, 60, 81, 82, 83, 90, 1105, 1106, 4177, 4178, 4179)
        return (*edges, *(end * n // CUTS_IN_CI + n for n in range(1, CUTS_IN_CI)))

    def sweep(self, resume):
        """Every cut of every kind. Returns how many, and the most bytes that one fetched twice."""
        rows = [row for row in misbehaviour.all_entries() if row.sweep and (not ONLY or row.name in ONLY.split())]
        count = most = 0
        with concurrent.futures.ThreadPoolExecutor(PLAYERS) as pool:
            played = [(row.name, cut, pool.submit(self.play, row, resume, cut=cut)) for row in rows for cut in self.cuts()]
        for name, cut, future in played:
            wrong, report = future.result()
            count += 1
            most = max(most, int(report.get("bytes_downloaded", 0)) - len(self.large))
            if wrong:
                self.fail(f"{name} at byte {cut}: {wrong}")
        return count, most

    @device.in_full
    def test_cut_at_every_byte(self):
        count, _ = self.sweep(resume=False)
        print(f"\n{count} cuts, the old firmware boots after each")

    @device.in_full
    def test_cut_at_every_byte_with_resume(self):
        count, most = self.sweep(resume=True)
        print(f"\n{count} cuts, each update completed; fetched twice: at most {most} bytes")
        self.assertLessEqual(most, 4096)


class Document(unittest.TestCase):
    def test_the_committed_table_is_the_table(self):
        made = subprocess.run([sys.executable, "-B", SOURCE / "tests/e2e/misbehaviour.py", "--table"], check=True,
                              capture_output=True, text=True, timeout=30).stdout
        self.assertEqual(made, (SOURCE / "docs" / "MISBEHAVIOUR.md").read_text(),
                         "python3 tests/e2e/misbehaviour.py --table > docs/MISBEHAVIOUR.md")

    def test_names_are_unique(self):
        names = [row.name for row in misbehaviour.all_entries()]
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    unittest.main()
