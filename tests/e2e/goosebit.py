"""A goosebit of the Python package index, unmodified, on 127.0.0.1, with the plug-in of examples/fleet for raw images."""
# SPDX-License-Identifier: Apache-2.0

import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.request

from device import SOURCE
from servers import end_process

PROGRAM = shutil.which("goosebit-uvicorn")  # ./dev setup goosebit
START_S = 60


class Goosebit:
    def __init__(self, folder, cert, ca, **settings):
        self.folder = pathlib.Path(folder)
        self.bin = pathlib.Path(PROGRAM).resolve().parent
        self.images = self.folder / "images"
        self.images.mkdir()
        (self.folder / "artifacts").mkdir()
        self.context = ssl.create_default_context(cafile=ca.cert)
        package = next((self.bin.parent / "lib").glob("python3*/site-packages/goosebit"))
        (self.folder / "pyproject.toml").write_text(
            f'[tool.aerich]\ntortoise_orm = "goosebit.db.config.TORTOISE_CONF"\nlocation = "{package}/db/migrations"\n'
            f'src_folder = "{package}"\n')
        self.environment = {**os.environ, "GOOSEBIT_DB_URI": f"sqlite://{self.folder}/db.sqlite3",
                            "GOOSEBIT_ARTIFACTS_DIR": str(self.folder / "artifacts"), "GOOSEBIT_PLUGINS": '["otter_images"]',
                            "OTTER_IMAGES": str(self.images), "PYTHONPATH": str(self.folder / "plugins"),
                            "PYTHONDONTWRITEBYTECODE": "1", "OTEL_SDK_DISABLED": "true", **settings}
        # As docs/FLEET.md has it; from a copy, as the build leaves things beside its sources.
        shutil.copytree(SOURCE / "examples" / "fleet" / "goosebit_plugin", self.folder / "plugin")
        self.run(["pip", "install", "-q", "--no-index", "--no-build-isolation", "--no-deps", "--target",
                  self.folder / "plugins", self.folder / "plugin"])
        self.run(["aerich", "upgrade"])
        self.log = []
        # It does not tell a port that the system has chosen, so it is given one that listens already; requests wait there.
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            self.url = f"https://127.0.0.1:{listener.getsockname()[1]}"
            self.process = subprocess.Popen(
                [self.bin / "uvicorn", "goosebit:app", "--fd", str(listener.fileno()), "--ssl-certfile", cert.cert,
                 "--ssl-keyfile", cert.key],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, pass_fds=[listener.fileno()])
        self.thread = threading.Thread(target=lambda: self.log.extend(self.process.stdout), daemon=True)
        self.thread.start()
        try:  # the first administrator, as its page would make it
            self.bearer = self.ask("POST", "/setup", form="username=a&password=b")["access_token"]
        except OSError as error:
            self.stop()
            raise RuntimeError("goosebit does not start:\n" + "".join(self.log)) from error

    def run(self, command):
        done = subprocess.run([self.bin / command[0], *command[1:]], cwd=self.folder, env=self.environment, text=True,
                              capture_output=True, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")

    def stop(self):
        end_process(self.process)
        self.thread.join(10)
        self.process.stdout.close()

    def ask(self, method, path, body=None, form=None, token=None):
        """As its administrator; with `token` as the device that has it."""
        who = f"TargetToken {token}" if token else f"Bearer {self.bearer}" if form is None else None
        headers = {"Authorization": who} if who else {}
        data = form.encode() if form is not None else json.dumps(body).encode() if body is not None else None
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=START_S, context=self.context) as answer:
            return json.load(answer)

    def devices(self):
        """What the server believes: {id: its row}."""
        return {row["id"]: row for row in self.ask("GET", "/api/v1/devices")["devices"]}

    def register(self, *devices, token):
        self.ask("PUT", "/api/v1/devices", {"devices": devices, "auth_token": token})

    def force(self, *devices):
        self.ask("PATCH", "/api/v1/devices", {"devices": devices, "force_update": True})

    def story(self, device):
        """What the device has told of its last action."""
        return self.ask("GET", f"/api/v1/devices/{device}/log")["log"]
