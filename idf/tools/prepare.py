#!/usr/bin/env python3
"""What project() has decided before the compiler runs: which components are built, in which order, with which options."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import os
import re
import sys
import traceback

import kconfig
import platformio
from components import absent_submodules, Finder, scan
from idf_names import ABSENT, IN_LIBRARY
from implied import add_implied
from trouble import Trouble, short

CXX_SUFFIXES = (".cpp", ".cc", ".cxx", ".c++", ".C")
OLD_EVENTS = re.compile(rb"\b(esp_event_loop_init|tcpip_adapter_init)\s*\(")


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("idf", "project", "build", "cmake", "target", "idf-version"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--extra", action="append", default=[], help="a path of EXTRA_COMPONENT_DIRS")
    parser.add_argument("--component", action="append", default=[], help="of COMPONENTS: build these and what they require")
    parser.add_argument("--defaults", action="append", default=[], help="a file of SDKCONFIG_DEFAULTS")
    parser.add_argument("--sdkconfig", default="", help="the project's own sdkconfig; it is only read")
    parser.add_argument("--go-on", action="store_true", help="tell of all that is missing, instead of the first of it")
    parser.add_argument("--minimal", action="store_true", help="MINIMAL_BUILD")
    return parser.parse_args()


def find_components(args, notes, settings):
    missing = []
    finder = Finder(args.project, args.idf, IN_LIBRARY | ABSENT)
    finder.add_ours()
    finder.add_extra(args.extra)
    finder.add_local()
    if settings:
        finder.add_platformio(settings, args.build)
    if "main" not in finder.found and not args.component:
        raise Trouble("there is no folder main/ with a CMakeLists.txt: the project's app_main() belongs there "
                      "(or set COMPONENTS before project())")
    finder.add_dependencies(lambda name, manifest: missing.append((name, manifest)))
    notes += finder.notes
    for name, manifest in missing:
        finder.missing.append(f"component {name}: {short(manifest, args.project)}")
        notes.append(f"{short(manifest, args.project)}: '{name}' is of the component registry, which is not asked: put it into "
                     f"components/, or say where it is:  {name}: {{path: FOLDER}}")
    scan(list(finder.found.values()), args.cmake, args.build,
         {"project_dir": args.project, "idf_path": args.idf, "idf_target": args.target, "build_dir": args.build})
    finder.resolve_names()
    if not args.minimal:
        add_implied(finder.found, notes, settings is not None)
    return finder


def choose(finder, args, notes):
    """The names of what is built, each behind what it requires."""
    found, order, state, absent = finder.found, [], {}, {}
    start = ["newlib", *(args.component or ["main"])]
    if not args.component and not args.minimal:
        start += [c.name for c in found.values() if not c.ours and c.name != "main"]
    main = found.get("main")
    if main and not main.says_requires and not args.minimal:
        main.private += [c.name for c in found.values() if c.name != "main" and (not args.component or c.ours)]

    def visit(name, by):
        component = found.get(name)
        if component is None:
            if name in ABSENT:
                absent.setdefault(name, by)
            elif name not in IN_LIBRARY and args.go_on:
                finder.missing.append(f"component {name}: required by {by}")
            elif name not in IN_LIBRARY:
                raise Trouble(f"component '{name}', which {by} requires, is not there: put it into components/, or name its "
                              "folder in EXTRA_COMPONENT_DIRS or with path: in idf_component.yml" +
                              absent_submodules(args.project))
            return
        if name in state:
            return
        state[name] = True
        for required in component.requires + component.private:
            visit(required, f"component '{name}' ({short(component.folder, args.project)}/CMakeLists.txt)")
        order.append(name)

    for name in start:
        visit(name, "COMPONENTS" if args.component else "the project")
    if absent:
        notes.append("nothing is here of " + ", ".join(sorted(absent)) + ": what is used of it does not compile")
    return order


def has_old_events(finder, order):
    """Whether a component of the project calls what ESP-IDF 3 and 4 had for events and interfaces."""
    for component in (finder.found[name] for name in order):
        for folder, _, names in os.walk(component.folder) if not component.ours else ():
            for name in names:
                if name.endswith((".c", *CXX_SUFFIXES)):
                    with open(os.path.join(folder, name), "rb") as f:
                        if OLD_EVENTS.search(f.read()):
                            return True
    return False


def load_options(finder, order, args, notes, settings):
    """All options, from the defaults, the project's sdkconfig and what `otter menuconfig` has changed."""
    os.environ.update(IDF_PATH=args.idf, IDF_TARGET=args.target, IDF_VERSION=args.idf_version, PROJECT_DIR=args.project,
                      OTTER_OLD_EVENTS="y" if has_old_events(finder, order) else "n")
    files = {name: [p for p in (finder.found[c].file(name) for c in order) if p]
             for name in ("Kconfig", "Kconfig.projbuild", "sdkconfig.rename")}
    root = os.path.join(args.build, "config", "Kconfig")
    kconfig.write_if_changed(root, kconfig.root_file(args.idf, files["Kconfig"], files["Kconfig.projbuild"]))
    renames = [os.path.join(args.idf, "tools", "sdkconfig.rename"), *files["sdkconfig.rename"]]
    options = kconfig.Options(root, renames, args.project)
    inputs = [path for path in [*args.defaults, args.sdkconfig] if path]
    for path in inputs:
        options.load(path)
    if settings:
        settings.apply(options)
    options.check_ranges()
    own, base = os.path.join(args.build, "sdkconfig"), os.path.join(args.build, "config", "sdkconfig.base")
    base_text = kconfig.as_sdkconfig(options)
    for name, value in changed_by_hand(own, base):
        options.set(name, value, short(own, args.project))
    options.check_ranges()
    kconfig.write_if_changed(base, base_text)
    tell_unknown(options, notes)
    return options, [*options.kconf.kconfig_filenames, *renames, *inputs, own]


def changed_by_hand(own, base):
    """[(name, value)] that stand in our sdkconfig and were not put there by a build."""
    if not os.path.exists(own) or not os.path.exists(base):
        return []
    before = {name: value for _, name, value in kconfig.read_assignments(base)}
    return [(name, value) for _, name, value in kconfig.read_assignments(own) if before.get(name) != value]


def tell_unknown(options, notes):
    """Of the files that set options: lines that set none, and options that nobody has."""
    if options.odd:
        notes.append("left out, since an option is set by a line CONFIG_NAME=VALUE: " +
                     ", ".join(options.odd[:kconfig.LEFT_OUT_MAX]))
    names = sorted(options.unknown)
    if names:
        more = f" and {len(names) - kconfig.LEFT_OUT_MAX} more" if len(names) > kconfig.LEFT_OUT_MAX else ""
        notes.append("nothing here reads " + ", ".join("CONFIG_" + n for n in names[:kconfig.LEFT_OUT_MAX]) + more +
                     ": left out")


def write_components(finder, order, watched, notes, args, settings):
    languages = ["C"]
    if any(s.endswith(CXX_SUFFIXES) for name in order for s in finder.found[name].sources):
        languages.append("CXX")
    if any(s.endswith((".S", ".s")) for name in order for s in finder.found[name].sources):
        languages.append("ASM")
    lines = ["# What project() builds, in order.", f"set(otter_components {';'.join(order)})",
             f"set(otter_languages {';'.join(languages)})"]
    for name in order:
        component = finder.found[name]
        lines.append(f"set(otter_dir_{name} [=[{component.folder}]=])")
        for key, names in (("requires", component.requires), ("private", component.private)):
            kept = [n for n in dict.fromkeys(names) if n in finder.found and n != name]
            lines.append(f"set(otter_{key}_{name} {';'.join(kept)})")
    lines.append("set(otter_watched " + "\n    ".join(f"[=[{path}]=]" for path in [*watched, *finder.read]) + ")")
    lines += settings.cmake() if settings else []
    lines += [f"otter_note([=[{note}]=])" for note in notes]
    kconfig.write_if_changed(os.path.join(args.build, "config", "components.cmake"), "\n".join(lines) + "\n")


def prepare(args):
    notes = []
    os.makedirs(os.path.join(args.build, "config"), exist_ok=True)
    settings = platformio.read(args.project)
    finder = find_components(args, notes, settings)
    order = choose(finder, args, notes)
    options, watched = load_options(finder, order, args, notes, settings)
    if settings:
        watched.append(os.path.join(args.project, platformio.NAME))
        notes += settings.notes
    write_components(finder, order, watched, notes, args, settings)
    for name, text in (("config/missing", "".join(line + "\n" for line in sorted(set(finder.missing)))),
                       ("config/sdkconfig.h", kconfig.as_header(options)), ("config/sdkconfig.json", kconfig.as_json(options)),
                       ("config/sdkconfig.cmake", kconfig.as_cmake(options)), ("sdkconfig", kconfig.as_sdkconfig(options))):
        kconfig.write_if_changed(os.path.join(args.build, name), text)


def main():
    try:
        prepare(read_arguments())
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except Exception as error:  # pylint: disable=broad-except  # a page of Python tells its reader nothing of the project
        where = traceback.extract_tb(error.__traceback__)[-1]
        print(f"otter meets something in this project that it does not know ({type(error).__name__}: {error}, in "
              f"{os.path.basename(where.filename)}:{where.lineno}): please report it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
