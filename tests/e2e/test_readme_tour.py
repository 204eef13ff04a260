"""The tour of the README, pasted line by line into a shell in what looks like a fresh clone after its first build."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["OTTER_BUILD"]).resolve()
SOURCE = pathlib.Path(os.environ["OTTER_SOURCE"]).resolve()
LIMIT_S = 120


def tour():
    """The lines of the block under the heading, as a person would copy them."""
    text = (SOURCE / "README.md").read_text(encoding="utf-8")
    return re.search(r"^## A quick tour$.*?^```sh\n(.*?)^```$", text, flags=re.M | re.S)[1]


class Tour(unittest.TestCase):
    def make_clone(self, folder):
        """Everything of the source, but a build that is there and a ./dev that finds it so."""
        for entry in SOURCE.iterdir():
            if not entry.name.startswith((".", "build")) and entry.name != "dev":
                (folder / entry.name).symlink_to(entry)
        (folder / "build").mkdir()
        for name in "otter", "otter-serve", "examples":
            (folder / "build" / name).symlink_to(BUILD / name)
        dev = folder / "dev"
        dev.write_text('#!/bin/sh\n[ "$*" = build ] && echo "built before"\n')
        dev.chmod(0o755)

    def test_every_line_does_what_the_comment_above_it_says(self):
        small = (BUILD / "examples" / "simple_ota-1.0.0.bin").stat().st_size <= 0x100000
        lines = tour() if small else tour().replace("4MB", "8MB").replace("two_ota.csv", "two_ota_8MB.csv")  # sanitizers
        with tempfile.TemporaryDirectory(prefix="otter-tour-") as temp:
            clone = pathlib.Path(temp)
            self.make_clone(clone)
            done = subprocess.run(["bash", "-e"], input=lines, cwd=clone, capture_output=True, text=True, timeout=LIMIT_S,
                                  check=False, env={key: value for key, value in os.environ.items() if key != "URL"})
            told = done.stdout + done.stderr
            self.assertEqual(done.returncode, 0, told)
            self.assertEqual(sorted(path.name for path in clone.iterdir() if not path.is_symlink()), ["build", "dev"])
        rest = done.stdout
        for line in (r"built before", r"flash\.bin: [48]MB of flash for linux made, with 6 partitions and 1 app",
                     r"boots next: factory \(simple_ota 1\.0\.0\)", r"partition table at 0x8000, MD5 good",
                     r"www/firmware\.bin: valid app image", r"This is version 1\.0\.0 in factory",
                     r"This is version 1\.1\.0 in ota_0", r"version 1\.1\.0, the same as before, is verified in ota_1",
                     r"boots next: ota_1 \(simple_ota 1\.1\.0\)", r"ota_0 is selected, by copy",
                     r"boots next: ota_0 \(simple_ota 1\.1\.0\)"):
            found = re.search(line, rest)
            self.assertIsNotNone(found, f"{line!r} is missing or out of order in\n{told}")
            rest = rest[found.end():]


if __name__ == "__main__":
    unittest.main()
