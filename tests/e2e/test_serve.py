"""`otter serve`: what it answers, what it refuses, how it starts and stops."""

import concurrent.futures
import contextlib
import email.utils
import http.client
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import unittest.mock

from otter_serve import OTTER, WAIT_S, OtterServe
from servers import make_ca, make_cert

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2]))
BODY = bytes(i * 7 % 251 for i in range(1000))
BIG = os.urandom(1 << 20) * 32  # more than the buffers of both sockets can hold

module = None


class Module:
    """What all tests share: certificates, and one folder with one server."""

    def __init__(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="otter-serve-"))
        self.ca = make_ca(self.work)
        self.cert = make_cert(self.work)
        self.folder = self.work / "firmware"
        (self.folder / "sub").mkdir(parents=True)
        (self.folder / "app.bin").write_bytes(BODY)
        (self.folder / "sub" / "deep.bin").write_bytes(b"deep")
        (self.folder / "empty.bin").write_bytes(b"")
        (self.folder / "big.bin").write_bytes(BIG)
        (self.work / "secret.bin").write_bytes(b"outside")
        self.server = OtterServe(self.folder, self.cert, "--quiet")

    def close(self):
        try:
            status = self.server.stop()
            if status != 0:
                raise AssertionError(f"ended with {status}: {self.server.errors}")
        finally:
            shutil.rmtree(self.work)


def setUpModule():
    global module
    module = Module()


def tearDownModule():
    module.close()


def client_context(**limits):
    context = ssl.create_default_context(cafile=module.ca.cert)
    for name, value in limits.items():
        setattr(context, name, value)
    return context


def connect(server=None, **limits):
    server = server or module.server
    return http.client.HTTPSConnection("127.0.0.1", server.port, timeout=WAIT_S, context=client_context(**limits))


def ask(path="/app.bin", headers=None, method="GET", server=None, body=None):
    """(status, headers, body) of one request on a connection of its own."""
    with contextlib.closing(connect(server)) as connection:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def tls_socket(server=None):
    server = server or module.server
    plain = socket.create_connection(("127.0.0.1", server.port), WAIT_S)
    return client_context().wrap_socket(plain, server_hostname="127.0.0.1")


def read_to_end(connection):
    data = b""
    try:
        while more := connection.recv(65536):
            data += more
    except OSError:
        pass  # a server that drops us may do so with a reset
    return data


def ask_raw(request, server=None):
    """All bytes that come back for these."""
    with tls_socket(server) as connection:
        connection.sendall(request)
        return read_to_end(connection)


def raw_status(data):
    said = re.match(rb"HTTP/1\.[01] (\d{3}) ", data)
    return int(said[1]) if said else None


def get_target(target, server=None):
    """Status and body for a request target sent exactly as given."""
    if isinstance(target, str):
        target = target.encode()
    data = ask_raw(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", server)
    return raw_status(data), data.partition(b"\r\n\r\n")[2]


class Files(unittest.TestCase):
    def test_get_sends_the_file_with_what_a_client_needs_to_resume(self):
        status, headers, body = ask()
        self.assertEqual((status, body), (200, BODY))
        self.assertEqual(headers["Content-Length"], "1000")
        self.assertEqual(headers["Content-Type"], "application/octet-stream")
        self.assertEqual(headers["Accept-Ranges"], "bytes")
        self.assertRegex(headers["ETag"], r'^"[0-9a-f.-]+"$')
        modified = email.utils.parsedate_to_datetime(headers["Last-Modified"]).timestamp()
        self.assertEqual(modified, int((module.folder / "app.bin").stat().st_mtime))

    def test_head_tells_the_same_without_a_body(self):
        status, headers, body = ask(method="HEAD")
        self.assertEqual((status, body), (200, b""))
        for name in ("Content-Length", "Content-Type", "Accept-Ranges", "ETag", "Last-Modified"):
            self.assertEqual(headers[name], ask()[1][name], name)

    def test_head_ignores_a_range(self):
        status, headers, _ = ask(method="HEAD", headers={"Range": "bytes=0-1"})
        self.assertEqual((status, headers["Content-Length"], headers["Content-Range"]), (200, "1000", None))

    def test_big_and_empty_files_arrive_whole(self):
        self.assertEqual(ask("/big.bin")[2], BIG)
        status, headers, body = ask("/empty.bin")
        self.assertEqual((status, headers["Content-Length"], body), (200, "0", b""))

    def test_one_connection_serves_many_requests(self):
        with contextlib.closing(connect()) as connection:
            connection.connect()
            first = connection.sock
            for method, path, status in (("GET", "/app.bin", 200), ("HEAD", "/app.bin", 200), ("GET", "/none", 404),
                                         ("GET", "/sub/deep.bin", 200)):
                connection.request(method, path)
                answer = connection.getresponse()
                answer.read()
                self.assertEqual(answer.status, status)
                self.assertIs(connection.sock, first, f"closed after {method} {path}")

    def test_pipelined_requests_are_answered_in_order(self):
        one = b"GET /%s HTTP/1.1\r\nHost: x\r\n%s\r\n"
        data = ask_raw(one % (b"app.bin", b"") + one % (b"sub/deep.bin", b"Connection: close\r\n"))
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", data), [b"200", b"200"])
        self.assertLess(data.index(BODY), data.index(b"\r\n\r\ndeep"))

    def test_many_clients_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            for status, _, body in pool.map(lambda i: ask("/app.bin" if i % 2 else "/sub/deep.bin"), range(60)):
                self.assertEqual(status, 200)
                self.assertIn(body, (BODY, b"deep"))

    def test_http_1_0_is_answered(self):
        data = ask_raw(b"GET /app.bin HTTP/1.0\r\n\r\n")
        self.assertEqual(raw_status(data), 200)
        self.assertTrue(data.endswith(b"\r\n\r\n" + BODY))

    def test_a_body_with_a_get_is_of_no_account(self):
        self.assertEqual(ask(body=b"x" * 100)[2], BODY)

    def test_other_methods_are_refused_with_what_is_allowed(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"):
            with self.subTest(method):
                status, headers, _ = ask(method=method, body=b"data" if method in ("POST", "PUT") else None)
                self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual((module.folder / "app.bin").read_bytes(), BODY)

    def test_an_upload_is_refused_before_it_is_sent(self):
        data = ask_raw(b"PUT /app.bin HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual(raw_status(data), 405)


class Ranges(unittest.TestCase):
    def test_ranges(self):
        whole = (200, None, BODY)
        none = (416, "bytes */1000", None)
        rows = [
            ("bytes=0-0", (206, "bytes 0-0/1000", BODY[:1])),
            ("bytes=0-999", (206, "bytes 0-999/1000", BODY)),
            ("bytes=10-19", (206, "bytes 10-19/1000", BODY[10:20])),
            ("bytes=10-", (206, "bytes 10-999/1000", BODY[10:])),
            ("bytes=999-", (206, "bytes 999-999/1000", BODY[999:])),
            ("bytes=990-5000", (206, "bytes 990-999/1000", BODY[990:])),
            ("bytes=0-99999999999999999999999999", (206, "bytes 0-999/1000", BODY)),
            ("bytes=-1", (206, "bytes 999-999/1000", BODY[-1:])),
            ("bytes=-1000", (206, "bytes 0-999/1000", BODY)),
            ("bytes=-5000", (206, "bytes 0-999/1000", BODY)),
            ("bytes=-99999999999999999999999999", (206, "bytes 0-999/1000", BODY)),
            ("Bytes=1-2", (206, "bytes 1-2/1000", BODY[1:3])),
            ("bytes=1-2 ", (206, "bytes 1-2/1000", BODY[1:3])),
            ("bytes=1000-", none),
            ("bytes=1000-1001", none),
            ("bytes=99999999999999999999999999-", none),
            ("bytes=18446744073709551615-18446744073709551616", none),
            ("bytes=-0", none),
            ("bytes=0-1,5-6", whole),
            ("bytes=0-1,", whole),
            ("bytes=5-4", whole),
            ("bytes=", whole),
            ("bytes=-", whole),
            ("bytes=--1", whole),
            ("bytes=a-b", whole),
            ("bytes=1", whole),
            ("bytes=1-2x", whole),
            ("bytes=+1-2", whole),
            ("bytes=0x1-2", whole),
            ("bytes 1-2", whole),
            ("sectors=1-2", whole),
            ("", whole),
        ]
        for field, (status, content_range, body) in rows:
            with self.subTest(field):
                got = ask(headers={"Range": field})
                self.assertEqual((got[0], got[1]["Content-Range"]), (status, content_range))
                if body is not None:
                    self.assertEqual(got[2], body)

    def test_an_empty_file_has_no_range(self):
        self.assertEqual(ask("/empty.bin", {"Range": "bytes=0-"})[0], 416)
        self.assertEqual(ask("/empty.bin", {"Range": "bytes=-1"})[0], 200)

    def test_a_second_range_field_makes_it_the_whole_file(self):
        data = ask_raw(b"GET /app.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\nRange: bytes=5-6\r\n"
                       b"Connection: close\r\n\r\n")
        self.assertEqual(raw_status(data), 200)

    def test_a_big_file_in_parts_is_the_file(self):
        part = 5_000_001
        parts = [ask("/big.bin", {"Range": f"bytes={at}-{at + part - 1}"}) for at in range(0, len(BIG), part)]
        self.assertEqual({status for status, _, _ in parts}, {206})
        self.assertEqual(b"".join(body for _, _, body in parts), BIG)

    def test_a_range_beyond_4_gib(self):
        huge = module.folder / "huge.bin"
        with huge.open("wb") as file:
            file.truncate(5 << 30)
            file.seek(-3, os.SEEK_END)
            file.write(b"end")
        self.addCleanup(huge.unlink)
        status, headers, body = ask("/huge.bin", {"Range": "bytes=5368709117-"})
        self.assertEqual((status, body), (206, b"end"))
        self.assertEqual(headers["Content-Range"], "bytes 5368709117-5368709119/5368709120")


class Conditions(unittest.TestCase):
    """RFC 9110, 13: the file has tag TAG and was modified at 1,000,000,000."""

    MODIFIED = "Sun, 09 Sep 2001 01:46:40 GMT"

    @classmethod
    def setUpClass(cls):
        path = module.folder / "dated.bin"
        path.write_bytes(BODY)
        os.utime(path, (1_000_000_000, 1_000_000_000))
        cls.tag = ask("/dated.bin")[1]["ETag"]

    def check(self, rows):
        for name, status, fields in rows:
            with self.subTest(name):
                got, headers, body = ask("/dated.bin", {k: v.replace("TAG", self.tag) for k, v in fields.items()})
                self.assertEqual(got, status)
                if status in (200, 206, 304):
                    self.assertEqual(headers["ETag"], self.tag)
                    self.assertEqual(headers["Last-Modified"], self.MODIFIED)
                if status == 304:
                    self.assertEqual(body, b"")

    def test_preconditions(self):
        before, same, after = "Sun, 09 Sep 2001 01:46:39 GMT", self.MODIFIED, "Sun, 09 Sep 2001 01:46:41 GMT"
        self.check([
            ("none match: same tag", 304, {"If-None-Match": "TAG"}),
            ("none match: weak form of it", 304, {"If-None-Match": "W/TAG"}),
            ("none match: in a list", 304, {"If-None-Match": '"a", W/"b" ,TAG'}),
            ("none match: star", 304, {"If-None-Match": "*"}),
            ("none match: other", 200, {"If-None-Match": '"other"'}),
            ("none match: without quotes", 200, {"If-None-Match": "other"}),
            ("none match: empty", 200, {"If-None-Match": ""}),
            ("none match: commas", 200, {"If-None-Match": ",,, ,"}),
            ("none match beats a date", 200, {"If-None-Match": '"other"', "If-Modified-Since": after}),
            ("modified since: before", 200, {"If-Modified-Since": before}),
            ("modified since: same", 304, {"If-Modified-Since": same}),
            ("modified since: after", 304, {"If-Modified-Since": after}),
            ("modified since: RFC 850", 304, {"If-Modified-Since": "Friday, 31-Dec-99 23:59:59 GMT".replace(
                "Friday, 31-Dec-99", "Monday, 10-Sep-01")}),
            ("modified since: asctime", 304, {"If-Modified-Since": "Sun Sep  9 01:46:40 2001"}),
            ("modified since: no date", 200, {"If-Modified-Since": "yesterday"}),
            ("modified since: other zone", 200, {"If-Modified-Since": "Sun, 09 Sep 2001 01:46:40 CET"}),
            ("match: same tag", 200, {"If-Match": "TAG"}),
            ("match: in a list", 200, {"If-Match": '"a",TAG'}),
            ("match: star", 200, {"If-Match": "*"}),
            ("match: other", 412, {"If-Match": '"other"'}),
            ("match: weak is not enough", 412, {"If-Match": "W/TAG"}),
            ("match beats a date", 200, {"If-Match": "TAG", "If-Unmodified-Since": before}),
            ("unmodified since: before", 412, {"If-Unmodified-Since": before}),
            ("unmodified since: same", 200, {"If-Unmodified-Since": same}),
            ("unmodified since: after", 200, {"If-Unmodified-Since": after}),
            ("unmodified since: no date", 200, {"If-Unmodified-Since": "tomorrow"}),
            ("412 before 304", 412, {"If-Match": '"other"', "If-None-Match": "TAG"}),
        ])

    def test_if_range(self):
        part = {"Range": "bytes=0-9"}
        self.check([
            ("same tag", 206, {**part, "If-Range": "TAG"}),
            ("other tag", 200, {**part, "If-Range": '"other"'}),
            ("weak tag", 200, {**part, "If-Range": "W/TAG"}),
            ("same date", 206, {**part, "If-Range": self.MODIFIED}),
            ("older date", 200, {**part, "If-Range": "Sun, 09 Sep 2001 01:46:39 GMT"}),
            ("newer date", 200, {**part, "If-Range": "Sun, 09 Sep 2001 01:46:41 GMT"}),
            ("nonsense", 200, {**part, "If-Range": "nonsense"}),
            ("a change hides a range that is not there", 200, {"Range": "bytes=5000-", "If-Range": '"other"'}),
            ("without a range it says nothing", 200, {"If-Range": "TAG"}),
            ("304 before 206", 304, {**part, "If-None-Match": "TAG"}),
        ])

    def test_a_list_may_come_in_two_fields(self):
        data = ask_raw(b'GET /dated.bin HTTP/1.1\r\nHost: x\r\nIf-None-Match: "a"\r\nIf-None-Match: %s\r\n'
                       b"Connection: close\r\n\r\n" % self.tag.encode())
        self.assertEqual(raw_status(data), 304)

    def test_a_304_leaves_the_connection_open(self):
        with contextlib.closing(connect()) as connection:
            for _ in range(3):
                connection.request("GET", "/dated.bin", headers={"If-None-Match": self.tag})
                answer = connection.getresponse()
                self.assertEqual((answer.status, answer.read()), (304, b""))
            connection.request("GET", "/app.bin")
            self.assertEqual(connection.getresponse().read(), BODY)

    def test_the_tag_changes_with_the_content(self):
        path = module.folder / "changing.bin"
        tags = set()
        for content in (b"one", b"two", b"three"):
            fresh = module.folder / "changing.new"
            fresh.write_bytes(content)
            fresh.rename(path)
            tags.add(ask("/changing.bin")[1]["ETag"])
        self.assertEqual(len(tags), 3)


class Paths(unittest.TestCase):
    def test_no_path_leaves_the_folder(self):
        rows = [
            "/../secret.bin", "/..%2fsecret.bin", "/%2e%2e/secret.bin", "/%2E%2E%2Fsecret.bin", "/.%2e/secret.bin",
            "/sub/../../secret.bin", "/sub/../app.bin", "/sub/%2e%2e/app.bin", "/./app.bin", "/sub/.", "/sub/..",
            "/..\\secret.bin", "/..%5csecret.bin", "//../secret.bin", "/%252e%252e/secret.bin", "/..;/secret.bin",
            "/%c0%ae%c0%ae/secret.bin", "/%uff0e%uff0e/secret.bin", "..", "../secret.bin", "secret.bin", "app.bin",
            "*", "https://x/../secret.bin", "https://x", "https:///../secret.bin", "ftp://x/app.bin", "x:443",
            str(module.work / "secret.bin"), "/" + str(module.work / "secret.bin"), "//etc/passwd", "/etc/passwd",
            "/%2fetc/passwd", "/%2Fetc%2Fpasswd", "file:///etc/passwd", "/proc/self/environ",
            "/app.bin%00", "/app.bin%00.txt", "/%00", "/%00/../../secret.bin", "/app.bin/", "/app.bin/.", "/app.bin/x",
            "/app.bin%2f", "/sub%2fdeep.bin", "/%", "/%z", "/%zz", "/app.bin%", "/app.bin%2", "/%e", "/a%0d%0ab",
            "/", "//", "/sub", "/sub/", "/none", "/none/none", "/" + "a" * 5000, "/" + "a/" * 3000, "/" + "../" * 500,
            "/?", "/?/app.bin", "/app.binx", "/APP.BIN",
        ]
        for target in rows:
            with self.subTest(target[:60]):
                status, body = get_target(target)
                self.assertIn(status, (400, 404))
                self.assertNotIn(b"outside", body)
                self.assertNotIn(b"root:", body)

    def test_raw_bytes_in_the_request_line_harm_nothing(self):
        nothing = (b"", b"404 no such file\n")
        rows = [(b"/../secret.bin\0", nothing), (b"/app.bin\0/../../secret.bin", (*nothing, BODY)),
                (b"/\xff\xfe", nothing), (b"/a\x1b[31m", nothing), (b"/\t", nothing), (b"/a b", nothing)]
        for target, allowed in rows:
            with self.subTest(target):
                status, body = get_target(target)
                if status != 400:
                    self.assertIn(body, allowed)
        self.assertEqual(ask()[2], BODY)

    def test_paths_that_name_a_file(self):
        odd = "space +&é%.bin"
        (module.folder / odd).write_bytes(b"odd")
        for target, body in (("/app.bin?version=1&x=%00", BODY), ("//app.bin", BODY), ("/sub//deep.bin", b"deep"),
                             ("/%61pp.bin", BODY), ("https://device.example/app.bin", BODY),
                             ("HTTPS://x/app.bin?y", BODY), ("/space%20+&%C3%a9%25.bin", b"odd"),
                             ("/space%20%2b%26%C3%A9%25.bin", b"odd")):
            with self.subTest(target):
                self.assertEqual(get_target(target), (200, body))

    def test_links_are_followed_inside_only(self):
        folder = module.folder
        rows = [
            ("to-file", "app.bin", 200), ("to-deep", "sub/deep.bin", 200), ("sub/up", "../app.bin", 200),
            ("outside", "../secret.bin", 404), ("sub/outside", "../../secret.bin", 404),
            ("absolute", str(module.work / "secret.bin"), 404), ("absolute-in", str(folder / "app.bin"), 404),
            ("passwd", "/etc/passwd", 404), ("magic", "/proc/self/exe", 404), ("loop", "loop", 404),
            ("dangling", "none", 404), ("to-folder", "sub", 404),
        ]
        for name, to, status in rows:
            (folder / name).symlink_to(to)
            with self.subTest(name):
                self.assertEqual(get_target("/" + name)[0], status)
        (folder / "way-out").symlink_to("..")
        self.assertEqual(get_target("/way-out/secret.bin")[0], 404)
        self.assertEqual(get_target("/way-out/firmware/app.bin")[0], 404)
        self.assertEqual(get_target("/to-folder/deep.bin"), (200, b"deep"))

    def test_only_regular_files_are_opened_and_nothing_blocks(self):
        folder = module.folder
        os.mkfifo(folder / "fifo")
        (folder / "null").symlink_to("/dev/null")
        (folder / "tty").symlink_to("/dev/tty")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as unix:
            unix.bind(str(folder / "socket"))
            if os.geteuid() == 0:
                with contextlib.suppress(PermissionError):
                    os.mknod(folder / "device", 0o600 | 0o020000, os.makedev(1, 5))
            for name in ("fifo", "null", "tty", "socket", "device", "sub"):
                with self.subTest(name):
                    self.assertEqual(get_target("/" + name)[0], 404)

    def test_the_private_key_is_not_served_even_from_the_folder(self):
        with tempfile.TemporaryDirectory(dir=module.work) as folder:
            make_ca(folder)
            cert = make_cert(folder)
            name = os.path.basename(cert.key)
            os.link(cert.key, pathlib.Path(folder) / "harmless.bin")
            with OtterServe(folder, cert, "--quiet") as server:
                context = ssl.create_default_context(cafile=str(pathlib.Path(folder) / "ca.pem"))
                for path, status in ((name, 404), ("harmless.bin", 404), (os.path.basename(cert.cert), 200)):
                    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=WAIT_S, context=context)
                    with contextlib.closing(connection):
                        connection.request("GET", "/" + path)
                        self.assertEqual(connection.getresponse().status, status, path)


class Changes(unittest.TestCase):
    """A file that changes while it is on its way."""

    def setUp(self):
        self.path = module.folder / f"moving-{self.id().rpartition('.')[2]}.bin"
        self.path.write_bytes(BIG)
        self.connection = connect()
        self.addCleanup(self.connection.close)
        self.connection.request("GET", "/" + self.path.name)
        self.answer = self.connection.getresponse()  # the rest waits: it is more than the sockets can hold
        self.start = self.answer.read(1000)

    def test_a_replaced_file_is_sent_to_its_end(self):
        fresh = self.path.with_suffix(".new")
        fresh.write_bytes(bytes(len(BIG)))
        fresh.rename(self.path)
        self.assertEqual(self.start + self.answer.read(), BIG)
        resumed = ask("/" + self.path.name, {"Range": "bytes=1000-", "If-Range": self.answer.headers["ETag"]})
        self.assertEqual((resumed[0], resumed[2]), (200, bytes(len(BIG))))

    def test_a_deleted_file_is_sent_to_its_end(self):
        self.path.unlink()
        self.assertEqual(self.start + self.answer.read(), BIG)
        self.assertEqual(ask("/" + self.path.name)[0], 404)

    def check_cut(self):
        with self.assertRaises((http.client.IncompleteRead, OSError)):
            self.answer.read()

    def test_overwriting_in_place_cuts_the_connection(self):
        with self.path.open("r+b") as file:
            file.write(b"new" * 10)
        self.check_cut()

    def test_truncation_cuts_the_connection(self):
        os.truncate(self.path, 100)
        self.check_cut()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Rate(unittest.TestCase):
    def test_each_connection_gets_its_rate_without_a_busy_loop(self):
        rate, size = 200_000, 500_000

        def download(_):
            start = time.monotonic()
            _, _, body = ask("/big.bin", {"Range": f"bytes=0-{size - 1}"}, server=server)
            return len(body), time.monotonic() - start

        with OtterServe(module.folder, module.cert, "--quiet", "--rate", str(rate)) as server:
            before = cpu_seconds(server.pid)
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                results = list(pool.map(download, range(3)))
            used = cpu_seconds(server.pid) - before
        for got, seconds in results:
            self.assertEqual(got, size)
            self.assertGreater(seconds, 0.9 * size / rate)
            self.assertLess(seconds, 1.1 * size / rate + 0.5)  # and the handshake, on a busy machine
        self.assertLess(used, 1.0)

    def test_the_rate_holds_over_the_requests_of_a_connection(self):
        with OtterServe(module.folder, module.cert, "--quiet", "--rate", "10000") as server, \
                contextlib.closing(connect(server)) as connection:
            start = time.monotonic()
            for _ in range(10):
                connection.request("GET", "/app.bin")
                self.assertEqual(connection.getresponse().read(), BODY)
            self.assertGreater(time.monotonic() - start, 0.8)

    def test_it_stops_at_once_while_a_slow_download_waits(self):
        server = OtterServe(module.folder, module.cert, "--rate", "1")
        with contextlib.closing(connect(server)) as connection:
            connection.request("GET", "/app.bin")
            connection.getresponse().read(1)
            start = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - start, 10)
        self.assertRegex(server.next_line(), r"GET /app.bin 200 \d+ - cut")


class Tls(unittest.TestCase):
    def test_tls_1_2_and_1_3_are_spoken(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version), contextlib.closing(connect(maximum_version=version)) as connection:
                connection.request("GET", "/app.bin")
                self.assertEqual(connection.sock.version(), version.name.replace("_", "."))
                self.assertEqual(connection.getresponse().read(), BODY)

    def test_older_versions_are_refused(self):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{module.server.port}", "-cipher", "ALL:@SECLEVEL=0"]
        for version in ("-tls1", "-tls1_1"):
            with self.subTest(version):
                done = subprocess.run([*command, version], stdin=subprocess.DEVNULL, capture_output=True,
                                      timeout=WAIT_S, check=False)
                self.assertNotEqual(done.returncode, 0)

    def test_ciphers_without_forward_secrecy_or_authentication_are_refused(self):
        for cipher in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "AES128-SHA"):
            with self.subTest(cipher):
                context = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
                context.set_ciphers(cipher)
                with socket.create_connection(("127.0.0.1", module.server.port), WAIT_S) as plain:
                    with self.assertRaises(OSError):
                        context.wrap_socket(plain, server_hostname="127.0.0.1")

    def test_curl_and_openssl_can_read(self):
        got = subprocess.run(["curl", "-sS", "--cacert", module.ca.cert, module.server.url("app.bin")],
                             capture_output=True, timeout=WAIT_S, check=True)
        self.assertEqual(got.stdout, BODY)
        got = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{module.server.port}"],
                             input=b"GET /app.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                             capture_output=True, timeout=WAIT_S, check=False)
        self.assertTrue(got.stdout.endswith(BODY))

    def test_plain_http_gets_nothing(self):
        with socket.create_connection(("127.0.0.1", module.server.port), WAIT_S) as plain:
            plain.sendall(b"GET /app.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1 200", read_to_end(plain))
        self.assertEqual(ask()[0], 200)

    def test_silent_connections_are_closed(self):
        with OtterServe(module.folder, module.cert, "--quiet", "--timeout", "1") as server:
            with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as plain, tls_socket(server) as idle, \
                    tls_socket(server) as half:
                half.sendall(b"GET /app.bin HTT")
                start = time.monotonic()
                for connection in (plain, idle, half):
                    read_to_end(connection)
                self.assertLess(time.monotonic() - start, WAIT_S / 2)

    def test_more_connections_than_it_takes_cost_nothing_and_pass(self):
        with OtterServe(module.folder, module.cert, "--quiet") as server:
            crowd = [socket.create_connection(("127.0.0.1", server.port), WAIT_S) for _ in range(300)]
            try:
                for connection in crowd[256:]:
                    self.assertEqual(read_to_end(connection), b"")  # closed: the limit is 256
            finally:
                for connection in crowd:
                    connection.close()
            deadline = time.monotonic() + WAIT_S
            while time.monotonic() < deadline:  # those that left make room
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self.assertEqual(ask(server=server)[2], BODY)
                    return
            self.fail("no room again")

    def test_bad_requests_do_not_harm_the_server(self):
        rows = [b"", b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET /app.bin\r\n\r\n", b"\0" * 100 + b"\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\n\r\n", b"GET /app.bin HTTP/9.9\r\nHost: x\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 70000 + b"\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
                b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                b"GET /app.bin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                b"G" * 40000, bytes(range(256)) * 20]
        for request in rows:
            with self.subTest(request[:50]), tls_socket() as connection:
                with contextlib.suppress(OSError):
                    connection.sendall(request)
                    connection.unwrap() if not request else connection.shutdown(socket.SHUT_WR)
                read_to_end(connection)
        self.assertEqual(ask()[2], BODY)


class Log(unittest.TestCase):
    def test_each_request_is_one_printable_line(self):
        with OtterServe(module.folder, module.cert) as server:
            ask("/app.bin", server=server)
            ask("/sub/deep.bin", {"Range": "bytes=1-2"}, server=server)
            ask("/none", method="HEAD", server=server)
            get_target(b"/a\x1b[31m\xff%0a", server)
            ask("/app.bin", {"Range": "bytes=0-\x1b[0m" + "9" * 200}, server=server)
            self.assertEqual(server.next_line(), "127.0.0.1 GET /app.bin 200 1000 -")
            self.assertEqual(server.next_line(), "127.0.0.1 GET /sub/deep.bin 206 2 bytes=1-2")
            self.assertEqual(server.next_line(), "127.0.0.1 HEAD /none 404 0 -")
            self.assertEqual(server.next_line(), r"127.0.0.1 GET /a\x1b[31m\xff%0a 404 0 -")
            self.assertRegex(server.next_line(), r"^127.0.0.1 GET /app.bin 200 1000 bytes=0-\\x1b\[0m9+$")

    def test_a_client_without_trust_is_told_of(self):
        with OtterServe(module.folder, module.cert) as server:
            with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as plain:
                with self.assertRaises(ssl.SSLError):
                    ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")
            self.assertIn("does it trust the CA", server.next_line())

    def test_quiet_says_only_where_it_serves(self):
        with OtterServe(module.folder, module.cert, "--quiet") as server:
            ask(server=server)
        self.assertIsNone(server.next_line())


def run_serve(*args, **options):
    return subprocess.run([OTTER, "serve", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=WAIT_S, check=False, **options)


class Life(unittest.TestCase):
    def test_it_says_where_it_serves(self):
        port_file = module.work / "port"
        with OtterServe(module.folder, module.cert, "--port-file", str(port_file)) as server:
            self.assertEqual(server.first_line, f"otter serve: https://127.0.0.1:{server.port}/ serves {module.folder}")
            self.assertEqual(port_file.read_text(), f"{server.port}\n")

    def test_on_all_addresses_it_names_itself_as_the_certificate_does(self):
        with OtterServe(module.folder, module.cert, bind=None) as server:
            self.assertEqual(server.host, "localhost")
            self.assertEqual(ask(server=server)[2], BODY)
            self.assertTrue(server.next_line().startswith("127.0.0.1 GET"))

    def test_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f"no IPv6 on this machine: {error}")
        with OtterServe(module.folder, module.cert, bind="::1") as server:
            self.assertEqual(server.host, "[::1]")
            with socket.create_connection(("::1", server.port), WAIT_S) as plain, \
                    client_context().wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(b"HEAD /app.bin HTTP/1.0\r\n\r\n")
                self.assertEqual(raw_status(read_to_end(connection)), 200)
            self.assertTrue(server.next_line().startswith("::1 HEAD"))

    def test_signals_end_it_with_success(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                server = OtterServe(module.folder, module.cert)
                with contextlib.closing(connect(server)) as connection:
                    connection.request("GET", "/big.bin")  # in the middle of a download
                    connection.getresponse().read(1)
                    server.process.send_signal(number)
                    self.assertEqual(server.wait(), 0, server.errors)
                self.assertEqual(server.errors, "")

    def test_a_connection_without_handshake_does_not_keep_it(self):
        server = OtterServe(module.folder, module.cert)
        with socket.create_connection(("127.0.0.1", server.port), WAIT_S):
            start = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - start, 10)

    def test_it_ends_by_itself_when_told_a_time(self):
        done = run_serve(module.folder, "--cert", module.cert.cert, "--key", module.cert.key, "--port", "0",
                         "--bind", "127.0.0.1", "--max-seconds", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_nothing_leaks_over_many_requests(self):
        def resources():
            status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
            return len(os.listdir(f"/proc/{server.pid}/fd")), int(re.search(r"VmRSS:\s+(\d+)", status)[1])

        # AddressSanitizer holds freed memory back for a while: little of it, so that growth shows here too.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        with unittest.mock.patch.dict(os.environ, ASAN_OPTIONS=sanitizer), \
                OtterServe(module.folder, module.cert) as server:
            for turn in range(3):
                for _ in range(15):
                    ask(server=server)
                    ask("/none", server=server)
                    ask(headers={"Range": "bytes=5000-"}, server=server)
                    with contextlib.closing(connect(server)) as connection:  # leaves in the middle
                        connection.request("GET", "/big.bin")
                        connection.getresponse().read(1)
                for _ in range(60):
                    server.next_line()  # each request has ended: its line is out
                ask(server=server)
                server.next_line()
                if turn == 0:
                    fds, memory = resources()
            deadline = time.monotonic() + WAIT_S
            while (now := resources()) and now[0] > fds and time.monotonic() < deadline:
                ask(server=server)
            self.assertLessEqual(now[0], fds)
            self.assertLess(now[1], memory * 1.5 + 4096)

    def test_a_certificate_out_of_its_time_is_served_with_a_warning(self):
        cert = make_cert(module.work, expired=True, name="expired")
        server = OtterServe(module.folder, cert)
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.errors, r"^otter serve: warning: .*expired.*\n$")


class Start(unittest.TestCase):
    def test_what_keeps_it_from_starting_is_one_line_with_the_next_step(self):
        work, good = module.work, module.cert
        other = make_cert(work, name="other")
        (work / "garbage.pem").write_bytes(os.urandom(2000))
        (work / "empty.pem").write_bytes(b"")
        (work / "long.pem").write_bytes(b"x" * 300_000)
        subprocess.run(["openssl", "pkey", "-in", good.key, "-aes128", "-passout", "pass:x", "-out",
                        str(work / "locked.pem")], check=True, timeout=WAIT_S, capture_output=True)
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        bind = ("--bind", "127.0.0.1")
        rows = [
            ("no such certificate", (module.folder, "--cert", work / "none.pem", "--key", good.key), "none.pem.*--help"),
            ("no such key", (module.folder, "--cert", good.cert, "--key", work / "none.pem"), "none.pem.*--help"),
            ("certificate is a folder", (module.folder, "--cert", work, "--key", good.key), "cannot read"),
            ("garbage certificate", (module.folder, "--cert", work / "garbage.pem", "--key", good.key), "no certificate"),
            ("empty certificate", (module.folder, "--cert", work / "empty.pem", "--key", good.key), "no certificate"),
            ("long certificate", (module.folder, "--cert", work / "long.pem", "--key", good.key), "too long"),
            ("endless certificate", (module.folder, "--cert", "/dev/zero", "--key", good.key), "too long"),
            ("swapped", (module.folder, "--cert", good.key, "--key", good.cert), "no certificate"),
            ("garbage key", (module.folder, "--cert", good.cert, "--key", work / "garbage.pem"), "no private key"),
            ("locked key", (module.folder, "--cert", good.cert, "--key", work / "locked.pem"), "openssl pkey"),
            ("key of another", (module.folder, "--cert", good.cert, "--key", other.key), "made together"),
            ("no such folder", (work / "none", "--cert", good.cert, "--key", good.key), "cannot open the folder"),
            ("a file as folder", (good.cert, "--cert", good.cert, "--key", good.key), "cannot open the folder"),
            ("port in use", (module.folder, "--cert", good.cert, "--key", good.key, *bind, "--port",
                             taken.getsockname()[1]), "give another --port"),
            ("foreign address", (module.folder, "--cert", good.cert, "--key", good.key, "--bind", "192.0.2.1"),
             "ip addr"),
            ("no address", (module.folder, "--cert", good.cert, "--key", good.key, "--bind", "1.2.3.4.5"),
             "--bind 1.2.3.4.5"),
            ("port file nowhere", (module.folder, "--cert", good.cert, "--key", good.key, *bind, "--port", "0",
                                   "--port-file", work / "none" / "port"), "port-file"),
        ]
        for name, args, says in rows:
            with self.subTest(name):
                done = run_serve(*args)
                self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                self.assertRegex(done.stderr, r"\Aotter serve: [^\n]*" + says + r"[^\n]*\n\Z")

    def test_wrong_usage(self):
        pair = ("--cert", module.cert.cert, "--key", module.cert.key)
        folder = module.folder
        rows = [(), (folder,), pair, (folder, "--cert", "x"), (folder, "--key", "x"), (folder, folder, *pair),
                (folder, *pair, "--port"), (folder, *pair, "--port", "65536"), (folder, *pair, "--port", "-1"),
                (folder, *pair, "--port", "http"), (folder, *pair, "--port", ""), (folder, *pair, "--rate", "0"),
                (folder, *pair, "--rate", "fast"), (folder, *pair, "--rate", "1X"), (folder, *pair, "--rate", "9G"),
                (folder, *pair, "--rate", "99999999999999999999"), (folder, *pair, "--max-seconds", "0"),
                (folder, *pair, "--max-seconds", "1.5"), (folder, *pair, "--timeout", "0"),
                (folder, *pair, "--nonsense"), (folder, *pair, "-x"), (folder, *pair, "--quiet=1")]
        for args in rows:
            with self.subTest(args[-2:]):
                done = run_serve(*args)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertRegex(done.stderr, r"\Aotter serve: [^\n]+ --help[^\n]+\n\Z")

    def test_the_certificate_that_the_help_teaches_works(self):
        done = run_serve("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        commands = re.findall(r"^ +(openssl .*)$", done.stdout, re.MULTILINE)
        self.assertEqual(len(commands), 2)
        for command in commands:
            self.assertIn(f"\n{command}\n", (SOURCE / "docs" / "SERVING.md").read_text())
        with tempfile.TemporaryDirectory() as folder:
            for command in commands:
                subprocess.run(shlex.split(command), cwd=folder, check=True, capture_output=True, timeout=WAIT_S)
            start = re.search(r"^ +otter serve firmware/ (.*)$", done.stdout, re.MULTILINE)[1].split()
            cert = type(module.cert)(*(str(pathlib.Path(folder) / name) for name in (start[1], start[3])))
            self.assertEqual((start[0], start[2]), ("--cert", "--key"))
            with OtterServe(module.folder, cert) as server:
                context = ssl.create_default_context(cafile=str(pathlib.Path(folder) / "ca.pem"))
                for host in ("localhost", "127.0.0.1"):
                    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as plain:
                        context.wrap_socket(plain, server_hostname=host).close()

    def test_without_its_server_otter_says_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(OTTER, folder)
            done = subprocess.run([alone, "serve", "x"], capture_output=True, text=True, timeout=WAIT_S, check=False,
                                  env={**os.environ, "PATH": folder})
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"\Aotter serve: otter-serve [^\n]*ninja otter-serve[^\n]*\n\Z")
            shutil.copy(OTTER.with_name("otter-serve"), folder)
            moved = pathlib.Path(folder) / "elsewhere"
            moved.mkdir()
            shutil.copy(OTTER, moved)
            done = subprocess.run([moved / "otter", "serve", "--help"], capture_output=True, timeout=WAIT_S, check=False,
                                  env={**os.environ, "PATH": folder})
            self.assertEqual(done.returncode, 0, "otter-serve in PATH was not found")


if __name__ == "__main__":
    unittest.main()
