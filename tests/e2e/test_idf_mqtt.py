"""A project that is ordered its update by MQTT, through a real broker, takes it, and tells what becomes of bad orders."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import unittest

from device import in_full
from idf_project import LIMIT_S, SANITIZED, SOURCE, TOO_LARGE, ConsoleTest, Device, Project, ProjectTest, otter
from servers import Cert, make_cert

BROKER = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
CLIENT = os.path.exists("/usr/include/mosquitto.h")


def publish_packet(topic, text):
    """CONNECT and PUBLISH of MQTT 3.1.1 with quality 0, and DISCONNECT."""
    def string(value):
        return len(value).to_bytes(2, "big") + value

    def packet(kind, body):
        size, length = len(body), b""
        while True:
            size, low = divmod(size, 128)
            length += bytes([low | (0x80 if size else 0)])
            if not size:
                return bytes([kind]) + length + body
    connect = packet(0x10, string(b"MQTT") + b"\x04\x02\x00\x3c" + string(b"test"))
    return connect, packet(0x30, string(topic) + text) + b"\xe0\x00"


class Broker:
    """Of tests: self.port is where it is."""

    def start_broker(self, more=""):
        """On a port that was free a moment ago; another one, if somebody was faster."""
        for _ in range(5):
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            config = self.project.folder / "broker.conf"
            config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
                              + more)
            broker = subprocess.Popen([BROKER, "-c", str(config)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            limit = time.monotonic() + LIMIT_S
            while broker.poll() is None and time.monotonic() < limit:
                try:
                    socket.create_connection(("127.0.0.1", self.port), 5).close()
                except OSError:
                    continue
                self.addCleanup(broker.wait, LIMIT_S)
                self.addCleanup(broker.terminate)
                return
        self.fail("the broker does not start")


@unittest.skipIf(BROKER is None, "there is no broker: apt install mosquitto")
@unittest.skipUnless(CLIENT, "there is no library: apt install libmosquitto-dev")
class Mqtt(Broker, ProjectTest):
    example = "mqtt_ota"

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), LIMIT_S)

    def publish(self, text):
        connect, rest = publish_packet(b"device/update", text)
        with self.connect() as client:
            client.settimeout(LIMIT_S)
            client.sendall(connect)
            self.assertEqual(client.recv(4), b"\x20\x02\x00\x00")
            client.sendall(rest)
            self.assertEqual(client.recv(1), b"")  # the broker has read all of it

    def order(self, server, path, version):
        self.publish(json.dumps({"url": server.url(path, host="localhost"), "version": version}).encode())

    def test_takes_what_is_ordered_behind_bad_orders(self):
        self.start_broker()
        server = self.serve()
        device = Device(self.project.out, "--new", console=f"mqtt://127.0.0.1:{self.port}\n")
        self.addCleanup(device.stop)
        device.wait_for("ready for orders")
        self.publish(b"update!")
        device.wait_for("this is no order: update!")
        self.publish(b"x" * 3000)
        device.wait_for("an order of 3000 bytes is none")
        self.order(server, "app.bin", "1.0.0")
        device.wait_for("version 1.0.0 runs already")
        self.order(server, "nowhere.bin", "2.0.0")
        device.wait_for("no update: ")
        self.order(server, "app.bin", "2.0.0")
        device.wait_for("the update is in place")
        device.wait_for("mqtt_ota: version 2.0.0")
        device.wait_for("ready for orders")  # the broker is in NVS, and the subscription is what confirms

    def test_library_that_is_not_installed_is_named_with_its_package(self):
        said = self.project.refused("--build-dir", self.project.folder / "without", "-D", "otter_library_mosquitto=")
        self.assertEqual(said.splitlines()[-1], "otter build: mqtt_client.h needs a library that is not installed; on Debian: "
                         "apt install libmosquitto-dev")

    def test_broker_that_is_not_there_and_a_name_that_is_none(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        device = Device(self.project.out, "--new", console=f"mqtt://127.0.0.1:{port}\n")
        self.addCleanup(device.stop)
        device.wait_for(f"no connection to 127.0.0.1:{port}: ")
        device.wait_for(f"no connection to 127.0.0.1:{port}: ")  # it tries again
        device.stop()
        for name, why in (("ws://a", "mqtt:// and mqtts:// are what"), ("mqtt://:1", "names no host"),
                          ("mqtt://a:99999", "names no host and port")):
            device = Device(self.project.out, "--new", console=name + "\n")
            self.addCleanup(device.stop)
            device.wait_for(why)
            device.wait_for("there is no broker to listen to")
            device.stop()


@unittest.skipIf(SANITIZED, TOO_LARGE)
@unittest.skipIf(BROKER is None, "there is no broker: apt install mosquitto")
@unittest.skipUnless(CLIENT, "there is no library: apt install libmosquitto-dev")
class ClientWithACertificate(Broker, ConsoleTest):
    """A project of the tests: what waits for a connection, what the broker asks of a client, and what comes behind an end."""

    @classmethod
    def setUpClass(cls):
        cls.project = Project(None)
        cls.addClassCleanup(cls.project.remove)
        shutil.copytree(SOURCE / "tests" / "idf" / "mqtt", cls.project.path, dirs_exist_ok=True)
        folder, main = cls.project.folder, cls.project.path / "main"
        own = make_cert(folder, ["device"], ca=Cert(folder / "ca.pem", folder / "ca.key"), name="own")
        shutil.copy(folder / "ca.pem", main / "ca.pem")
        shutil.copy(own.cert, main / "own.pem")
        subprocess.run(["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:secret", "-in", own.key, "-out",
                        main / "own.key"], check=True, capture_output=True)

    def check(self, *options):
        cert, ca = self.project.cert, self.project.folder / "ca.pem"
        self.start_broker(f"user root\ncertfile {cert.cert}\nkeyfile {cert.key}\ncafile {ca}\nrequire_certificate true\n")
        self.project.build(*options)
        done = otter("run", self.project.out, "--new", "--until", "all is said", "--max-seconds", "60",
                     input=f"mqtts://localhost:{self.port}\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_lines((
            "several protocols by ALPN", "asks for web sockets", "key in hardware",
            "two protocols 1, web socket 1, secure element 1\n",
            "outbox.limit is reached", "queued 1, 13 bytes wait, then -2, without quality -1\n", "connected\n",
            "published, 0 bytes wait\n", "my own event 7 of this client\n", "configured while it runs 0xffffffff, nobody 0x102\n",
            "subscribed 1\n", "data device/b: back\n", "disconnected, again 0x0\n", "connected\n"), done.stdout)
        self.assertNotIn("\nno ", done.stdout)

    def test_has_what_waits_delivered_and_connects_again(self):
        self.check()

    @in_full
    def test_so_it_does_under_the_sanitizers(self):
        for sanitizer in ("address,undefined", "thread"):
            with self.subTest(sanitizer):
                self.check("--sanitize", sanitizer)


FLAT = """
static esp_err_t on_any(esp_mqtt_event_handle_t event)
{
    on_event(event->user_context, "MQTT_EVENTS", event->event_id, event);
    return ESP_OK;
}

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

esp_err_t orders_start(const char *broker, orders_update_t update)
{
    const esp_mqtt_client_config_t config = {
        .uri = broker, .cert_pem = ca_pem_start, .event_handle = on_any, .client_id = "flat", .reconnect_timeout_ms = 2000,
        .lwt_topic = TOPIC_STATUS, .lwt_msg = "{\\"state\\":\\"gone\\"}", .lwt_qos = 1, .lwt_retain = 1,
    };
    on_update = update;
    client = esp_mqtt_client_init(&config);
    return client != NULL ? esp_mqtt_client_start(client) : ESP_ERR_INVALID_ARG;
}
"""


@in_full
class FlatOverTls(Mqtt):
    """The same client, configured in the shape of ESP-IDF 4, and a broker with a certificate."""

    @classmethod
    def prepare(cls):
        orders = cls.project.path / "main" / "orders.c"
        text = orders.read_text(encoding="utf-8")
        orders.write_text(text[:text.index("esp_err_t orders_start(")] + FLAT, encoding="utf-8")

    def connect(self):
        context = ssl.create_default_context(cafile=self.project.folder / "ca.pem")
        return context.wrap_socket(super().connect(), server_hostname="localhost")

    def test_takes_what_is_ordered_behind_bad_orders(self):
        cert = self.project.cert
        self.start_broker(f"user root\ncertfile {cert.cert}\nkeyfile {cert.key}\n")
        server = self.serve()
        device = Device(self.project.out, "--new", console=f"mqtts://localhost:{self.port}\n")
        self.addCleanup(device.stop)
        device.wait_for("ready for orders")
        self.order(server, "app.bin", "2.0.0")
        device.wait_for("mqtt_ota: version 2.0.0")
        device.wait_for("ready for orders")

    def test_broker_that_is_not_there_and_a_name_that_is_none(self):
        """Here: a broker that shows a certificate for another name."""
        folder = self.project.folder
        cert = make_cert(folder, ["elsewhere"], ca=Cert(folder / "ca.pem", folder / "ca.key"), name="elsewhere")
        self.start_broker(f"user root\ncertfile {cert.cert}\nkeyfile {cert.key}\n")
        device = Device(self.project.out, "--new", console=f"mqtts://localhost:{self.port}\n")
        self.addCleanup(device.stop)
        device.wait_for(f"no connection to localhost:{self.port}: ")


if __name__ == "__main__":
    unittest.main()
