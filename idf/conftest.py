"""For the pytest scripts of ESP-IDF's examples, run with pytest-embedded on otter's virtual device.

    export IDF_PATH=$(otter idf-path)
    cp $IDF_PATH/conftest.py my_project/
    pytest my_project --target linux --embedded-services idf

The script's project is built for each `config` that a test names (sdkconfig.ci.CONFIG), unless a build folder is given.
"""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import sys
import time

import pytest
from pytest_embedded_idf.app import IdfApp
from pytest_embedded_idf.linux import LinuxSerial

IDF_PATH = os.environ.get("IDF_PATH") or subprocess.check_output(["otter", "idf-path"], text=True).strip()
BESIDE = [os.path.normpath(os.path.join(IDF_PATH, way)) for way in ("../otter", "../../../bin/otter")]
OTTER = next((path for path in BESIDE if os.access(path, os.X_OK) and os.path.isfile(path)), "otter")
sys.path.insert(0, os.path.join(IDF_PATH, "tools", "ci", "python_packages"))


def stored_digest(app, path):
    """The SHA-256 in an image; esptool knows no chip linux."""
    return json.loads(subprocess.check_output([OTTER, "image", "info", path, "--json"], text=True))["hash"]


IdfApp.get_sha256 = stored_digest


def stop(serial):
    """Switches the device off, once what was built is in flash."""
    flashed = os.path.join(serial.app.binary_path, "flash", "flashed")
    until = time.monotonic() + 30
    while not os.path.exists(flashed) and serial.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    subprocess.Popen.terminate(serial)
    serial.wait(30)


def start(serial, *options):
    """Switches it on, with the console where it was."""
    subprocess.Popen.__init__(serial, [OTTER, "run", serial.app.binary_path, *options], bufsize=0, stdin=subprocess.PIPE,
                              stdout=serial._fw, stderr=serial._fw)


def hard_reset(serial):
    stop(serial)
    start(serial)


def erase_flash(serial):
    """What follows is flash()."""
    stop(serial)
    serial.erased = True


def flash(serial):
    if serial.poll() is None:
        stop(serial)
    start(serial, "--new" if getattr(serial, "erased", False) else "--flash")
    serial.erased = False


def erase_partition(serial, label):
    stop(serial)
    subprocess.run([OTTER, "flash", "erase", os.path.join(serial.app.binary_path, "flash", "flash.bin"), label,
                    "--table-offset", hex(serial.app.sdkconfig["PARTITION_TABLE_OFFSET"])], check=True)
    start(serial)


for does in (hard_reset, erase_flash, flash, erase_partition):  # what a serial line does for a chip
    setattr(LinuxSerial, does.__name__, does)


@pytest.fixture
def target():
    """Whatever chip a test is for: the virtual device stands for it."""
    return "linux"


@pytest.fixture
def config(request):
    return getattr(request, "param", None) or "default"


@pytest.fixture
def build_dir(request, app_path, config):
    """--build-dir, or the folder of this configuration, which is built if need be."""
    given = getattr(request, "param", None) or request.config.getoption("build_dir", None)
    if given:
        return given
    for name in (f"build_linux_{config}", f"build_{config}"):
        if os.path.isdir(os.path.join(app_path, name)):
            return name
    file = {"default": "sdkconfig.ci"}.get(config, f"sdkconfig.ci.{config}")
    options = ["--config", os.path.join(app_path, file)] if os.path.exists(os.path.join(app_path, file)) else []
    name = "build-otter" + ("" if config == "default" else f"-{config}")
    subprocess.run([OTTER, "build", app_path, "-B", os.path.join(app_path, name), *options], check=True)
    return name


def pytest_collection_modifyitems(config, items):
    """A test that is there once for each chip runs once."""
    seen, kept = set(), []
    for item in items:
        params = dict(getattr(item, "callspec", None).params) if hasattr(item, "callspec") else {}
        params.pop("target", None)
        key = (item.path, item.originalname, repr(sorted(params.items(), key=str)))
        if key not in seen:
            seen.add(key)
            kept.append(item)
    items[:] = kept
