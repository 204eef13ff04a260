"""A project with a web page takes its update there, as a form and as a bare body, and refuses what is none."""
# SPDX-License-Identifier: Apache-2.0

import http.client
import socket
import unittest

from device import in_full
from idf_project import Device, ProjectTest

READY = "ready for an update"
BOUNDARY = "----formBoundary7MA4YW"


def form(content, boundary=BOUNDARY):
    """What a browser makes of a form with one file."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.bin"\r\n' \
           "Content-Type: application/octet-stream\r\n\r\n"
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


class Web(ProjectTest):
    example = "web_ota"

    def start(self, *options):
        device = Device(self.project.out, "--new", "--port", "80=0", *options)
        self.addCleanup(device.stop)
        self.port = int(device.wait_for(r"port 80 of the device is http://127\.0\.0\.1:(\d+)")[1])
        device.wait_for(READY)
        return device

    def ask(self, method, path, body=None, fields=None):
        """@return status and text of the answer"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, fields or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def post_form(self, content, boundary=BOUNDARY):
        return self.ask("POST", "/form", content, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def check_update(self, device, answer):
        self.assertEqual(answer, (200, "The update is in place, and the device restarts.\n"))
        device.wait_for(READY)
        self.assertEqual(self.ask("GET", "/version"), (200, "2.0.0"))

    def test_page_and_a_raw_upload(self):
        device = self.start()
        status, page = self.ask("GET", "/")
        self.assertEqual((status, page[:15]), (200, "<!DOCTYPE html>"))
        self.assertEqual(self.ask("GET", "/version?x=1"), (200, "1.0.0"))
        self.assertEqual(self.ask("GET", "/nowhere")[0], 404)
        self.assertEqual(self.ask("POST", "/version", b"x")[0], 405)
        self.assertEqual(self.ask("GET", "/" + "a" * 600)[0], 414)
        self.assertEqual(self.ask("GET", "/", fields={"X-Long": "a" * 2000})[0], 431)
        self.check_update(device, self.ask("POST", "/raw", (self.www / "app.bin").read_bytes()))

    def test_form_upload_behind_bad_ones(self):
        good = (self.www / "app.bin").read_bytes()
        device = self.start()
        invalid = (400, "no update: ESP_ERR_INVALID_ARG\n")
        self.assertEqual(self.ask("POST", "/form", good), invalid)
        self.assertEqual(self.post_form(form(good), boundary="x" * 71), invalid)
        self.assertEqual(self.post_form(form(good)[:-40]), (400, "no update: ESP_ERR_INVALID_SIZE\n"))
        self.assertEqual(self.post_form(form(b"")), (400, "no update: ESP_ERR_INVALID_ARG\n"))
        self.assertEqual(self.ask("POST", "/raw", b"\xe9" * 5000)[0], 400)
        spoilt = good[:-1] + bytes([good[-1] ^ 1])
        self.assertEqual(self.ask("POST", "/raw", spoilt), (400, "no update: ESP_ERR_OTA_VALIDATE_FAILED\n"))
        self.check_update(device, self.post_form(form(good)))

    def test_client_that_goes_in_the_middle_leaves_the_server_to_others(self):
        good = (self.www / "app.bin").read_bytes()
        device = self.start()
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as client:
            client.sendall(b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(good) + good[:100000])
        device.wait_for("no update: ESP_ERR_TIMEOUT")
        self.assertEqual(self.ask("GET", "/version"), (200, "1.0.0"))
        self.check_update(device, self.ask("POST", "/raw", good))

    @in_full
    def test_port_that_is_taken_is_told_with_the_way_out(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            device = Device(self.project.out, "--new", "--port", f"80={port}", "--boots", "1")
            self.addCleanup(device.stop)
            device.wait_for(rf"port 80 of the device is 127\.0\.0\.1:{port} of this machine, which cannot be had "
                            r"\(Address already in use\): `otter run --port 80=8080` gives it another one")


if __name__ == "__main__":
    unittest.main()
