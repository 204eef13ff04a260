#!/usr/bin/env python3
"""Writes what the build folder says of the flash: flasher_args.json, project_description.json, the initial otadata."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import json
import os
import sys

import kconfig
from trouble import Trouble


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("build", "project", "name", "version", "idf", "otter", "components"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--file", action="append", default=[], help="OFFSET=IMAGE=NAME, what else goes into the flash")
    return parser.parse_args()


def app_place(partitions):
    """Where the app goes that boots first: the factory partition, or else the first slot."""
    apps = {p["subtype"]: p for p in partitions if p["type"] == "app"}
    for subtype in ("factory", "ota_0"):
        if subtype in apps:
            return apps[subtype]
    raise Trouble("the partition table has neither a factory partition nor ota_0: the app has no place")


def is_encrypted(name, offset, partitions):
    """What lies encrypted in the flash of a chip with flash encryption: what boots, and partitions that say so."""
    return name in ("bootloader", "partition-table", "otadata") or any(
        p["offset"] <= offset < p["offset"] + p["size"] and (p["type"] == "app" or "encrypted" in p["flags"]) for p in partitions)


def flash_files(args, sdkconfig, partitions):
    """[(name, offset, path relative to the build folder)]"""
    found = [("bootloader", sdkconfig["BOOTLOADER_OFFSET_IN_FLASH"], "bootloader/bootloader.bin"),
             ("partition-table", sdkconfig["PARTITION_TABLE_OFFSET"], "partition_table/partition-table.bin"),
             ("app", app_place(partitions)["offset"], args.name + ".bin")]
    for partition in partitions:
        if (partition["type"], partition["subtype"]) == ("data", "ota"):
            found.append(("otadata", partition["offset"], "ota_data/ota_data_initial.bin"))
            path = os.path.join(args.build, "ota_data", "ota_data_initial.bin")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(b"\xff" * partition["size"])
    for text in args.file:
        offset, path, name = text.split("=")
        found.append((name, int(offset, 0), os.path.relpath(path, args.build)))
    return found


def flasher_args(files, sdkconfig, partitions):
    settings = {"flash_mode": sdkconfig["ESPTOOLPY_FLASHMODE"], "flash_size": sdkconfig["ESPTOOLPY_FLASHSIZE"],
                "flash_freq": sdkconfig["ESPTOOLPY_FLASHFREQ"]}
    content = {"write_flash_args": [word for key, value in settings.items() for word in ("--" + key, value)],
               "flash_settings": settings,
               "flash_files": {hex(offset): path for _, offset, path in sorted(files, key=lambda f: f[1])}}
    for name, offset, path in files:
        encrypted = sdkconfig.get("SECURE_FLASH_ENC_ENABLED", False) and is_encrypted(name, offset, partitions)
        content[name] = {"offset": hex(offset), "file": path, "encrypted": "true" if encrypted else "false"}
    content["extra_esptool_args"] = {"after": "hard_reset", "before": "default_reset", "stub": True, "chip": "linux"}
    return content


def description(args):
    return {"version": "1.2", "project_name": args.name, "project_version": args.version, "project_path": args.project,
            "idf_path": args.idf, "build_dir": args.build, "config_file": os.path.join(args.build, "sdkconfig"),
            "bootloader_elf": "", "app_elf": args.name + ".elf", "app_bin": args.name + ".bin", "build_type": "flash_app",
            "git_revision": "", "target": "linux", "rev": "", "min_rev": "0", "max_rev": "65535", "phy_data_partition": "",
            "monitor_baud": "115200", "monitor_toolprefix": "", "config_environment": {}, "common_component_reqs": [],
            "build_components": args.components.split(";"), "otter": args.otter}


def main():
    args = read_arguments()
    try:
        with open(os.path.join(args.build, "config", "sdkconfig.json"), encoding="utf-8") as f:
            sdkconfig = json.load(f)
        with open(os.path.join(args.build, "config", "table.json"), encoding="utf-8") as f:
            partitions = json.load(f)["partitions"]
        files = flash_files(args, sdkconfig, partitions)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    for name, content in (("flasher_args.json", flasher_args(files, sdkconfig, partitions)),
                          ("project_description.json", description(args))):
        kconfig.write_if_changed(os.path.join(args.build, name), json.dumps(content, indent=4) + "\n")
    link_command(args)
    return 0


def link_command(args):
    """config/otter is the command that built this: with it the program starts when somebody starts it as it lies there."""
    link = os.path.join(args.build, "config", "otter")
    if not os.path.islink(link) or os.readlink(link) != args.otter:
        if os.path.lexists(link):
            os.remove(link)
        os.symlink(args.otter, link)


if __name__ == "__main__":
    sys.exit(main())
