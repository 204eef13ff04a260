"""The catalogue of misbehaviour: what a server can do to an update, and what must come of it. It is a test server and a
document: `misbehaviour.py --table` prints docs/MISBEHAVIOUR.md, `--play NAME --image FILE` plays one entry."""
# SPDX-License-Identifier: Apache-2.0

import argparse
import hashlib
import pathlib
import re
import signal
import socket
import struct
import sys
import tempfile
import threading
from typing import Callable, NamedTuple, Optional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import misbehaviour_certs  # noqa: E402
import servers  # noqa: E402

OK = "ESP_OK done"
LOST = "ESP_FAIL download"       # the connection went, or its framing broke, in the body
REFUSED = "ESP_FAIL request"     # a status or an answer that cannot be used
STALLED = "ESP_ERR_HTTP_READ_TIMEOUT download"
SILENT = "ESP_ERR_HTTP_EAGAIN request"
UNCONNECTED = "ESP_ERR_HTTP_CONNECT connect"
NO_IMAGE = "ESP_ERR_OTA_VALIDATE_FAILED gate"
TORN = "ESP_ERR_OTA_VALIDATE_FAILED verify"

QUICK_S = 5    # nothing to wait for: what a busy machine takes
TIMEOUT_S = 1  # what the test gives as --timeout
STALL_S = 15   # five waits of that in a row before a stalled body is given up, twice over


class Entry(NamedTuple):
    """One misbehaviour. Outcomes are "CODE stage" as `otter update --json` says them; several: joined with " or "."""

    name: str
    does: str               # what the server does, for the document
    outcome: str            # of an update with one try (--retries 0)
    serve: Callable         # serve(peer): answers one connection
    group: str
    limit_s: int = QUICK_S
    resumed: str = ""       # the outcome with --resume and its retries; "": it is not about that
    resumed_limit_s: int = 20
    tls: str = "good"       # a kind of TLS that misbehaviour_tls.py makes; "none": the raw socket
    user: str = ""          # "name:password@" of the URL
    args: tuple = ()        # further options of otter update
    host: str = "127.0.0.1"  # in the URL
    address: str = ""        # where the server listens, when that is not host
    check: Optional[Callable] = None  # check(player): a sentence about what went wrong besides, or None
    listen: Optional[Callable] = None  # listen(player): a server of its own kind, with .port and .stop()
    hosts: str = ""         # /etc/hosts of the client, in a mount namespace
    sweep: bool = False     # played once for each cut position in player.state["cut"]


ENTRIES = []


def entry(name, does, outcome, **more):
    """Decorates serve(peer)."""
    def add(serve):
        ENTRIES.append(Entry(name, does, outcome, serve, group[0], **more))
        return serve
    return add


group = [""]


class Request(NamedTuple):
    line: str
    path: str
    headers: dict  # names in lower case

    @property
    def range_start(self):
        """The first byte asked for, None without a range."""
        found = re.fullmatch(r"bytes=(\d+)-\d*", self.headers.get("range", ""))
        return int(found[1]) if found else None


class Peer:
    """One connection of a player: what an entry says to it, byte for byte."""

    def __init__(self, player, connection, index):
        self.player = player
        self.connection = connection
        self.index = index  # of the connection in this play, from 0
        self.image = player.image

    def request(self):
        """The next request; None when the client left."""
        data = servers.read_request(self.connection)
        if not data:
            return None
        line, *rest = data.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (r.partition(":") for r in rest if r)}
        asked = Request(line, line.split(" ")[1], headers)
        self.player.requests.append(asked)
        return asked

    def send(self, data):
        self.connection.sendall(data)

    def send_each(self, data, pause_s=0.0, upto=None):
        """Byte by byte; with a pause until the test is over, at most."""
        for byte in data[:upto]:
            self.send(bytes([byte]))
            if pause_s and self.player.stopping.wait(pause_s):
                return

    def head(self, status="200 OK", *lines, length=None):
        if length is not None:
            lines = (f"Content-Length: {length}", *lines)
        self.send("\r\n".join((f"HTTP/1.1 {status}", *lines, "", "")).encode("latin-1"))

    def answer(self, *lines, status="200 OK", body=None):
        """A whole, correct answer: the image unless `body` says otherwise."""
        body = self.image if body is None else body
        self.head(status, *lines, length=len(body))
        self.send(body)

    def answer_range(self, asked, *lines, body=None):
        """What an honest server says to a request that may have a range."""
        body = self.image if body is None else body
        start = asked.range_start
        if start is None:
            self.answer(*lines, body=body)
        elif start >= len(body):
            self.answer(f"Content-Range: bytes */{len(body)}", *lines, status="416 Range Not Satisfiable", body=b"")
        else:
            self.answer(f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}", *lines,
                        status="206 Partial Content", body=body[start:])

    def hold(self, seconds=60):
        """Says nothing until the client leaves or the test ends."""
        self.connection.settimeout(0.2)
        for _ in range(seconds * 5):
            if self.player.stopping.is_set():
                return
            try:
                if not self.connection.recv(4096):
                    return
            except TimeoutError:
                continue

    def reset(self):
        """RST, not FIN: what a router that forgot the connection sends."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def say_goodbye(self):
        """TLS close_notify, then FIN; without TLS only that."""
        if hasattr(self.connection, "unwrap"):
            self.connection.unwrap()

    def chunks(self, data, size=5000):
        for at in range(0, len(data), size):
            part = data[at:at + size]
            self.send(b"%x\r\n%s\r\n" % (len(part), part))


class Player:
    """Plays one entry: a context manager with .url, .args, .requests and, for redirects, a second server on .other."""

    def __init__(self, played, image, folder, certs, **state):
        self.entry, self.image, self.certs = played, image, certs
        self.newer = image_twin(image)
        self.folder = pathlib.Path(folder)
        self.requests, self.other_requests = [], []
        self.state = state
        self.stopping = threading.Event()
        self.others = []
        self.server = played.listen(self) if played.listen else servers.RawServer(
            lambda connection, index: played.serve(Peer(self, connection, index)), scheme="https",
            context=None if played.tls == "none" else certs.context(played.tls), host=played.address or played.host)

    @property
    def url(self):
        host = f"[{self.entry.host}]" if ":" in self.entry.host else self.entry.host
        return f"https://{self.entry.user}{host}:{self.server.port}/image.bin"

    def other(self, host="127.0.0.1", plain=False):
        """Starts a well-behaved second server that notes the requests it gets. Returns its URL."""
        def serve(connection, _):
            helper = Peer(self, connection, 0)
            asked = helper.request()
            if asked:
                self.requests.remove(asked)
                self.other_requests.append(asked)
                helper.answer()
        server = servers.RawServer(serve, context=None if plain else self.certs.context("good"),
                                   scheme="http" if plain else "https")
        self.others.append(server)
        return server.url("image.bin", host)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for server in (self.server, *self.others):
            server.stop()


def image_twin(image):
    """An image of the same length with other content: the executable's first bytes differ, the sums are right."""
    body = bytearray(image[:-32])
    at = 24 + 8 + 256 + 8  # header, segment head, descriptor, segment head
    body[at] ^= 0x55
    body[at + 4] ^= 0x55  # the checksum is an XOR over words: it stays
    return bytes(body) + hashlib.sha256(body).digest()


def in_words(outcome):
    return " or ".join("`{}`, {}".format(*one.split(" ")) for one in outcome.split(" or "))


def render():
    """docs/MISBEHAVIOUR.md."""
    lines = [PREFACE]
    last = None
    for e in ENTRIES:
        if e.group != last:
            lines.append(f"\n## {e.group}\n\n| name | the server | one try | within | `--resume` | within |\n"
                         "|---|---|---|---|---|---|")
            last = e.group
        resumed = f"{in_words(e.resumed)} | {e.resumed_limit_s} s" if e.resumed else "|"
        lines.append(f"| {e.name} | {e.does} | {in_words(e.outcome)} | {e.limit_s} s | {resumed} |")
    return "\n".join(lines) + "\n"


PREFACE = """# What servers do wrong, and what comes of it

This file is made by `python3 tests/e2e/misbehaviour.py --table`; a test compares the two. `tests/e2e/test_misbehaviour.py`
plays every row against `otter update --timeout 1 --retries 0` and holds it to the code, the stage and the time limit of its
row; rows about going on also against `otter update --timeout 1 --resume`, with its default of tries. Besides, for every row:
a failure is one line on standard error, and then the old firmware still boots; a success leaves exactly the served image in
the slot that boots next. No row leads to another image, and none to a hang.

To see one row happen: `python3 tests/e2e/misbehaviour.py --play NAME --image FILE` prints the command to type."""


def all_entries():
    """The whole table in its order."""
    import misbehaviour_http  # noqa: F401  each adds its rows when it is first read
    import misbehaviour_range  # noqa: F401
    import misbehaviour_tls  # noqa: F401
    return ENTRIES


def play(name, image):
    chosen = [e for e in all_entries() if e.name == name]
    if not chosen:
        raise SystemExit(f"misbehaviour: there is no entry '{name}'; --table lists them")
    with tempfile.TemporaryDirectory(prefix="misbehaviour-") as folder:
        certs = misbehaviour_certs.Certs(folder)
        with Player(chosen[0], pathlib.Path(image).read_bytes(), folder, certs) as player:
            print(f"otter update FLASH {player.url} --ca {certs.ca.cert} --timeout {TIMEOUT_S}",
                  *chosen[0].args, flush=True)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="store_true", help="print docs/MISBEHAVIOUR.md")
    parser.add_argument("--play", metavar="NAME", help="play one entry until interrupted")
    parser.add_argument("--image", help="the image to serve")
    options = parser.parse_args()
    if options.play and options.image:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        play(options.play, options.image)
    elif options.table:
        all_entries()
        sys.stdout.write(render())
    else:
        parser.error("one of --table and --play with --image")


if __name__ == "__main__":
    sys.modules["misbehaviour"] = sys.modules["__main__"]  # the rows' modules add to this list, not to a second one
    main()
