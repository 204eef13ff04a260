"""`otter serve` as a server for end-to-end tests: started on a free port of 127.0.0.1, ended with the `with` block."""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import queue
import re
import subprocess
import threading

OTTER = pathlib.Path(os.environ.get("OTTER_BUILD", "build")).resolve() / "otter"
WAIT_S = 30


def cpu_seconds(pid):
    """What a process has used of the processors."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class OtterServe:
    """Has .port, .url(path), .pid and .first_line; lines on its stdout come by next_line(), on stderr by next_error().

    `cert` has .cert and .key, as make_cert() of servers.py gives. `prefix` is a command that runs a command. Leaving the
    block checks that it ends cleanly.
    """

    def __init__(self, folder, cert, *options, bind="127.0.0.1", pass_fds=(), prefix=()):
        where = ("--bind", bind) if bind else ()
        self.process = subprocess.Popen(
            [*prefix, OTTER, "serve", str(folder), "--cert", cert.cert, "--key", cert.key, "--port", "0", *where, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=pass_fds)
        self.pid = self.process.pid
        self.lines = queue.Queue()
        self.errors = ""
        self.error_lines = queue.Queue()
        self.readers = [threading.Thread(target=self._read_lines, daemon=True),
                        threading.Thread(target=self._read_errors, daemon=True)]
        for reader in self.readers:
            reader.start()
        self.first_line = self.next_line()
        said = re.fullmatch(r"otter serve: https://(\S+):(\d+)/ serves (.*)", self.first_line or "")
        if said is None:
            self.kill()
            raise RuntimeError(f"otter serve did not start: {self.first_line!r} {self.errors}")
        self.host, self.port = said[1], int(said[2])

    def _read_lines(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors += line
            self.error_lines.put(line.rstrip("\n"))
        self.error_lines.put(None)

    def url(self, path="/", host="127.0.0.1"):
        return f"https://{host}:{self.port}/{path.lstrip('/')}"

    def next_line(self):
        """The next line on its stdout, None at the end."""
        return self.lines.get(timeout=WAIT_S)

    def next_error(self):
        """The next line on its stderr, None at the end."""
        return self.error_lines.get(timeout=WAIT_S)

    def wait(self):
        """Its exit status, once it has ended."""
        status = self.process.wait(WAIT_S)
        for reader in self.readers:
            reader.join(WAIT_S)
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def kill(self):
        self.process.kill()
        self.wait()

    def stop(self):
        """Asks it to end. Its exit status."""
        if self.process.returncode is None:
            self.process.terminate()
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            status = self.stop()
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        if kind is None and status != 0:
            raise AssertionError(f"otter serve ended with {status}: {self.errors}")
