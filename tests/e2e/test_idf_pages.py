"""What the pages on ESP-IDF projects tell a newcomer to type does what they say, from a certificate to a resumed download."""
# SPDX-License-Identifier: Apache-2.0

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from device import in_full
from idf_project import BUILD, LIMIT_S, SANITIZED, SOURCE, TOO_LARGE


def block(page, heading):
    """The commands under a heading, with a server on a port that the system picks."""
    text = (SOURCE / page).read_text(encoding="utf-8")
    lines = re.search(rf"^## {heading}$.*?^```sh\n(.*?)^```$", text, flags=re.M | re.S)[1]
    serve = r"\1 --bind 127.0.0.1 --port 0 --port-file port &\nuntil [ -s port ]; do sleep 0.02; done"
    lines = re.sub(r"^(otter serve .*)&$", serve, lines, flags=re.M)
    return lines.replace("localhost:8070", "localhost:$(cat port)")


@in_full
@unittest.skipIf(SANITIZED, TOO_LARGE)
class Pages(unittest.TestCase):
    def test_first_update_then_a_rollback_and_a_resumed_download(self):
        first = block("examples/idf/README.md", "To run one")
        self.assertTrue(first.endswith("kill $!\n"))
        then = block("docs/ESP-IDF-PROJECTS.md", "A rollback, and a power cut in the middle")
        with tempfile.TemporaryDirectory(prefix="otter-pages-") as folder:
            os.mkdir(os.path.join(folder, "otter"))
            os.symlink(SOURCE / "examples", os.path.join(folder, "otter", "examples"))
            shutil.copytree(SOURCE / "examples" / "idf" / "simple_ota", os.path.join(folder, "simple_ota"))
            lines = "trap 'kill $server' EXIT\n" + first.replace("kill $!\n", "server=$!\n") + then
            done = subprocess.run(["bash", "-e"], input=lines, cwd=folder, capture_output=True, text=True, timeout=2 * LIMIT_S,
                                  check=False, env={**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}"})
        told = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, told)
        rest = done.stdout
        for line in (r"App version: +2\.0\.0", r"ota_1 is confirmed", r"the diagnostic has failed", r"ota_1 +INVALID",
                     r"power was cut in the app", r"ota +written +u32 +\d+", r"update: \d+ bytes are there already",
                     r"going on at byte \d+", r"the update is confirmed"):
            found = re.search(line, rest)
            self.assertIsNotNone(found, f"{line!r} is missing or out of order in\n{told}")
            rest = rest[found.end():]


if __name__ == "__main__":
    unittest.main()
