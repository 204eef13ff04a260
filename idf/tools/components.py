"""Finds the folders of a project's components, and what each one requires."""
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess

from kconfig import write_if_changed
from platformio import library_text
from trouble import Trouble, short

HERE = os.path.dirname(os.path.abspath(__file__))


class Component:
    """One folder with a CMakeLists.txt."""

    def __init__(self, name, folder, origin, ours=False):
        self.name, self.folder, self.origin, self.ours = name, folder, origin, ours
        self.requires, self.private, self.sources, self.says_requires = [], [], [], False

    def file(self, name):
        """The path of a file in it, if it is there."""
        path = os.path.join(self.folder, name)
        return path if os.path.isfile(path) else None


def is_component(folder):
    return os.path.isfile(os.path.join(folder, "CMakeLists.txt"))


def in_folder(folder):
    """The components that a path of EXTRA_COMPONENT_DIRS or a folder components/ stands for: itself, or those in it."""
    if is_component(folder):
        return [folder]
    if not os.path.isdir(folder):
        return []
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))
            if is_component(os.path.join(folder, name))]


# What has another name in the component registry than in ESP-IDF, which had it first.
IN_ESP_IDF = {"cjson": "json"}


def own_name(name):
    """Without the namespace that the component registry puts in front, mdns of espressif__mdns; and as ESP-IDF names it."""
    name = name.rpartition("__")[2]
    return IN_ESP_IDF.get(name, name)


class Finder:
    """All components that there are, by name. Where two have one, the folder that ESP-IDF searches last counts."""

    def __init__(self, project, idf, known):
        self.project, self.idf, self.known = project, idf, known
        self.found, self.notes, self.read = {}, [], []
        self.missing = []  # lines of what nobody has, for `otter build --list-missing`

    def add(self, folder, origin, ours=False):
        """Takes the component in this folder, instead of one of the same name that comes from elsewhere."""
        folder = os.path.normpath(folder)
        name = os.path.basename(folder)
        before = self.found.get(name)
        if before and before.folder == folder:
            return
        if before and before.origin == origin:
            raise Trouble(f"component '{name}' is there twice, in {short(before.folder, self.project)} and in "
                          f"{short(folder, self.project)} ({origin}): rename or remove one of them")
        if before and not before.ours:
            self.notes.append(f"component '{name}' is in {short(before.folder, self.project)} ({before.origin}) and in "
                              f"{short(folder, self.project)} ({origin}): the second one is built")
        self.found[name] = Component(name, folder, origin, ours)

    def _look(self, folder):
        """The components in a folder, which is looked at again when one is added."""
        if os.path.isdir(folder):
            self.read.append(folder)
        return in_folder(folder)

    def add_ours(self):
        for folder in self._look(os.path.join(self.idf, "components")):
            self.add(folder, "otter", ours=True)

    def add_extra(self, paths):
        """EXTRA_COMPONENT_DIRS. A folder of ESP-IDF's that holds what we supply is not missed."""
        for path in paths:
            folder = os.path.normpath(os.path.join(self.project, path))
            folders = self._look(folder)
            inside_idf = folder == self.idf or folder.startswith(self.idf + "/")
            if not folders and not inside_idf and os.path.basename(folder) not in self.found:
                self._nothing_in(path)
            for each in folders:
                self.add(each, "EXTRA_COMPONENT_DIRS")

    def _nothing_in(self, path):
        """A path of EXTRA_COMPONENT_DIRS without a component: ESP-IDF passes over it, and what was meant may be elsewhere."""
        absent = absent_submodules(self.project)
        text = f"EXTRA_COMPONENT_DIRS names {path}, where no component is (a folder with a CMakeLists.txt)"
        if absent:
            raise Trouble(f"{text}: correct it in the project's CMakeLists.txt{absent}")
        self.notes.append(text)

    def add_local(self):
        for folder in self._look(os.path.join(self.project, "components")):
            self.add(folder, "components/")
        main = os.path.join(self.project, "main")
        if is_component(main):
            self.add(main, "main")

    def add_platformio(self, settings, build):
        """PlatformIO's folders: it calls src/ the main component, and lib/ has libraries, most without a CMakeLists.txt."""
        if "main" not in self.found and os.path.isdir(settings.source):
            self.found["main"] = Component("main", self._with_cmake(settings.source, "main", build), "PlatformIO")
        libraries = settings.libraries if os.path.basename(settings.libraries) != "components" else ""
        for name in sorted(os.listdir(libraries)) if os.path.isdir(libraries) else []:
            folder = os.path.join(libraries, name)
            if os.path.isdir(folder) and name not in self.found:
                library = Component(name, self._with_cmake(folder, name, build), "lib/")
                library.private = [c.name for c in self.found.values() if c.ours]
                self.found[name] = library

    @staticmethod
    def _with_cmake(folder, name, build):
        """The folder, or one in the build folder with the CMakeLists.txt that it lacks."""
        if is_component(folder):
            return folder
        made = os.path.join(build, "config", "platformio", name)
        os.makedirs(made, exist_ok=True)
        write_if_changed(os.path.join(made, "CMakeLists.txt"), library_text(folder))
        return made

    def known_as(self, name):
        """The name under which it is there: with a namespace or without, both are said of the same component."""
        if name in self.found or name in self.known:
            return name
        return next((known for known in [*self.found, *self.known] if own_name(known) == own_name(name)), name)

    def resolve_names(self):
        """When all have been asked what they require."""
        for component in self.found.values():
            component.requires = [self.known_as(name) for name in component.requires]
            component.private = [self.known_as(name) for name in component.private]

    def add_dependencies(self, offer_registry):
        """Follows the idf_component.yml of each component of the project, and of those that it finds by them."""
        todo = [c for c in self.found.values() if not c.ours]
        seen = set()
        while todo:
            component = todo.pop(0)
            manifest = component.file("idf_component.yml")
            if component.name in seen or not manifest:
                continue
            seen.add(component.name)
            self.read.append(manifest)
            for name, what in dependencies(manifest, self.project).items():
                found = self._follow(component, manifest, name, what, offer_registry)
                todo += [found] if found else []

    def _follow(self, component, manifest, name, what, offer_registry):
        """One dependency. @return the component, if it is new and not ours"""
        short_name = name.split("/")[-1]
        if name == "idf":
            return None
        local = self.found.get(short_name) or self.found.get(name.replace("/", "__")) or self.found.get(own_name(short_name))
        path = what.get("override_path") or what.get("path")
        if path and not (local and local.ours):
            folder = os.path.normpath(os.path.join(component.folder, os.path.expandvars(path)))
            if local:  # what lies in the project's own folders counts before a dependency
                component.private.append(local.name)
                return None
            if not is_component(folder) and (folder + "/").startswith(self.idf + "/"):
                raise Trouble(f"{short(manifest, self.project)}: dependency '{name}' is in {path}, a part of ESP-IDF that is not "
                              f"here: copy that folder of ESP-IDF's into components/{short_name}")
            if not is_component(folder):
                raise Trouble(f"{short(manifest, self.project)}: dependency '{name}' is in {path}, and there is no "
                              "CMakeLists.txt: correct the path, or put the component into components/")
            self.found[short_name] = Component(short_name, folder, "idf_component.yml")
            component.private.append(short_name)
            return self.found[short_name]
        if local:
            component.private.append(local.name)
            return None
        if short_name in self.known:
            return None
        managed = os.path.join(self.project, "managed_components", name.replace("/", "__"))
        for folder in (managed, os.path.join(self.project, "managed_components", "espressif__" + name)):
            if is_component(folder):
                found = Component(os.path.basename(folder), folder, "managed_components/")
                self.found[found.name] = found
                component.private.append(found.name)
                return found
        offer_registry(name, manifest)
        return None


def dependencies(manifest, project):
    """{name: {path: ..., version: ...}} of an idf_component.yml."""
    try:
        import yaml
    except ImportError:
        raise Trouble(f"{short(manifest, project)} cannot be read: Python's yaml is missing; on Debian: "
                      "apt install python3-yaml") from None
    try:
        with open(manifest, encoding="utf-8") as f:
            content = yaml.safe_load(f) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f":{line + 1}" if line is not None else ""
        raise Trouble(f"{short(manifest, project)}{where}: this is no YAML: {getattr(error, 'problem', error)}") from None
    listed = content.get("dependencies") if isinstance(content, dict) else None
    if listed is None:
        return {}
    if not isinstance(listed, dict):
        raise Trouble(f"{short(manifest, project)}: 'dependencies' is not a list of names with what is wanted of each")
    return {str(name): what if isinstance(what, dict) else {"version": what} for name, what in listed.items()}


def said_by_cmake(text, project):
    """The first error of a run of cmake in one line: the file, the line, what is wrong."""
    error = re.search(r"CMake Error at (.*?):(\d+)(?: \((\w+)\))?:\n(.*?)(?:\nCall Stack|\n\n\n|\Z)", text, re.S)
    if not error:
        return "the components' CMakeLists.txt cannot be read: " + " ".join(text.split())
    path, line, command, what = error.groups()
    where = f"{short(os.path.abspath(path), project)}:{line}: " + (f"{command}(): " if command else "")
    return where + " ".join(what.split())


def absent_submodules(project):
    """Folders that git would fill, and has not, as the end of a line: what is missing may be in one of them."""
    folder = os.path.abspath(project)
    while not os.path.exists(os.path.join(folder, ".gitmodules")):
        if folder == os.path.dirname(folder) or os.path.exists(os.path.join(folder, ".git")):
            return ""
        folder = os.path.dirname(folder)
    with open(os.path.join(folder, ".gitmodules"), encoding="utf-8", errors="replace") as f:
        paths = re.findall(r"^\s*path\s*=\s*(.+?)\s*$", f.read(), re.M)
    there = [path for path in paths if os.path.isdir(os.path.join(folder, path))]
    empty = [path for path in paths if path not in there or not os.listdir(os.path.join(folder, path))]
    return f" (a submodule of git is empty: {empty[0]}; `git submodule update --init --recursive` fills it)" if empty else ""


def scan(components, cmake, build, variables):
    """Asks the CMakeLists.txt of each component for what it requires, as ESP-IDF does, in one run of cmake."""
    listing, answers = os.path.join(build, "scan.in.cmake"), os.path.join(build, "scan.out")
    with open(listing, "w", encoding="utf-8") as f:
        for key, value in variables.items():
            f.write(f"set({key} [=[{value}]=])\n")
        f.write(f"set(answers [=[{answers}]=])\nfile(WRITE ${{answers}} \"\")\n")
        f.writelines(f"scan({c.name} [=[{c.folder}]=])\n" for c in components)
    run = subprocess.run([cmake, "-D", f"LISTING={listing}", "-P", os.path.join(HERE, "cmake", "scan.cmake")],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode != 0:
        raise Trouble(said_by_cmake(run.stdout, variables["project_dir"]) + absent_submodules(variables["project_dir"]))
    by_name = {c.name: c for c in components}
    with open(answers, encoding="utf-8") as f:
        for line in f:
            name, key, value = line.rstrip("\n").split("\t")
            values = [v for v in value.split(";") if v]
            component = by_name[name]
            if key == "REQUIRES":
                component.requires += values
            elif key == "PRIV_REQUIRES":
                component.private += values
            elif key == "SOURCES":
                component.sources = values
            elif key == "SAYS_REQUIRES":
                component.says_requires = True
