"""Projects in ESP-IDF's form for end-to-end tests: a copy of one of examples/idf, built and run as a user does."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from servers import make_cert

BUILD = pathlib.Path(os.environ.get("OTTER_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
OTTER = BUILD / "otter"
LIMIT_S = 120
# With the checks of sanitizers in otter's library a program is larger than the slots of a project.
CACHE = BUILD / "CMakeCache.txt"
SANITIZED = CACHE.exists() and re.search(r"^OTTER_(SANITIZE|TSAN):BOOL=ON$", CACHE.read_text(encoding="utf-8"), re.M)
TOO_LARGE = "with the library's sanitizers a program is larger than a project's slots"
os.environ.pop("CCACHE_BASEDIR", None)  # a compiler's cache that has it makes paths relative: images would differ by folder


def otter(*args, **options):
    """Runs the command; its end is the test's to judge."""
    return subprocess.run([str(OTTER), *map(str, args)], capture_output=True, text=True, errors="replace", timeout=LIMIT_S,
                          check=False, **options)


class Project:
    """A copy of an example in a folder of its own, with the certificate of a server of the test's in it."""

    def __init__(self, example="simple_ota", files=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="otter-idf-"))
        self.path = self.folder / "project"
        if example:
            shutil.copytree(SOURCE / "examples" / "idf" / example, self.path)
        self.cert = make_cert(self.folder)
        for name, text in {"ca.pem": (self.folder / "ca.pem").read_text(), **(files or {})}.items():
            self.write(name, text)
        self.out = self.path / "build-otter"

    def remove(self):
        shutil.rmtree(self.folder)

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def append(self, name, text):
        with open(self.path / name, "a", encoding="utf-8") as f:
            f.write(text)

    def build(self, *options):
        """Builds it; an error ends the test."""
        done = otter("build", self.path, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def refused(self, *options):
        """What `otter build` says of a project that it does not build."""
        done = otter("build", self.path, *options)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr.strip()

    def run(self, *options, console=""):
        return otter("run", self.out, *options, input=console)
