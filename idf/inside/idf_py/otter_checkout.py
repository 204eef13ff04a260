"""Is this folder a checkout of ESP-IDF that works for its target linux? Each thing that is not is named with the way out."""
# SPDX-License-Identifier: Apache-2.0
import pathlib
import re
import sys

# What the builds for linux take of ESP-IDF's submodules, or stop without; a file of each, by component.
SUBMODULES = {"components/heap/tlsf": "tlsf.c", "components/lwip/lwip": "src/include/lwip/init.h",
              "components/mbedtls/mbedtls": "CMakeLists.txt", "components/unity/unity": "src/unity.c"}
# The same of components that not every version has, or in which not every version has one.
SUBMODULES_OF_SOME = {"components/json/cJSON": "cJSON.c", "components/mqtt/esp-mqtt": "CMakeLists.txt",
                      "components/mbedtls/mbedtls/tf-psa-crypto": "CMakeLists.txt", "components/spiffs/spiffs": "src/spiffs.h",
                      "components/protobuf-c/protobuf-c": "protobuf-c/protobuf-c.c"}
OLDEST = (5, 4)


def version_of(checkout):
    """(major, minor, patch) of a checkout, or None: it is none."""
    try:
        text = (checkout / "tools/cmake/version.cmake").read_text(encoding="utf-8")
    except OSError:
        return None
    numbers = re.findall(r"set\(IDF_VERSION_(?:MAJOR|MINOR|PATCH)\s+(\d+)\)", text)
    return tuple(map(int, numbers)) if len(numbers) == 3 else None


def complaint(checkout, components=None):
    """None, or one line: what is wrong with it, and what helps. `components`: those that a build takes, else all."""
    checkout = pathlib.Path(checkout)
    if not checkout.is_dir():
        return f"{checkout}: there is no such folder; say where ESP-IDF is checked out"
    version = version_of(checkout)
    if version is None:
        return f"{checkout}: no checkout of ESP-IDF (tools/cmake/version.cmake is not there); say where one is"
    name = ".".join(map(str, version))
    if version < OLDEST:
        return (f"{checkout}: ESP-IDF {name} cannot build its update code for linux, 5.4 and later can; `otter build` "
                "takes projects of every version")
    wanted = SUBMODULES | {path: file for path, file in SUBMODULES_OF_SOME.items() if (checkout / path).is_dir()}
    missing = [path for path, file in wanted.items() if not (checkout / path / file).exists()
               and (components is None or path.split("/")[1] in components)]
    if missing:
        return (f"{checkout}: submodules are missing: {' '.join(missing)}; "
                f"`git -C {checkout} submodule update --init --recursive {' '.join(missing)}` fetches them")
    return None


def own_components(project):
    """None, or one line: the project sets EXTRA_COMPONENT_DIRS itself, and -D does not reach it."""
    try:
        text = (pathlib.Path(project) / "CMakeLists.txt").read_text(encoding="utf-8")
    except OSError:
        return f"{project}: there is no CMakeLists.txt; say where the project is"
    text = re.sub(r"#.*", "", text)
    if re.search(r"\bset\s*\(\s*EXTRA_COMPONENT_DIRS\b(?![^)]*\$\{EXTRA_COMPONENT_DIRS\})", text, re.I):
        return (f"{project}/CMakeLists.txt sets EXTRA_COMPONENT_DIRS, so that -D does not reach it: write "
                "list(APPEND EXTRA_COMPONENT_DIRS ...) there instead of set(EXTRA_COMPONENT_DIRS ...)")
    return None


if __name__ == "__main__":
    why = complaint(sys.argv[1], sys.argv[2:] or None)
    if why:
        sys.exit(why)
