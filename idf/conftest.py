"""For the pytest scripts of ESP-IDF's examples, run with pytest-embedded on otter's virtual device.

    export IDF_PATH=$(otter idf-path)
    cp $IDF_PATH/conftest.py my_project/
    pytest my_project --target linux --embedded-services idf

The script's project is built for each `config` that a test names (sdkconfig.ci.CONFIG), unless a build folder is given.
"""
# SPDX-License-Identifier: Apache-2.0
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
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


def stamp_of(app):
    """It is there once what was built is in flash."""
    return os.path.join(app.binary_path, "flash", "flashed")


def wait_flashed(serial):
    """As with a serial line: what a test does comes when its device has been flashed."""
    until = time.monotonic() + 30
    while not os.path.exists(stamp_of(serial.app)) and serial.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


def stop(serial):
    """Switches the device off."""
    subprocess.Popen.terminate(serial)
    serial.wait(30)


def start(serial, *options):
    """Switches it on, with the console where it was."""
    subprocess.Popen.__init__(serial, [OTTER, "run", serial.app.binary_path, *options], bufsize=0, stdin=subprocess.PIPE,
                              stdout=serial._fw, stderr=serial._fw)
    wait_flashed(serial)


def begin(serial, app, begin_serial=LinuxSerial.__init__, **kwargs):
    """The first start, by the program in the build folder."""
    if os.path.exists(stamp_of(app)):
        os.remove(stamp_of(app))
    begin_serial(serial, app, **kwargs)
    wait_flashed(serial)


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


def bootloader_flash(serial):
    """Of partitions_ota: all else follows by write_flash_no_enc(), and the bootloader with it."""


def write_flash_no_enc(serial):
    flash(serial)


LinuxSerial.__init__ = begin
# What a serial line does for a chip, and the one of partitions_ota.
for does in (hard_reset, erase_flash, flash, erase_partition, bootloader_flash, write_flash_no_enc):
    setattr(LinuxSerial, does.__name__, does)


@pytest.fixture
def target():
    """Whatever chip a test is for: the virtual device stands for it."""
    return "linux"


@pytest.fixture
def config(request):
    return getattr(request, "param", None) or "default"


def options_of(app_path, config):
    """The file of a configuration; ESP-IDF's builds put a target behind the name of some."""
    name = {"default": "sdkconfig.ci"}.get(config, f"sdkconfig.ci.{config}")
    found = [os.path.join(app_path, name)] + sorted(glob.glob(os.path.join(app_path, name + "_*")))
    return next((["--config", path] for path in found if os.path.isfile(path)), [])


def chip_revision(request):
    """A test for qemu has the eFuses of its chip in a file: "revision=3", or nothing of other tests."""
    arguments = getattr(request.node, "callspec", None) and request.node.callspec.params.get("qemu_extra_args")
    file = re.search(r"file=([^,]*efuse[^,]*)", str(arguments or ""))
    if not file:
        return ""
    with tempfile.TemporaryDirectory() as temp, open(file.group(1), "rb") as f:
        dump = os.path.join(temp, "dump.bin")
        with open(dump, "wb") as out:
            out.write(f.read(336))  # qemu's file is longer than the blocks of a chip
        subprocess.run([OTTER, "efuse", "import", os.path.join(temp, "flash.bin"), dump, "--chip", "esp32c3"], check=True)
        with open(os.path.join(temp, "flash.bin.efuse"), encoding="utf-8") as said:
            return re.search(r"^revision=.*$", said.read(), re.M).group()


def take_revision(folder, revision, options):
    """The device has this revision, and as an app for that chip this one needs it. @return the options of `otter build`"""
    os.makedirs(os.path.join(folder, "flash"), exist_ok=True)
    with open(os.path.join(folder, "flash", "flash.bin.efuse"), "w", encoding="utf-8") as efuse:
        efuse.write(f"chip=linux\n{revision}\n")
    file = os.path.join(folder, "flash", "sdkconfig.ci")
    with open(file, "w", encoding="utf-8") as out:
        for path in options[1:]:
            with open(path, encoding="utf-8") as f:
                out.write(f.read())
        out.write(f"\nCONFIG_ESP_REV_MIN_FULL={revision.partition('=')[2]}\nCONFIG_ESP_REV_MAX_FULL=199\n")
    return ["--config", file]


@pytest.fixture
def build_dir(request, app_path, config, monkeypatch):
    """--build-dir, or the folder of this configuration, which is built if need be."""
    given = getattr(request, "param", None) or request.config.getoption("build_dir", None)
    if given:
        return given
    if "resumption" in config:  # the test resets the device in the middle of a download: it lasts as long as a chip's
        monkeypatch.setenv("OTTER_NET_RATE", "20000")
    for name in (f"build_linux_{config}", f"build_{config}"):
        if os.path.isdir(os.path.join(app_path, name)):
            return name
    name = "build-otter" + ("" if config == "default" else f"-{config}")
    folder = os.path.join(app_path, name)
    options, revision = options_of(app_path, config), chip_revision(request)
    if revision:
        options = take_revision(folder, revision, options)
    for image in glob.glob(os.path.join(folder, "*.bin")):  # a test before may have changed it
        os.remove(image)
    subprocess.run([OTTER, "build", app_path, "-B", folder, *options], check=True)
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
