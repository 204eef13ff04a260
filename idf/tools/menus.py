#!/usr/bin/env python3
"""otter menuconfig: changes build-otter/sdkconfig, by kconfiglib's menus."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import os
import sys

import kconfig
from trouble import Trouble


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("idf", "project", "build"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    own = os.path.join(args.build, "sdkconfig")
    os.environ.update(IDF_PATH=args.idf, IDF_TARGET="linux", IDF_VERSION="5.5.0", PROJECT_DIR=args.project, KCONFIG_CONFIG=own,
                      MENUCONFIG_STYLE="default")
    try:
        options = kconfig.Options(os.path.join(args.build, "config", "Kconfig"), [], args.project)
    except Trouble as trouble:
        print(f"otter: {trouble}", file=sys.stderr)
        return 1
    import menuconfig  # of kconfiglib
    menuconfig.menuconfig(options.kconf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
