"""What a platformio.ini says of a project of ESP-IDF's: its environment, flags, folders, partition table and flash."""
# SPDX-License-Identifier: Apache-2.0
import configparser
import os
import re
import shlex
import sys

from trouble import Trouble

NAME = "platformio.ini"
TABLES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "partition_table")
REFERENCE = re.compile(r"\$\{(\w[\w:.-]*)\.([\w.-]+)\}")
DEPTH_MAX = 20  # of references in references


class Ini:
    """The file, with what `extends` and ${section.option} bring."""

    def __init__(self, project):
        self.project = project
        self.parser = configparser.ConfigParser(strict=False, interpolation=None, inline_comment_prefixes=("#", ";"))
        try:
            with open(os.path.join(project, NAME), encoding="utf-8", errors="replace") as f:
                self.parser.read_file(f)
        except configparser.Error as error:
            raise Trouble(f"{NAME}: {' '.join(str(error).split())}") from None

    def raw(self, section, option, depth=0):
        """Its text, or None; of an environment's section, what it extends and [env] say, too."""
        if depth > DEPTH_MAX:
            raise Trouble(f"{NAME}: [{section}] extends itself")
        if self.parser.has_option(section, option):
            return self.parser.get(section, option)
        for parent in re.split(r"[,\s]+", self.parser.get(section, "extends", fallback="")):
            found = self.raw(parent, option, depth + 1) if parent else None
            if found is not None:
                return found
        if section.startswith("env:") and self.parser.has_option("env", option):
            return self.parser.get("env", option)
        return None

    def get(self, section, option, depth=0):
        """The text with its references resolved; "" where nothing says it."""
        if depth > DEPTH_MAX:
            raise Trouble(f"{NAME}: {option} of [{section}] refers to itself")

        def resolve(match):
            there, name = match.groups()
            if there == "sysenv":
                return os.environ.get(name, "")
            return self.get(section if there == "this" else there, name, depth + 1)

        return REFERENCE.sub(resolve, self.raw(section, option) or "")

    def environment(self):
        """The name of the one that is built: PIO_ENV, the first of default_envs, or the first that is ESP-IDF's."""
        names = [s[4:] for s in self.parser.sections() if s.startswith("env:")]
        wanted = os.environ.get("PIO_ENV") or next(iter(re.split(r"[,\s]+", self.get("platformio", "default_envs").strip())), "")
        if wanted and wanted not in names:
            raise Trouble(f"{NAME}: there is no [env:{wanted}]: " + ", ".join(names))
        ours = [n for n in names if "espidf" in self.get("env:" + n, "framework")]
        return wanted or next(iter(ours), next(iter(names), ""))


class PlatformIO:
    """What counts of it. `notes` are lines for the user."""

    def __init__(self, project):
        self.ini = Ini(project)
        self.project, self.notes = project, []
        self.environment = self.ini.environment()
        self.section = "env:" + self.environment
        self.source = self._folder("src_dir", "src")
        self.include = self._folder("include_dir", "include")
        self.libraries = self._folder("lib_dir", "lib")
        self.data = self._folder("data_dir", "data")
        self.definitions, self.includes = [], []
        self._read_flags()

    def _folder(self, option, default):
        return os.path.normpath(os.path.join(self.project, self.ini.get("platformio", option).strip() or default))

    def option(self, name):
        return self.ini.get(self.section, name).strip()

    def _read_flags(self):
        """-D and -I of build_flags and build_src_flags; other flags are of a compiler for a chip."""
        for line in (self.option("build_flags") + "\n" + self.option("build_src_flags")).splitlines():
            if line.strip().startswith("!"):
                self.notes.append(f"{NAME}: {line.strip()} is not called")
                continue
            try:
                words = shlex.split(line)
            except ValueError as error:
                raise Trouble(f"{NAME}: build_flags: {error}: {line.strip()}") from None
            while words:
                word = words.pop(0)
                value = word[2:] or (words.pop(0) if words else "")
                if word.startswith("-D"):
                    self.definitions.append(value)
                elif word.startswith("-I"):
                    self.includes.append(os.path.normpath(os.path.join(self.project, value)))

    def apply(self, options):
        """Flash size and partition table, as PlatformIO puts them in the place of the sdkconfig's."""
        size = self.option("board_upload.flash_size")
        if size:
            options.set(f"ESPTOOLPY_FLASHSIZE_{size}", "y", NAME)
        elif options.values()["ESPTOOLPY_FLASHSIZE"] in ("1MB", "2MB"):  # most boards have 4 MB, and their sdkconfig says 2
            options.set("ESPTOOLPY_FLASHSIZE_4MB", "y", NAME)
        table = self.option("board_build.partitions")
        if table and os.path.isfile(os.path.join(self.project, table)):
            options.set("PARTITION_TABLE_CUSTOM", "y", NAME)
            options.set("PARTITION_TABLE_CUSTOM_FILENAME", f'"{table}"', NAME)
        elif table and os.path.isfile(os.path.join(TABLES, table)):  # one of ESP-IDF's
            options.set("PARTITION_TABLE_CUSTOM", "y", NAME)
            options.set("PARTITION_TABLE_CUSTOM_FILENAME", f'"{os.path.join(TABLES, table)}"', NAME)
        elif table:
            self.notes.append(f"{NAME}: {table} is a partition table of PlatformIO's own: the sdkconfig's counts")

    def cmake(self):
        """Lines for components.cmake."""
        def listed(name, values):
            return f"set({name} " + " ".join(f"[=[{value}]=]" for value in values) + ")"
        embedded = [(kind, [os.path.normpath(os.path.join(self.project, path)) for path in
                            self.option(f"board_build.{option}").split()])
                    for kind, option in (("TEXT", "embed_txtfiles"), ("BINARY", "embed_files"))]
        lines = [listed("otter_pio_definitions", self.definitions),
                 listed("otter_pio_includes", [self.include, self.source, *self.includes])]
        lines += [listed(f"otter_pio_embedded_{kind}", paths) for kind, paths in embedded]
        if os.path.isdir(self.data) and os.listdir(self.data):
            lines.append(listed("otter_pio_data", [self.data]))
        return lines


def is_source(name):
    return name.endswith((".c", ".cpp", ".cc", ".S"))


def library_text(folder):
    """The CMakeLists.txt of a library that has none: all sources of its src/, or of itself."""
    base = os.path.join(folder, "src") if os.path.isdir(os.path.join(folder, "src")) else folder
    sources = [os.path.join(path, name) for path, _, names in os.walk(base) for name in names if is_source(name)]
    includes = [path for path in (base, os.path.join(folder, "include")) if os.path.isdir(path)]
    quoted = {key: " ".join(f'"{path}"' for path in sorted(paths))
              for key, paths in (("SRCS", sources), ("INCLUDE_DIRS", includes))}
    return "idf_component_register(" + " ".join(f"{key} {text}" for key, text in quoted.items() if text) + ")\n"


def read(project):
    """None, where the project has no platformio.ini."""
    return PlatformIO(project) if os.path.isfile(os.path.join(project, NAME)) else None


def main():
    """Prints the name of the environment that is built."""
    try:
        print(Ini(sys.argv[1]).environment())
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
