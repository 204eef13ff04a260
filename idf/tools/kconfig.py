"""The options of a project: ESP-IDF's Kconfig files and sdkconfig files, by kconfiglib; sdkconfig.h and its kin come out."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import re

from trouble import Trouble, short

try:
    import kconfiglib
except ImportError:
    kconfiglib = None

ASSIGNED = re.compile(r"^\s*CONFIG_(\w+)\s*=(.*)$")
COMMENT = re.compile(r"^\s*(#.*)?$")
IS_NOT_SET = re.compile(r"^\s*# CONFIG_(\w+) is not set\s*$")
LEFT_OUT_MAX = 8  # names in the line that tells of options that nothing reads


def without_comment(value):
    """What stands behind y, n or a number, as ESP-IDF's own files have it."""
    return value if value.startswith('"') else value.split("#")[0].rstrip()


def read_assignments(path, odd=None):
    """[(line number, name, value as written)]; what is not set is "n". @param odd  takes the numbers of lines that say nothing"""
    found = []
    with open(path, encoding="utf-8", errors="replace") as f:
        for number, line in enumerate(f, 1):
            match = ASSIGNED.match(line)
            if match:
                found.append((number, match.group(1), without_comment(match.group(2).strip())))
            elif IS_NOT_SET.match(line):
                found.append((number, IS_NOT_SET.match(line).group(1), "n"))
            elif odd is not None and not COMMENT.match(line.lstrip("\ufeff")):
                odd.append(number)
    return found


def read_renames(paths):
    """{old name: (new name, True if it means the opposite)}"""
    renames = {}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.split("#")[0].split()
                if len(words) == 2:
                    renames[words[0].removeprefix("CONFIG_")] = (words[1].lstrip("!").removeprefix("CONFIG_"),
                                                                 words[1].startswith("!"))
    return renames


def root_file(idf, sources, projbuilds):
    """The text of the file that all others hang on."""
    lines = ['mainmenu "otter: options of the project"', f'source "{idf}/Kconfig"', 'menu "Component config"']
    lines += [f'source "{path}"' for path in sources]
    return "\n".join([*lines, "endmenu", *(f'source "{path}"' for path in projbuilds)]) + "\n"


def read_kconfig(root):
    """The tree of options. ESP-IDF's reader takes a help text in a menu, which this one has no place for."""
    class Reader(kconfiglib.Kconfig):
        def _parse_help(self, node):
            if not hasattr(node, "help"):
                node.help = None
            super()._parse_help(node)

    return Reader(root, warn=True, warn_to_stderr=False, suppress_traceback=False)


class Options:
    """All options with their values."""

    def __init__(self, root, renames, project):
        if kconfiglib is None:
            raise Trouble("Python's kconfiglib is missing, which reads Kconfig files; on Debian: apt install python3-kconfiglib")
        self.project, self.renames = project, read_renames(renames)
        self.unknown, self.where = {}, {}  # {name: where it was set}
        self.odd = []  # places of lines that say nothing
        try:
            self.kconf = read_kconfig(root)
        except kconfiglib.KconfigError as error:
            raise Trouble(self._one_line(str(error))) from None
        except RecursionError:
            raise Trouble("the Kconfig files need each other in a circle") from None

    def _one_line(self, text):
        """What kconfiglib says of a file, in one line."""
        if text.strip().startswith("Dependency loop"):
            names = re.findall(r"^(?:\.\.\.)?(?:the choice symbol |the choice )?(\w+) \(defined at ([^)]*)\)", text, re.M)
            names += re.findall(r"\b(\w+) \(defined at ([^)]*)\)", text)
            where = ", ".join(dict.fromkeys(f"{name} ({short(place.split(',')[0], self.project)})" for name, place in names))
            return f"Kconfig: these options depend on each other in a circle: {where}: let one of them not depend on the next"
        text = " ".join(text.split()).replace(self.project.rstrip("/") + "/", "")
        # The reader's own advice is on Linux's build; what it can be here is a wrong path or an unset variable in it.
        text = re.sub(r"not found (\(in .*?\))\. Check that .*",
                      r"not found \1: correct the path, or set the variable in it", text)
        return "Kconfig: " + re.sub(r"Check that environment variables .*?\. ", "", text)

    def load(self, path, strict=True):
        """Takes what a file sets. @param strict  a value that the option cannot have is an error"""
        odd = []
        for number, name, written in read_assignments(path, odd):
            where = f"{short(path, self.project)}:{number}"
            self.set(name, written, where if strict else None)
        self.odd += [f"{short(path, self.project)}:{number}" for number in odd]

    def set(self, name, written, where):
        if name not in self.kconf.syms and name in self.renames:
            name, opposite = self.renames[name]
            written = {"y": "n", "n": "y"}.get(written, written) if opposite else written
        sym = self.kconf.syms.get(name)
        if sym is None or not sym.nodes:
            if written not in ("n", '""'):
                self.unknown.setdefault(name, where)
            return
        self.where[name] = where or "sdkconfig"
        value = written
        if sym.orig_type == kconfiglib.STRING:
            match = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', written)
            if not match:
                self._refuse(where, name, written, "a text in double quotes")
                return
            value = re.sub(r"\\(.)", r"\1", match.group(1))
        elif not written:  # "CONFIG_X=", as old sdkconfigs have it: the option keeps its default
            return
        elif sym.orig_type in (kconfiglib.BOOL, kconfiglib.TRISTATE) and written not in ("y", "n"):
            self._refuse(where, name, written, "y or n")
            return
        elif sym.orig_type in (kconfiglib.INT, kconfiglib.HEX):
            value = written.strip('"')
        if not sym.set_value(value):
            self._refuse(where, name, written, "a number")

    def _refuse(self, where, name, written, wanted):
        if where:
            raise Trouble(f"{where}: CONFIG_{name} is {wanted}, not {written}")

    def check_ranges(self):
        """A number outside of its range would become another one silently."""
        for sym in self.kconf.unique_defined_syms:
            if sym.user_value is None or sym.orig_type not in (kconfiglib.INT, kconfiglib.HEX):
                continue
            base = 16 if sym.orig_type == kconfiglib.HEX else 10
            for low, high, condition in sym.ranges:
                if kconfiglib.expr_value(condition):
                    lowest, highest = (number(s, base) for s in (low, high))
                    if lowest is not None and highest is not None and not lowest <= int(sym.user_value, base) <= highest:
                        raise Trouble(f"{self.where[sym.name]}: CONFIG_{sym.name} is {low.str_value} to {high.str_value}, "
                                      f"not {sym.user_value}")
                    break

    def written(self):
        """The symbols that stand in sdkconfig, each once, in the order of the menus."""
        seen = set()
        for node in self.kconf.node_iter():
            sym = node.item
            if isinstance(sym, kconfiglib.Symbol) and sym.name not in seen and sym.config_string:
                seen.add(sym.name)
                yield sym

    def values(self):
        """{name: bool, int or str}, as in ESP-IDF's sdkconfig.json."""
        found = {}
        for sym in self.written():
            if sym.type in (kconfiglib.BOOL, kconfiglib.TRISTATE):
                found[sym.name] = sym.str_value != "n"
            elif sym.type in (kconfiglib.INT, kconfiglib.HEX):
                found[sym.name] = int(sym.str_value, 16 if sym.type == kconfiglib.HEX else 10) if sym.str_value else 0
            else:
                found[sym.name] = sym.str_value
        return found

    def old_names(self, written):
        """[(old name, symbol)] of options that are set under another name now, for code that asks for the old one."""
        by_name = {sym.name: sym for sym in written}
        return [(old, by_name[new]) for old, (new, opposite) in self.renames.items() if new in by_name and not opposite]


def number(sym, base):
    """The bound of a range, None where nobody defines it: an option of a chip's."""
    try:
        return int(sym.str_value, base)
    except ValueError:
        return None


def c_value(sym):
    if sym.type in (kconfiglib.BOOL, kconfiglib.TRISTATE):
        return "1"
    return f'"{kconfiglib.escape(sym.str_value)}"' if sym.type == kconfiglib.STRING else sym.str_value or "0"


def is_on(sym):
    return sym.type not in (kconfiglib.BOOL, kconfiglib.TRISTATE) or sym.str_value != "n"


def as_header(options):
    written = list(options.written())
    lines = ["/* The options of this project; `otter menuconfig` changes them. */", "#pragma once"]
    lines += [f"#define CONFIG_{sym.name} {c_value(sym)}" for sym in written if is_on(sym)]
    lines += [f"#define CONFIG_{old} CONFIG_{sym.name}" for old, sym in options.old_names(written) if is_on(sym)]
    return "\n".join(lines) + "\n"


def as_cmake(options):
    written = list(options.written())
    lines = ["# The options of this project, for its CMakeLists.txt files."]
    for sym in written:
        value = sym.str_value if is_on(sym) else ""
        lines.append(f'set(CONFIG_{sym.name} "{kconfiglib.escape(value)}")')
    lines += [f'set(CONFIG_{old} "${{CONFIG_{sym.name}}}")' for old, sym in options.old_names(written)]
    return "\n".join([*lines, f'set(CONFIGS_LIST {";".join("CONFIG_" + sym.name for sym in written)})']) + "\n"


def as_sdkconfig(options):
    lines = ["# The options of this project, with all defaults; `otter menuconfig` changes them."]
    lines += [sym.config_string.rstrip("\n") for sym in options.written()]
    return "\n".join(lines) + "\n"


def as_json(options):
    return json.dumps(options.values(), indent=4, sort_keys=True) + "\n"


def write_if_changed(path, text):
    """What is written again is compiled again."""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
