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

    def send_head(self, length, path="/raw", fields=b""):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.addCleanup(client.close)
        client.sendall(b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n" % (path.encode(), length, fields))
        return client

    @staticmethod
    def answer_to(client):
        """@return status and text; the connection ends with them"""
        answer = http.client.HTTPResponse(client)
        answer.begin()
        return answer.status, answer.read().decode()

    def test_slow_form_byte_by_byte_and_one_more_upload_meanwhile(self):
        good = (self.www / "app.bin").read_bytes()
        device = self.start()
        content = form(good)
        slow = self.send_head(len(content), "/form", b"Content-Type: multipart/form-data; boundary=%s\r\n" % BOUNDARY.encode())
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(600):  # the head of the part, the end of which is looked for, and of the image
            slow.sendall(content[i:i + 1])
        other = self.send_head(4000)  # the one task of handlers has the first one
        other.sendall(bytes(4000))
        slow.sendall(content[600:-60])
        for i in range(60, 0, -1):
            slow.sendall(content[len(content) - i:len(content) - i + 1])
        self.assertEqual(self.answer_to(slow)[0], 200)
        self.assertEqual(self.answer_to(other), (400, "no update: ESP_ERR_INVALID_STATE\n"))
        device.wait_for(READY)
        self.assertEqual(self.ask("GET", "/version"), (200, "2.0.0"))

    def test_lengths_that_are_not_true(self):
        good = (self.www / "app.bin").read_bytes()
        device = self.start()
        client = self.send_head(len(good) + 100)  # more than will come, and the client waits for an answer
        client.sendall(good)
        client.shutdown(socket.SHUT_WR)
        device.wait_for("no update: ESP_ERR_TIMEOUT")
        client = self.send_head(len(good) - 100)
        client.sendall(good)  # less than comes
        self.assertEqual(self.answer_to(client), (400, "no update: ESP_ERR_OTA_VALIDATE_FAILED\n"))
        for length, status in (("-1", 400), ("abc", 400), ("99999999999999999999", 413)):
            with self.subTest(length):
                self.assertEqual(self.ask("POST", "/raw", b"x" * 10, {"Content-Length": length})[0], status)
        self.assertEqual(self.ask("POST", "/raw", iter([b"chunk"]))[0], 411)  # no length at all
        self.assertEqual(self.ask("POST", "/raw", b""), (400, "no update: ESP_ERR_INVALID_ARG\n"))
        self.check_update(device, self.ask("POST", "/raw", good))

    def test_idle_clients_make_room_for_an_upload(self):
        device = self.start()
        idle = [socket.create_connection(("127.0.0.1", self.port), timeout=60) for _ in range(16)]
        self.check_update(device, self.ask("POST", "/raw", (self.www / "app.bin").read_bytes()))
        for client in idle:
            client.close()

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
