"""What every component could include in ESP-IDF 4 without requiring it: such requirements are found by what its files include."""
# SPDX-License-Identifier: Apache-2.0
import os
import re

# ESP-IDF's notes on version 5 list them: from there on a component has to require them.
COMMON_IN_4 = "driver efuse esp_timer lwip vfs esp_wifi esp_event esp_netif esp_eth esp_phy".split()
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.M)
SUFFIXES = (".c", ".cpp", ".cc", ".cxx", ".h", ".hpp")
NOT_ITS_OWN = {"build", "components", "examples", "host_test", "managed_components", "test", "test_apps", "tests", ".git"}
TOLD_MAX = 6  # components in the line that tells of them


def reachable(found, names):
    """These components, and what they publicly require."""
    seen, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name in found and name not in seen:
            seen.add(name)
            todo += found[name].requires
    return seen


def headers_of(found, components):
    """{header: the component that gives it}, of those of them that are ours."""
    owners = {}
    for name in sorted(components):
        include = os.path.join(found[name].folder, "include")
        for path, _, names in os.walk(include) if found[name].ours else ():
            owners.update((os.path.relpath(os.path.join(path, header), include), name) for header in names)
    return owners


def included(folder):
    """What the files of a component include, less what they have themselves."""
    headers, own = set(), set()
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_ITS_OWN]
        own.update(names)
        for name in names:
            if name.endswith(SUFFIXES):
                with open(os.path.join(path, name), "rb") as f:
                    headers.update(header.decode(errors="replace") for header in INCLUDE.findall(f.read()))
    return {header for header in headers if os.path.basename(header) not in own}


def add_implied(found, notes, platformio):
    """Has each component of the project require what it could include in ESP-IDF 4, and says so in one line. PlatformIO's main
    component includes what it likes."""
    in_4, told = headers_of(found, reachable(found, COMMON_IN_4)), []
    for component in found.values():
        if component.ours or (component.name == "main" and not component.says_requires):
            continue
        free = platformio and component.name == "main"
        owners = headers_of(found, found) if free else in_4
        within = reachable(found, component.requires + component.private)
        missing = sorted({owners[header] for header in included(component.folder) if header in owners} - within)
        if missing:
            component.requires += missing  # publicly: its headers may be what includes them
        if missing and not free:
            told.append(f"{component.name} uses {', '.join(missing)}")
    if told:
        notes.append("not required, as in ESP-IDF 4, and refused by ESP-IDF 5: " + "; ".join(told[:TOLD_MAX]) +
                     (f"; and {len(told) - TOLD_MAX} more components" if len(told) > TOLD_MAX else ""))
