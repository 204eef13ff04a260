#!/usr/bin/env python3
"""Does the image fit the partitions that it is for? One that none of them takes is an error, as in ESP-IDF."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import sys


def main():
    table, image = sys.argv[1:3]
    with open(table, encoding="utf-8") as f:
        apps = [p for p in json.load(f)["partitions"] if p["type"] == "app"]
    size = os.path.getsize(image)
    small = [p for p in apps if p["size"] < size]
    name = os.path.basename(image)
    if len(small) == len(apps):
        print(f"otter: {name} has {size} bytes, and the largest app partition takes {max(p['size'] for p in apps)}: make it "
              "larger in the partition table, or the app smaller (CONFIG_COMPILER_OPTIMIZATION_SIZE)")
        return 1
    if small:
        print(f"-- otter: {name} has {size} bytes, too many for " + ", ".join(p["label"] for p in small))
    return 0


if __name__ == "__main__":
    sys.exit(main())
