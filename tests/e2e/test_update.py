"""`otter update` on flash files of real and virtual chips: good updates, and every bad input ends in its code, one line,
and the old firmware still booting."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import servers  # noqa: E402
from device import in_full  # noqa: E402
from image_files import image  # noqa: E402

BUILD = pathlib.Path(os.environ.get("OTTER_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", ".")).resolve()
OTTER = BUILD / "otter"
VECTORS = SOURCE / "tests" / "vectors"

TABLE = """
nvs,      data, nvs,     0x9000,   0x4000
otadata,  data, ota,     0xd000,   0x2000
phy_init, data, phy,     0xf000,   0x1000
factory,  app,  factory, 0x10000,  1M
ota_0,    app,  ota_0,   0x110000, 1M
ota_1,    app,  ota_1,   0x210000, 1M
"""


def otter(*args, timeout=60):
    return subprocess.run([str(OTTER), *map(str, args)], capture_output=True, text=True, timeout=timeout, check=False)


def must(*args):
    done = otter(*args)
    if done.returncode != 0:
        raise AssertionError(f"otter {args}: {done.stderr}")
    return done.stdout


class UpdateCase(unittest.TestCase):
    """One folder with a CA, a certificate, images and a server for the whole class; a fresh flash file per test."""

    OPTIONS = ()  # of each update

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="test-update-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.work = pathlib.Path(cls.folder.name)
        cls.www = cls.work / "www"
        cls.www.mkdir()
        cls.plain = cls.www  # as a device has them; what is served may be another form of them
        cls.ca = servers.make_ca(cls.work)
        cls.cert = servers.make_cert(cls.work, ca=cls.ca)
        (cls.work / "parts.csv").write_text(TABLE)
        for name in (VECTORS / "image").glob("*.bin"):
            (cls.www / name.name).write_bytes(name.read_bytes())
        cls.make_images()
        cls.seal_images()

    @classmethod
    def seal_images(cls):
        """What is served is the images as they are."""

    @classmethod
    def make_images(cls):
        """Images of chip linux: 1.0.0 and 2.0.0 of 300 KB, one that fills its slot, one that is 16 bytes too large."""
        program = pathlib.Path("/bin/true").read_bytes()
        for name, version, size in (("app1.bin", "1.0.0", 300_000), ("app2.bin", "2.0.0", 300_001),
                                    ("exact.bin", "3.0.0", (1 << 20) - 336), ("large.bin", "9.0.0", (1 << 20) - 320)):
            elf = cls.work / "elf"
            elf.write_bytes(program + bytes(i * 7 % 251 for i in range(size - len(program))))
            must("image", "build", "--elf", elf, "--chip", "linux", "--project", "test", "--version", version,
                 "-o", cls.www / name)

    def setUp(self):
        self.flash = self.work / "flash.bin"
        self.tearDown()
        must("flash", "new", self.flash, "--size", "4MB", "--table", self.work / "parts.csv",
             "--app", f"factory={self.plain / 'app1.bin'}")

    def tearDown(self):
        for path in self.work.glob("flash.bin*"):
            path.unlink()

    def new_esp32_flash(self, app="esp32_valid.bin", chip="esp32", revision="300"):
        self.tearDown()
        must("flash", "new", self.flash, "--size", "4MB", "--table", self.work / "parts.csv", "--chip", chip,
             "--chip-rev", revision, "--app", f"factory={self.plain / app}")

    def update(self, url, *args, ca=None):
        done = otter("update", self.flash, url, "--ca", ca or self.ca.cert, "--json", "--retries", "0", *self.OPTIONS, *args)
        report = json.loads(done.stdout) if done.stdout else {}
        return done, report

    def boots(self):
        return json.loads(must("flash", "info", self.flash, "--json"))["boot"]["label"]

    def check_refused(self, done, report, result, stage, text=""):
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(report.get("result"), result, done.stderr)
        self.assertEqual(report.get("stage"), stage, done.stderr)
        self.assertIn(text, done.stderr)
        if stage in ("config", "gate", "verify"):
            self.assertNotIn("try again", done.stderr)  # the same file will not be better then
        self.assertEqual(self.boots(), "factory")


class GoodUpdates(UpdateCase):
    def test_the_configuration_of_openssl_on_this_machine_is_not_read(self):
        config = self.work / "openssl.cnf"
        config.write_text("openssl_conf = init\n[init]\nalg_section = algorithms\n"
                          "[algorithms]\ndefault_properties = provider=nobody\n", encoding="ascii")
        with servers.HttpsServer(self.www, self.cert) as server:
            command = [OTTER, "update", self.flash, server.url("app2.bin"), "--ca", self.ca.cert, "--quiet", *self.OPTIONS]
            done = subprocess.run(command, env={**os.environ, "OPENSSL_CONF": str(config)}, capture_output=True, text=True,
                                  timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def check_updated(self, url, slot, version, *args, ca=None):
        done, report = self.update(url, *args, ca=ca)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((report["result"], report["stage"], report["slot"], report["to_version"]),
                         ("ESP_OK", "done", slot, version))
        self.assertEqual(self.boots(), slot)
        return report

    def test_a_ca_in_der_form(self):
        der = self.work / "ca.der"
        der.write_bytes(ssl.PEM_cert_to_DER_cert(pathlib.Path(self.ca.cert).read_text()))
        with servers.HttpsServer(self.www, self.cert) as server:
            self.check_updated(server.url("app2.bin"), "ota_0", "2.0.0", ca=der)

    def test_updates_go_from_slot_to_slot(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            report = self.check_updated(server.url("app2.bin"), "ota_0", "2.0.0", "--rollback", "off")
            self.assertEqual(report["bytes_downloaded"], (self.www / "app2.bin").stat().st_size)
            self.assertEqual(report["bytes_written"], (self.plain / "app2.bin").stat().st_size)
            self.assertEqual(report["from_version"], "1.0.0")
            self.assertEqual(report["http_status"], 200)
            self.check_updated(server.url("app1.bin"), "ota_1", "1.0.0", "--rollback", "off")
            self.check_updated(server.url("exact.bin"), "ota_0", "3.0.0", "--rollback", "off")

    def test_what_is_in_flash_is_the_image(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            self.check_updated(server.url("app2.bin"), "ota_0", "2.0.0")
        image = (self.plain / "app2.bin").read_bytes()
        flash = self.flash.read_bytes()
        self.assertEqual(flash[0x110000:0x110000 + len(image)], image)
        self.assertEqual(len(flash), 4 << 20)

    def test_every_kind_of_server_delivers(self):
        for kind in (servers.Nginx, servers.SServer, servers.HttpsServer):
            with self.subTest(kind.__name__), kind(self.www, self.cert) as server:
                self.setUp()
                self.check_updated(server.url("app2.bin"), "ota_0", "2.0.0")

    def test_headers_and_urls_of_any_length_go_out_whole(self):
        body = (self.www / "app2.bin").read_bytes()
        heads = []

        def serve(connection, _):
            heads.append(servers.read_request(connection).decode())
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        token, query, name = "t" * 30_000, "q" * 7_000, "X-" + "n" * 2_000
        context = servers.server_context(self.cert)
        with servers.RawServer(serve, context=context, scheme="https") as server:
            self.check_updated(server.url("x?" + query), "ota_0", "2.0.0", "--header", f"Authorization: Bearer {token}",
                               "--header", f"{name}:\t1", "--header", "X-Empty:")
        self.assertEqual(heads[0].split("\r\n")[0], f"GET /x?{query} HTTP/1.1")
        for line in (f"Authorization: Bearer {token}", f"{name}: 1", "X-Empty: "):
            self.assertIn(f"\r\n{line}\r\n", heads[0])

    def test_chunked_body_and_redirect(self):
        body = (self.www / "app2.bin").read_bytes()

        def chunked(handler):
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for at in range(0, len(body), 10_000):
                part = body[at:at + 10_000]
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            handler.wfile.write(b"0\r\n\r\n")

        def redirect(handler):
            handler.send_response(302)
            handler.send_header("Location", "/chunked")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with servers.HttpsServer(self.www, self.cert, routes={"/chunked": chunked, "/moved": redirect}) as server:
            self.check_updated(server.url("moved"), "ota_0", "2.0.0")

    def test_esp32_flash_takes_esp32_images(self):
        self.new_esp32_flash()
        with servers.HttpsServer(self.www, self.cert) as server:
            self.check_updated(server.url("esp32_v110_sec1.bin"), "ota_0", "1.1.0")
            self.check_updated(server.url("esp32_drom_irom_64k.bin"), "ota_1", json.loads(must(
                "image", "info", self.plain / "esp32_drom_irom_64k.bin", "--json"))["app"]["version"])

    def test_torn_otadata_copy_is_survived(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            self.check_updated(server.url("app2.bin"), "ota_0", "2.0.0", "--rollback", "off")
            with open(self.flash, "r+b") as flash:  # the second copy: cut in the middle of its program
                flash.seek(0xE000)
                flash.write(b"\x02\0\0\0" + b"\xff" * 8)
            self.assertEqual(self.boots(), "ota_0")
            self.check_updated(server.url("app1.bin"), "ota_1", "1.0.0", "--rollback", "off")

    def test_plain_lines_and_one_summary_without_json(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            done = otter("update", self.flash, server.url("app2.bin"), "--ca", self.ca.cert, *self.OPTIONS)
        self.assertEqual(done.returncode, 0)
        self.assertIn("2.0.0 is verified in ota_0 and boots next", done.stdout)
        self.assertIn("100%", done.stderr)
        self.assertNotIn("\r", done.stderr)
        self.assertNotIn("same as before", done.stdout)

    def test_an_update_to_the_same_version_says_so(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            done = otter("update", self.flash, server.url("app1.bin"), "--ca", self.ca.cert, "--quiet", "--json",
                         *self.OPTIONS)
            self.assertEqual((json.loads(done.stdout)["from_version"], json.loads(done.stdout)["to_version"]), ("1.0.0", "1.0.0"))
            self.setUp()
            done = otter("update", self.flash, server.url("app1.bin"), "--ca", self.ca.cert, *self.OPTIONS)
        self.assertIn("version 1.0.0, the same as before, is verified in ota_0 and boots next", done.stdout)


class BadImages(UpdateCase):
    # file, code, stage, part of the line
    ESP32_ROWS = (
        ("bad_magic.bin", "ESP_ERR_OTA_VALIDATE_FAILED", "gate", "magic"),
        ("esp32s3_valid.bin", "ESP_ERR_INVALID_VERSION", "gate", "ESP32-S3"),
        ("min_rev_301.bin", "ESP_ERR_INVALID_VERSION", "gate", "rev"),
        ("max_rev_299.bin", "ESP_ERR_INVALID_VERSION", "gate", "rev"),
        ("bad_checksum.bin", "ESP_ERR_OTA_VALIDATE_FAILED", "verify", "checksum"),
        ("bad_hash.bin", "ESP_ERR_OTA_VALIDATE_FAILED", "verify", "SHA-256"),
        ("trunc_mid_segment.bin", "ESP_ERR_OTA_VALIDATE_FAILED", "verify", ""),
        ("trunc_before_hash.bin", "ESP_ERR_OTA_VALIDATE_FAILED", "verify", ""),
        ("trunc_10.bin", "ESP_FAIL", "gate", "less than the header"),
        ("all_zero.bin", "ESP_ERR_OTA_VALIDATE_FAILED", "gate", "magic"),
        ("esp32c3_bootloader.bin", "ESP_ERR_INVALID_VERSION", "gate", "ESP32-C3"),
        ("bootloader.bin", "ESP_ERR_OTA_VALIDATE_FAILED", "gate", "this is a bootloader image, not an app"),
        ("ram.bin", "ESP_ERR_OTA_VALIDATE_FAILED", "gate", "this is a RAM program, not an app"),
        ("factory.bin", "ESP_ERR_OTA_VALIDATE_FAILED", "gate", "as a factory file has before its bootloader"),
    )

    def test_the_efuse_file_that_decides_is_named(self):
        self.new_esp32_flash()
        with servers.HttpsServer(self.www, self.cert) as server:
            done, _ = self.update(server.url("esp32s3_valid.bin"))
            self.assertIn(f"of which {self.flash}.efuse says what it is", done.stderr)
            done, _ = self.update(server.url("esp32s3_valid.bin"), "--chip", "esp32")
            self.assertNotIn(".efuse", done.stderr)
            done, _ = self.update(server.url("min_rev_301.bin"))
            self.assertIn(f"of which {self.flash}.efuse says what it is", done.stderr)
            done, _ = self.update(server.url("min_rev_301.bin"), "--chip-rev", "v3.0")
            self.assertIn("this is v3.0", done.stderr)
            self.assertNotIn(".efuse", done.stderr)

    def test_bad_esp32_images(self):
        self.new_esp32_flash()
        loader = image("esp32", [(0x3FFF0030, b"\x13\0\0\0" * 80), (0x40078000, b"code" * 100)])
        (self.www / "bootloader.bin").write_bytes(loader)
        (self.www / "ram.bin").write_bytes(image("esp32", [(0x3FFB0000, b"data" * 80), (0x40080000, b"code" * 100)]))
        (self.www / "factory.bin").write_bytes((b"\xff" * 0x1000 + loader).ljust(0x400000, b"\xff"))
        with servers.HttpsServer(self.www, self.cert) as server:
            for name, result, stage, text in self.ESP32_ROWS:
                with self.subTest(name):
                    done, report = self.update(server.url(name))
                    self.check_refused(done, report, result, stage, text)
                    if stage == "gate":
                        self.assertEqual(report["sectors_erased"], 0)

    @in_full
    def test_the_verbs_say_the_same_of_one_file(self):
        """`image verify` for the chip of a flash, `flash info` of a slot with the file in it, and the update."""
        chips = {0: ("esp32", "esp32_valid.bin", "300"), 9: ("esp32s3", "esp32s3_valid.bin", "0"),
                 13: ("esp32c6", "esp32c6_mmu16k.bin", "0")}
        with servers.HttpsServer(self.www, self.cert) as server:
            for path in sorted((VECTORS / "image").glob("*.bin")):
                chip, app, revision = chips.get(int.from_bytes(path.read_bytes()[12:14], "little"), chips[0])
                with self.subTest(path.name):
                    self.new_esp32_flash(app, chip, revision)
                    info = json.loads(otter("image", "info", path, "--json").stdout)
                    self.assertEqual(otter("image", "verify", path).returncode == 0, info["valid"])
                    verified = otter("image", "verify", path, "--chip", chip, "--chip-rev", revision)
                    must("flash", "write", self.flash, "ota_1", path, "--force")
                    slots = json.loads(must("flash", "info", self.flash, "--json"))["slots"]
                    slot = [one["image"] for one in slots if one["label"] == "ota_1"][0]
                    updated, _ = self.update(server.url(path.name))
                    asked = "eFuse block revision v2.0 or later, that of this chip is not known" in updated.stderr
                    self.assertEqual(asked, path.name == "s3_efuse_blk_min200.bin")
                    said = (verified.returncode == 0, slot is not None and slot["valid"], updated.returncode == 0 or asked)
                    self.assertEqual(said, (said[0],) * 3)
                    self.assertTrue(info["valid"] or not said[0])

    def test_empty_and_random_files(self):
        (self.www / "empty.bin").write_bytes(b"")
        (self.www / "random.bin").write_bytes(bytes((i * i * 31 + i * 17 + 5) % 256 for i in range(50_000)))
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("empty.bin"))
            self.check_refused(done, report, "ESP_FAIL", "gate", "0 bytes")
            done, report = self.update(server.url("random.bin"))
            self.check_refused(done, report, "ESP_ERR_OTA_VALIDATE_FAILED", "gate", "magic")
            self.assertEqual(report["sectors_erased"], 0)

    def test_oversize_image_of_known_length_erases_nothing(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("large.bin"))
        self.check_refused(done, report, "ESP_ERR_INVALID_SIZE", "gate", "1048576")
        self.assertEqual(report["sectors_erased"], 0)
        self.assertEqual(self.flash.read_bytes()[0x110000:0x210000].strip(b"\xff"), b"")

    def test_oversize_image_of_unknown_length_stops_at_the_boundary(self):
        body = (self.www / "large.bin").read_bytes()

        def until_close(handler):
            handler.send_response(200)
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.wfile.write(body + bytes(300_000))
            handler.close_connection = True

        with servers.HttpsServer(self.www, self.cert, routes={"/large": until_close}) as server:
            done, report = self.update(server.url("large"))
        self.check_refused(done, report, "ESP_ERR_INVALID_SIZE", "download")
        self.assertEqual(self.flash.read_bytes()[0x210000:0x310000].strip(b"\xff"), b"")

    def test_image_that_waits_for_its_first_boot_is_not_updated_over(self):
        """Or the only confirmed app would be overwritten: with two slots, two updates in a row leave nothing to fall back to."""
        with servers.HttpsServer(self.www, self.cert) as server:
            self.assertEqual(self.update(server.url("app2.bin"))[0].returncode, 0)
            before = self.flash.read_bytes()
            done, report = self.update(server.url("app1.bin"))
        self.assertEqual((done.returncode, report["result"]), (1, "ESP_ERR_OTA_ROLLBACK_INVALID_STATE"))
        self.assertIn("2.0.0 in ota_0 waits for its first boot", done.stderr)
        self.assertEqual(self.flash.read_bytes(), before)

    def test_slots_that_cannot_be_written(self):
        for label, result in (("nvs", "ESP_ERR_INVALID_ARG"), ("factory", "ESP_ERR_INVALID_ARG"),
                              ("nothing", "ESP_ERR_NOT_FOUND")):
            done, report = self.update("https://127.0.0.1:1/x", "--slot", label)
            self.check_refused(done, report, result, "config", label)

    def test_update_to_the_running_slot(self):
        with servers.HttpsServer(self.www, self.cert) as server:
            self.assertEqual(self.update(server.url("app2.bin"), "--rollback", "off")[0].returncode, 0)
            done, report = self.update(server.url("app1.bin"), "--slot", "ota_0", "--rollback", "off")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(report["result"], "ESP_ERR_OTA_PARTITION_CONFLICT")
        self.assertEqual(self.boots(), "ota_0")


class BadServers(UpdateCase):
    def cut_server(self, head, body_bytes):
        """Sends `head` and so many bytes of the image, then resets nothing: it just closes."""
        body = (self.www / "app2.bin").read_bytes()

        def serve(connection, _):
            servers.read_request(connection)
            connection.sendall(head % len(body) if b"%d" in head else head)
            connection.sendall(body[:body_bytes])

        return servers.RawServer(serve, context=servers.server_context(self.cert), scheme="https")

    def test_cut_connections(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
        rows = (
            ("before any answer", b"", 0, "ESP_FAIL", "request"),
            ("in the header", b"HTTP/1.1 200 OK\r\nContent-Le", 0, "ESP_FAIL", "request"),
            ("after the header", head, 0, "ESP_FAIL", "gate-or-download"),
            ("in the image header", head, 100, "ESP_FAIL", "gate-or-download"),
            ("in the body", head, 100_000, "ESP_FAIL", "download"),
        )
        for name, sent, count, result, stage in rows:
            with self.subTest(name), self.cut_server(sent, count) as server:
                done, report = self.update(server.url("x"))
                stage = report.get("stage") if stage == "gate-or-download" else stage
                self.assertIn(report.get("stage"), ("request", "gate", "download"))
                self.check_refused(done, report, result, stage)

    def test_statuses(self):
        rows = ((404, "ESP_FAIL"), (500, "ESP_FAIL"), (403, "ESP_FAIL"), (503, "ESP_FAIL"),
                (304, "ESP_ERR_HTTP_NOT_MODIFIED"), (416, "ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE"))

        def answer(status):
            def route(handler):
                handler.send_response(status)
                handler.send_header("Content-Length", "0")
                handler.end_headers()
            return route

        routes = {f"/{status}": answer(status) for status, _ in rows}
        with servers.HttpsServer(self.www, self.cert, routes=routes) as server:
            for status, result in rows:
                with self.subTest(status):
                    done, report = self.update(server.url(str(status)))
                    self.check_refused(done, report, result, "request", str(status))
                    self.assertEqual(report["http_status"], status)
                    step = {304: "nothing to do", 500: "try again later", 503: "try again later"}.get(status, "check the URL")
                    self.assertIn(step, done.stderr)

    def test_redirect_loop_ends(self):
        def loop(handler):
            handler.send_response(302)
            handler.send_header("Location", "/loop")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with servers.HttpsServer(self.www, self.cert, routes={"/loop": loop}) as server:
            done, report = self.update(server.url("loop"))
        self.check_refused(done, report, "ESP_ERR_HTTP_MAX_REDIRECT", "request")

    def test_redirect_to_plain_http_is_refused(self):
        def down(handler):
            handler.send_response(302)
            handler.send_header("Location", "http://127.0.0.1:1/app2.bin")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with servers.HttpsServer(self.www, self.cert, routes={"/down": down}) as server:
            done, report = self.update(server.url("down"))
        self.check_refused(done, report, "ESP_ERR_HTTP_REDIRECT_DOWNGRADE", "request")

    def test_certificates_that_are_not_believed(self):
        other_ca = servers.make_ca(self.work, name="other-ca")
        rows = (
            ("unknown CA", servers.make_cert(self.work, ca=other_ca, name="c1"), "issuer"),
            ("self-signed", servers.make_self_signed(self.work), "self"),
            ("expired", servers.make_cert(self.work, ca=self.ca, expired=True, name="c2"), "expired"),
            ("wrong name", servers.make_cert(self.work, ca=self.ca, names=["example.org"], name="c3"), "mismatch"),
        )
        for name, cert, text in rows:
            with self.subTest(name), servers.HttpsServer(self.www, cert) as server:
                done, report = self.update(server.url("app2.bin"))
                self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", text)

    def test_what_is_wrong_with_certificates_and_tls_is_told(self):
        """The texts of OpenSSL's errors are loaded when they are needed."""
        broken = self.work / "broken.pem"
        text = pathlib.Path(self.ca.cert).read_text(encoding="ascii")
        broken.write_text(text.replace("M", "!", 1), encoding="ascii")
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("app2.bin"), ca=broken)
            self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", "cannot be read: bad base64 decode")
        other = pathlib.Path(servers.make_ca(self.work, name="another-ca").cert).read_text(encoding="ascii")
        broken.write_text(other + text.replace("M", "!", 1), encoding="ascii")  # the one that is missing is the broken one
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("app2.bin"), "--quiet", ca=broken)
            self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", "cannot be read: bad base64 decode")
        with servers.HttpsServer(self.www, plain=True) as server:
            done, report = self.update(server.url("app2.bin").replace("http:", "https:"))
            self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", "wrong version number")

    def test_nobody_there(self):
        port = servers.free_port()
        done, report = self.update(f"https://127.0.0.1:{port}/x")
        self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", "refused")
        done, report = self.update("https://does-not-exist.invalid/x", "--timeout", "2")
        self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", "does-not-exist.invalid")

    def test_server_that_says_nothing(self):
        quiet = threading.Event()
        with servers.RawServer(lambda connection, _: quiet.wait(20), scheme="https") as server:
            done, report = self.update(server.url("x"), "--timeout", "1")
            quiet.set()
        self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect")

    def test_server_that_falls_silent_after_the_request(self):
        quiet = threading.Event()

        def serve(connection, _):
            servers.read_request(connection)
            quiet.wait(20)

        context = servers.server_context(self.cert)
        with servers.RawServer(serve, context=context, scheme="https") as server:
            done, _ = self.update(server.url("x"), "--timeout", "1")
            quiet.set()
        self.assertEqual(done.returncode, 1)
        self.assertIn("no response within the time limit", done.stderr)
        self.assertIn("with a longer --timeout", done.stderr)
        self.assertEqual(self.boots(), "factory")

    def test_a_busy_server_is_waited_for_until_ctrl_c(self):
        def serve(connection, _):
            servers.read_request(connection)
            connection.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n")

        with servers.RawServer(serve, context=servers.server_context(self.cert), scheme="https") as server:
            command = [OTTER, "update", self.flash, server.url("x"), "--ca", self.ca.cert]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                guard = threading.Timer(60, process.kill)
                guard.start()
                self.assertEqual("otter update: the server is busy (503); asking again in 100 s\n", process.stderr.readline())
                process.send_signal(signal.SIGINT)
                said = process.stderr.read()
                guard.cancel()
        self.assertEqual(1, process.returncode)
        self.assertIn("interrupted", said)
        self.assertEqual(self.boots(), "factory")

    def test_server_that_stalls_in_the_body(self):
        body = (self.www / "app2.bin").read_bytes()
        quiet = threading.Event()

        def serve(connection, _):
            servers.read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:50_000])
            quiet.wait(30)

        context = servers.server_context(self.cert)
        with servers.RawServer(serve, context=context, scheme="https") as server:
            done, report = self.update(server.url("x"), "--timeout", "1")
            quiet.set()
        self.check_refused(done, report, "ESP_ERR_HTTP_READ_TIMEOUT", "download", "stalled")

    def test_retries_cover_the_first_connection_but_not_what_is_wrong_with_it(self):
        retries = ("--retries", "2", "--retry-delay", "1")
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        done, report = self.update(f"https://localhost:{port}/x", *retries)
        self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", "Connection refused")
        self.assertEqual(report["attempts"], 3)
        stranger = servers.make_ca(self.work, name="stranger")
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("app2.bin"), *retries, ca=stranger.cert)
            self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", "certificate")
            self.assertEqual(report["attempts"], 1)
        body = (self.www / "app2.bin").read_bytes()

        def serve(connection, index):
            if index == 1:  # the first is closed in the TLS handshake; in this one the server says that it is in trouble
                connection.recv(4096)
                connection.sendall(b"\x15\x03\x03\0\2\2\x50")
            if index > 1:
                connection = servers.server_context(self.cert).wrap_socket(connection, server_side=True)
                servers.read_request(connection)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                connection.close()

        with servers.RawServer(serve, scheme="https") as server:
            done, report = self.update(server.url("x"), *retries)
        self.assertEqual((done.returncode, report["attempts"]), (0, 3), done.stderr)

    def test_plain_http_is_refused_unless_allowed(self):
        with servers.HttpsServer(self.www, plain=True) as server:
            done, report = self.update(server.url("app2.bin"))
            self.check_refused(done, report, "ESP_ERR_INVALID_ARG", "config", "plain HTTP")
            self.assertIn("--allow-http", done.stderr)
            done, report = self.update(server.url("app2.bin"), "--allow-http")
            self.assertEqual(done.returncode, 0, done.stderr)


    def test_what_is_no_url_says_what_is_missing(self):
        rows = [("localhost:8443/app2.bin", "has no scheme: https://localhost:8443/app2.bin, perhaps?"),
                ("//localhost/app2.bin", "has no scheme: https://localhost/app2.bin, perhaps?"),
                (str(self.www / "app2.bin"), "is a file, and a URL is needed"),
                ("ftp://localhost/app2.bin", "'ftp://' is not fetched here: the URL must begin with https://"),
                ("https:/localhost/app2.bin", "has no scheme: https://localhost/app2.bin, perhaps?"),
                ("HTTP://localhost/app2.bin", "--allow-http"), ("hTTps:///", "URL is unusable"), ("", "has no scheme")]
        for url, text in rows:
            with self.subTest(url):
                done, report = self.update(url)
                self.assertIn(text, done.stderr)
                self.assertEqual((report["stage"], done.returncode), ("config", 1))
                if not url.lower().startswith("https://"):  # nor is a CA asked for before
                    self.assertIn(text, otter("update", self.flash, url).stderr)


class BadFlash(UpdateCase):
    def refused(self, text):
        done = otter("update", self.flash, "https://127.0.0.1:1/x", "--ca", self.ca.cert, "--json")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(text, json.loads(done.stdout)["error"])
        self.assertIn(text, done.stderr)

    def test_flash_files_that_are_none(self):
        content = self.flash.read_bytes()
        rows = (
            ("empty", b"", "size of 0 bytes"),
            ("not a multiple of the sector", content[:5000], "partition table"),
            ("too short for a table", content[:0x8000], "partition table"),
            ("no table", content[:0x8000] + b"\xff" * 0x1000 + content[0x9000:], "partition table"),
            ("table with a wrong MD5", content[:0x8001] + b"\0" + content[0x8002:], "partition table"),
        )
        for name, data, text in rows:
            with self.subTest(name):
                self.flash.write_bytes(data)
                self.refused(text)

    def test_missing_file_and_busy_file(self):
        path, self.flash = self.flash, self.work / "flash.bin.not-there"
        self.refused("No such file")
        self.flash = path
        with open(path, "rb") as held:
            import fcntl
            fcntl.flock(held, fcntl.LOCK_EX)
            self.refused("has it open (a running device")

    def test_usage(self):
        for args in ((), (self.flash,), (self.flash, "u", "extra"), (self.flash, "https://x/"),
                     (self.flash, "https://x/", "--ca"), (self.flash, "https://x/", "--nonsense")):
            with self.subTest(args):
                done = otter("update", *args)
                self.assertEqual(done.returncode, 2)
                self.assertIn("--help", done.stderr)
        self.assertEqual(otter("update", "--help").returncode, 0)

    def test_headers_that_are_none(self):
        url = "https://localhost:1/x"
        for header in ("no colon", ": no name", "two words: x", "X-Line: a\r\nX-Other: b"):
            with self.subTest(header):
                done = otter("update", self.flash, url, "--ca", self.ca.cert, "--header", header)
                self.assertEqual(done.returncode, 2)
                self.assertIn("--header", done.stderr)
        done = otter("update", self.flash, url, "--ca", self.ca.cert, "--header", "X-A: 1", "--header", "x-a: 2")
        self.assertEqual(done.returncode, 2)
        self.assertIn("twice", done.stderr)

    def test_errors_name_a_long_path_and_its_end(self):
        self.flash = self.work / ("long/" * 100) / "flash.bin"
        self.refused("No such file")

    def test_unreadable_ca(self):
        (self.work / "garbage.pem").write_text("this is no certificate\n")
        with servers.HttpsServer(self.www, self.cert) as server:
            done, report = self.update(server.url("app2.bin"), ca=self.work / "garbage.pem")
            self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", "check the file given with --ca")
            good, other = (pathlib.Path(one.cert).read_text() for one in (self.ca, servers.make_ca(self.work, "other")))
            (self.work / "garbage.pem").write_text(other + good.replace("M", "!", 1))
            done, report = self.update(server.url("app2.bin"), "--quiet", ca=self.work / "garbage.pem")
            self.check_refused(done, report, "ESP_ERR_HTTP_CONNECT", "connect", "certificate 2 of the CA given (line ")
            (self.work / "garbage.pem").write_text(good + good.replace("M", "!", 1))
            done, _ = self.update(server.url("app2.bin"), ca=self.work / "garbage.pem")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("garbage.pem: warning: certificate 2 of the CA given (line ", done.stderr)
            done, _ = self.update(server.url("app2.bin"), ca=self.work / "missing.pem")
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
