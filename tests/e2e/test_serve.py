"""`otter serve`: what it answers and what it refuses."""
# SPDX-License-Identifier: Apache-2.0

import concurrent.futures
import contextlib
import email.utils
import http.client
import os
import pathlib
import re
import socket
import ssl
import subprocess
import tempfile
import unittest

from otter_serve import WAIT_S, OtterServe
from serve_case import BIG, BODY, ask, ask_raw, connect, get_target, raw_status, shared
from servers import make_ca, make_cert


def setUpModule():
    shared.start()


def tearDownModule():
    shared.close()


class Files(unittest.TestCase):
    def test_get_sends_the_file_with_what_a_client_needs_to_resume(self):
        status, headers, body = ask()
        self.assertEqual((status, body), (200, BODY))
        self.assertEqual(headers["Content-Length"], "1000")
        self.assertEqual(headers["Content-Type"], "application/octet-stream")
        self.assertEqual(headers["Accept-Ranges"], "bytes")
        self.assertRegex(headers["ETag"], r'^"[0-9a-f.-]+"$')
        modified = email.utils.parsedate_to_datetime(headers["Last-Modified"]).timestamp()
        self.assertEqual(modified, int((shared.folder / "app.bin").stat().st_mtime))

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
        self.assertEqual((shared.folder / "app.bin").read_bytes(), BODY)

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
        huge = shared.folder / "huge.bin"
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
        path = shared.folder / "dated.bin"
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
        path = shared.folder / "changing.bin"
        tags = set()
        for content in (b"one", b"two", b"three"):
            fresh = shared.folder / "changing.new"
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
            str(shared.work / "secret.bin"), "/" + str(shared.work / "secret.bin"), "//etc/passwd", "/etc/passwd",
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
        (shared.folder / odd).write_bytes(b"odd")
        for target, body in (("/app.bin?version=1&x=%00", BODY), ("//app.bin", BODY), ("/sub//deep.bin", b"deep"),
                             ("/%61pp.bin", BODY), ("https://device.example/app.bin", BODY),
                             ("HTTPS://x/app.bin?y", BODY), ("/space%20+&%C3%a9%25.bin", b"odd"),
                             ("/space%20%2b%26%C3%A9%25.bin", b"odd")):
            with self.subTest(target):
                self.assertEqual(get_target(target), (200, body))

    def test_links_are_followed_inside_only(self):
        folder = shared.folder
        rows = [
            ("to-file", "app.bin", 200), ("to-deep", "sub/deep.bin", 200), ("sub/up", "../app.bin", 200),
            ("outside", "../secret.bin", 404), ("sub/outside", "../../secret.bin", 404),
            ("absolute", str(shared.work / "secret.bin"), 404), ("absolute-in", str(folder / "app.bin"), 404),
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
        folder = shared.folder
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


def openssl(*args, text=None):
    return subprocess.run(["openssl", *map(str, args)], input=text, check=True, capture_output=True,
                          timeout=WAIT_S).stdout


class Keys(unittest.TestCase):
    """Private keys in the folder, whatever they are called and however they are written."""

    OURS = "the private key of this server"
    ANOTHER = "a private key"

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=shared.work))
        self.server = None
        self.addCleanup(lambda: self.server and self.server.stop())

    def serve(self, cert, **options):
        self.server = OtterServe(self.folder, cert, "--quiet", **options)

    def get(self, name):
        """Status, and what stderr said of it."""
        status, _ = get_target("/" + name, self.server)
        return status, self.server.next_error() if status == 404 else None

    def check(self, files, says):
        """Each of these bytes, under a harmless name: `says` is the reason for the 404, None: it is sent."""
        for name, content in files.items():
            with self.subTest(name):
                (self.folder / "app.bin").write_bytes(content)
                status, said = self.get("app.bin")
                if says is None:
                    self.assertEqual((status, said), (200, None))
                else:
                    self.assertEqual(status, 404)
                    self.assertRegex(said, f"app.bin is not sent, it holds {says}; keep keys out of the folder")

    def forms(self, cert):
        """What people make of a key: name to bytes."""
        key = pathlib.Path(cert.key).read_bytes()
        pkcs8 = openssl("pkcs8", "-topk8", "-nocrypt", "-in", cert.key)
        der = openssl("pkcs8", "-topk8", "-nocrypt", "-in", cert.key, "-outform", "DER")
        forms = {
            "a copy": key,
            "PKCS#8": pkcs8,
            "with line ends of DOS": key.replace(b"\n", b"\r\n"),
            "with the certificate": pathlib.Path(cert.cert).read_bytes() + key,
            "in a bundle of certificates": pathlib.Path(cert.cert).read_bytes() * 3000 + key,
            "as a C string": key + b"\0",
            "in JSON": b'{"private_key": "' + pkcs8.replace(b"\n", b"\\n") + b'"}',
            "DER": der,
            "in a firmware": BIG[:3_000_001] + key + BIG[:100],
            "in a firmware, with header lines":
                BIG[:1001] + key.replace(b"KEY-----\n", b"KEY-----\nComment: one\n\n") + BIG[:100],
            "in a firmware, DER": BIG[:3 << 20] + bytes(2 << 20) + der + BIG[:100],
            "in a firmware, across what is read at once": BIG[:(1 << 20) - 60] + der + BIG[:100],
        }
        with contextlib.suppress(subprocess.CalledProcessError):  # a form that Ed25519 does not have
            forms["traditional"] = openssl("pkey", "-traditional", "-in", cert.key)
            forms["traditional DER"] = openssl("pkey", "-traditional", "-in", cert.key, "-outform", "DER")
        return forms

    def test_the_key_of_this_server_is_not_sent_in_any_form(self):
        kinds = {"EC": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "RSA": ("rsa:2048",), "Ed25519": ("ed25519",)}
        for kind, how in kinds.items():
            with self.subTest(kind):
                cert = type(shared.cert)(*(str(shared.work / f"{kind}.{end}") for end in ("pem", "key")))
                openssl("req", "-x509", "-newkey", *how, "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-CA", shared.ca.cert, "-CAkey", shared.ca.key,
                        "-addext", "basicConstraints=CA:FALSE", "-keyout", cert.key, "-out", cert.cert)
                self.serve(cert)
                self.check(self.forms(cert), self.OURS)
                self.assertEqual(self.server.stop(), 0)

    def test_the_file_of_the_key_is_not_sent_whatever_it_is_called(self):
        make_ca(self.folder)
        cert = make_cert(self.folder)
        key = pathlib.Path(cert.key)
        os.link(key, self.folder / "linked.bin")
        self.serve(type(cert)(cert.cert, cert.key))
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))

        def status(name):
            with contextlib.closing(http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=WAIT_S,
                                                                context=context)) as connection:
                connection.request("GET", "/" + name)
                return connection.getresponse().status

        self.assertEqual([status(name) for name in (key.name, "linked.bin")], [404, 404])
        key.rename(self.folder / "old.bin")
        self.assertEqual([status(name) for name in ("old.bin", "linked.bin", "server.pem")], [404, 404, 200])
        key.write_bytes(BODY)  # nothing secret, but it has the name of the key
        self.assertEqual(status(key.name), 404)

    def test_a_key_that_came_through_a_pipe_is_known_too(self):
        reader, writer = os.pipe()
        os.write(writer, pathlib.Path(shared.cert.key).read_bytes())
        os.close(writer)
        try:
            self.serve(type(shared.cert)(shared.cert.cert, f"/dev/fd/{reader}"), pass_fds=(reader,))
        finally:
            os.close(reader)
        self.check(self.forms(shared.cert), self.OURS)

    def test_other_private_keys_are_nobodys_firmware(self):
        other = make_cert(shared.work, name="anothers")
        self.serve(shared.cert)
        forms = {name: content for name, content in self.forms(other).items() if "firmware" not in name}
        forms["with a pass phrase"] = openssl("pkey", "-in", other.key, "-aes128", "-passout", "pass:x")
        forms["with a pass phrase, DER"] = openssl("pkcs8", "-topk8", "-in", other.key, "-outform", "DER", "-passout",
                                                   "pass:x")
        forms["PKCS#12"] = openssl("pkcs12", "-export", "-in", other.cert, "-inkey", other.key, "-passout", "pass:x")
        forms["our own with a pass phrase"] = openssl("pkey", "-in", shared.cert.key, "-aes128", "-passout", "pass:x")
        self.check(forms, self.ANOTHER)

    def test_what_is_no_private_key_is_sent(self):
        other = make_cert(shared.work, name="in-firmware")
        key = pathlib.Path(other.key).read_bytes()
        self.serve(shared.cert)
        self.check({
            "certificate": pathlib.Path(shared.cert.cert).read_bytes(),
            "certificate, DER": openssl("x509", "-in", shared.cert.cert, "-outform", "DER"),
            "public key of ours": openssl("pkey", "-in", shared.cert.key, "-pubout"),
            "public key of ours, DER": openssl("pkey", "-in", shared.cert.key, "-pubout", "-outform", "DER"),
            "firmware with the key of a device in it": BODY + key + BODY,
            "text about keys": b"-----BEGIN here, and see PRIVATE KEY in the index -----\n" * 20,
            "markers without end": b"-----BEGIN " * 200_000,
            "a sequence": b"\x30\x82\x01\x00" + bytes(256),
            "empty": b"",
        }, None)

    def test_a_key_that_comes_into_a_file_on_its_way_is_not_sent(self):
        self.serve(shared.cert)
        key = pathlib.Path(shared.cert.key).read_bytes()
        path = self.folder / "app.bin"
        path.write_bytes(BIG)
        before = path.stat()
        with contextlib.closing(connect(self.server)) as connection:
            connection.request("GET", "/app.bin")
            answer = connection.getresponse()
            got = answer.read(1000)  # the rest waits: it is more than the sockets can hold
            with path.open("r+b") as file:
                file.seek(-len(key), os.SEEK_END)
                file.write(key)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            with self.assertRaises((http.client.IncompleteRead, ConnectionError, ssl.SSLError)):
                got += answer.read()
        self.assertNotIn(key, got)

    def test_a_file_that_gets_another_name_on_its_way_is_sent_to_its_end(self):
        self.serve(shared.cert)
        path = self.folder / "app.bin"
        path.write_bytes(BIG)
        with contextlib.closing(connect(self.server)) as connection:
            connection.request("GET", "/app.bin")
            answer = connection.getresponse()
            got = answer.read(1000)
            path.rename(self.folder / "old.bin")
            self.assertEqual(got + answer.read(), BIG)

    def test_a_file_is_judged_anew_when_it_changes(self):
        self.serve(shared.cert)
        path = self.folder / "app.bin"
        for content, status in ((BODY, 200), (pathlib.Path(shared.cert.key).read_bytes(), 404), (BODY[1:], 200)):
            path.write_bytes(content)
            os.utime(path, (1_000_000_000, 1_000_000_000))
            for _ in range(2):
                self.assertEqual(self.get("app.bin")[0], status)


class Changes(unittest.TestCase):
    """A file that changes while it is on its way."""

    def setUp(self):
        self.path = shared.folder / f"moving-{self.id().rpartition('.')[2]}.bin"
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


if __name__ == "__main__":
    unittest.main()
