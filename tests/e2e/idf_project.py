"""Projects in ESP-IDF's form for end-to-end tests: copies of those in examples/idf, built and run as a user does."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from servers import HttpsServer, make_cert

BUILD = pathlib.Path(os.environ.get("OTTER_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
OTTER = BUILD / "otter"
LIMIT_S = 120
# With the checks of sanitizers in otter's library a program is larger than the slots of a project.
CACHE = BUILD / "CMakeCache.txt"
SANITIZED = CACHE.exists() and re.search(r"^OTTER_(SANITIZE|TSAN):BOOL=ON$", CACHE.read_text(encoding="utf-8"), re.M)
TOO_LARGE = "with the library's sanitizers a program is larger than a project's slots"
# Of a project in which few tasks meet; those of sockets, web sockets and MQTT look for races in CI, too.
FEW_TASKS = ("address,undefined", "thread") if os.environ.get("OTTER_LONG") == "1" else ("address,undefined",)
os.environ.pop("CCACHE_BASEDIR", None)  # a compiler's cache that has it makes paths relative: images would differ by folder


def otter(*args, **options):
    """Runs the command; its end is the test's to judge."""
    return subprocess.run([str(OTTER), *map(str, args)], capture_output=True, text=True, errors="replace", timeout=LIMIT_S,
                          check=False, **options)


class Project:
    """A copy of an example, or of another folder, in one of its own, with the certificate of a server of the test's in it."""

    def __init__(self, example="simple_ota", files=None, source=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="otter-idf-"))
        self.path = self.folder / "project"
        if source or example:
            shutil.copytree(source or SOURCE / "examples" / "idf" / example, self.path)
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


class ConsoleTest(unittest.TestCase):
    def check_lines(self, lines, console, errors=""):
        """Each of these lines is there, in this order. `errors` are shown beside the console where one is not."""
        at = 0
        for line in lines:
            found = console.find(line, at)
            self.assertGreaterEqual(found, 0, f"{line!r} is not there, or not behind the line before:\n{console}{errors}")
            at = found + len(line)


@unittest.skipIf(SANITIZED, TOO_LARGE)
class FolderTest(ConsoleTest):
    """Tests of one project of tests/idf, which they build themselves."""

    source = None  # its folder's name

    @classmethod
    def setUpClass(cls):
        cls.project = Project(source=SOURCE / "tests" / "idf" / cls.source)
        cls.addClassCleanup(cls.project.remove)


@unittest.skipIf(SANITIZED, TOO_LARGE)
class ProjectTest(ConsoleTest):
    """Tests of one project of examples/idf: built once for all of them, as 1.0.0 and as 2.0.0, which is www/app.bin."""

    example = None
    configuration = ()  # options of both builds
    files = {}          # of the project, beside those of the example

    @classmethod
    def setUpClass(cls):
        cls.project = Project(cls.example, cls.files)
        cls.addClassCleanup(cls.project.remove)
        cls.prepare()
        cls.www = cls.project.folder / "www"
        cls.www.mkdir()
        cls.project.build("-D", "PROJECT_VER=2.0.0", *cls.configuration)
        shutil.copy(cls.project.out / f"{cls.example}.bin", cls.www / "app.bin")
        shutil.rmtree(cls.project.out / "flash", ignore_errors=True)
        cls.project.build("-D", "PROJECT_VER=1.0.0", *cls.configuration)

    @classmethod
    def prepare(cls):
        """What a project needs before it is built."""

    @classmethod
    def build(cls, name, *options):
        """One more build of the project, in a folder of its own."""
        cls.project.build("--build-dir", cls.project.folder / name, *options)
        return cls.project.folder / name

    @classmethod
    def built(cls, name):
        """Its image."""
        return cls.project.folder / name / f"{cls.example}.bin"

    def serve(self, **options):
        server = HttpsServer(self.www, self.project.cert, **options)
        self.addCleanup(server.stop)
        return server

    def run_device(self, *options, server=None, ask_for=(), build=None, status=0):
        """Runs what was built; the console names the paths of `ask_for` on the server. @return what the device said"""
        console = "".join(server.url(path, host="localhost") + "\n" for path in ask_for)
        done = otter("run", build or self.project.out, *options, input=console)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def flash(self, build=None):
        return ((build or self.project.out) / "flash" / "flash.bin").read_bytes()


class Device:
    """A device that goes on by itself while a test talks to it: what was built, with a limit to its life."""

    def __init__(self, folder, *options, console=""):
        self.process = subprocess.Popen([str(OTTER), "run", str(folder), "--max-seconds", str(LIMIT_S), *map(str, options)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        errors="replace")
        self.said = ""
        self.process.stdin.write(console)
        self.process.stdin.close()

    def wait_for(self, pattern):
        """Reads the console until a line matches. @return the match"""
        for line in self.process.stdout:
            self.said += line
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"the device has ended without {pattern!r}:\n{self.said}")

    def end(self):
        """@return the exit status"""
        self.said += self.process.stdout.read()
        return self.process.wait(LIMIT_S)

    def stop(self):
        self.process.terminate()
        self.process.stdout.close()
        self.process.wait(LIMIT_S)
