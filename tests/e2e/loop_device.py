"""Block devices for end-to-end tests: loop devices over files, where this machine gives them."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import shutil
import subprocess
import unittest

TIMEOUT_S = 60


def attach(case, backing, *options):
    """A block device over the file `backing` until the test `case` ends, which is skipped where there is none."""
    tool = shutil.which("losetup", path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
    if tool is None or os.geteuid() != 0:
        raise unittest.SkipTest("a block device needs losetup, and root")
    made = subprocess.run([tool, "--find", "--show", *options, str(backing)], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    if made.returncode != 0:
        raise unittest.SkipTest("losetup makes no device here: " + made.stderr.strip())
    path = made.stdout.strip()
    case.addCleanup(subprocess.run, [tool, "--detach", path], timeout=TIMEOUT_S, check=False)
    return path


def flushes(device):
    """How often the device was told to empty its cache; None where the kernel does not count."""
    fields = pathlib.Path("/sys/block", os.path.basename(device), "stat").read_text(encoding="ascii").split()
    return int(fields[15]) if len(fields) > 15 else None
