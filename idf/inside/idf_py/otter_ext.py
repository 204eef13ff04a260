"""idf.py otter-run: build for linux with otter's components, and start `otter run`. Read by IDF_EXTRA_ACTIONS_PATH."""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import otter_checkout  # noqa: E402

COMPONENTS = pathlib.Path(__file__).resolve().parent.parent

# Options of `otter run` that take a value, and those that do not.
VALUES = ("boots", "cut-after", "cut-at", "flash-speed", "link", "watchdog", "until", "max-seconds", "expect", "gpio", "env")
FLAGS = ("new", "flash", "cut-list", "fast")


def otter_run(action, ctx, args, **options):
    """The callback: idf.py calls it with its own arguments and ours."""
    from idf_py_actions.errors import FatalError
    from idf_py_actions.tools import ensure_build_directory, run_target
    why = otter_checkout.complaint(os.environ["IDF_PATH"]) or otter_checkout.own_components(args.project_dir)
    if why:
        raise FatalError(why)
    args.preview = True
    args.define_cache_entry = [*args.define_cache_entry, f"EXTRA_COMPONENT_DIRS={COMPONENTS}", "IDF_TARGET=linux"]
    os.environ["IDF_TARGET"] = "linux"
    ensure_build_directory(args, ctx.info_name)
    run_target("all", args)
    cache = (pathlib.Path(args.build_dir) / "CMakeCache.txt").read_text(encoding="utf-8")
    command = [re.search(r"^OTTER:\w+=(.+)$", cache, re.MULTILINE)[1], "run", args.build_dir]
    for name in VALUES:
        if options[name.replace("-", "_")] is not None:
            command += [f"--{name}", options[name.replace("-", "_")]]
    command += [f"--{name}" for name in FLAGS if options[name.replace("-", "_")]]
    status = subprocess.call(command)
    if status:
        sys.exit(status)


def action_extensions(base_actions, project_path):
    """What idf.py asks of each file in IDF_EXTRA_ACTIONS_PATH."""
    options = [{"names": [f"--{name}"], "help": f"as of `otter run`, which see: --{name}"} for name in VALUES]
    options += [{"names": [f"--{name}"], "help": f"as of `otter run`, which see: --{name}", "is_flag": True} for name in FLAGS]
    return {"actions": {"otter-run": {
        "callback": otter_run,
        "short_help": "Build for linux and run it as a virtual device.",
        "help": "Builds the project for linux with ESP-IDF's own update code (otter's components), makes its flash file, and "
                "starts `otter run` on the build folder.",
        "options": options}}}
