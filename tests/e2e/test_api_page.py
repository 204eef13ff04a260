"""docs/API.md: every function of ESP-IDF's and FreeRTOS's names that is there, and its state; made and compared here.

    python3 tests/e2e/test_api_page.py --write
"""
# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import re
import sys
import textwrap
import unittest

SOURCE = pathlib.Path(os.environ.get("OTTER_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
PAGE = SOURCE / "docs" / "API.md"
HEAD = """# Which names of ESP-IDF are there

Every function, and every macro that is called like one, of the headers in `include/` with ESP-IDF's names. Types, constants and
the fields of structs are in the headers themselves; names of these headers that are missing are listed in
[DIFFERENCES.md](DIFFERENCES.md#names-that-are-not-there).

| state | meaning |
|---|---|
| full | as ESP-IDF 5.5 documents it, on what DIFFERENCES.md says of tasks, time and processes |
| differs | DIFFERENCES.md says where and why |
| accepted | it can be called, and there is nothing for it to do here; the header says so |

[DESIGN.md](DESIGN.md#where-an-esp-idf-name-is) tells in which file each is. Made by `tests/e2e/test_api_page.py --write`.
"""


def plain(text):
    """C without comments, texts and continued lines."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", lambda match: "\n" * match.group().count("\n"), text, flags=re.S)
    return text.replace("\\\n", " ")


def names_of(header):
    """[name] of what a header lets one call, in its order."""
    text = plain(header.read_text(encoding="utf-8"))
    macros = re.findall(r"^[ \t]*#[ \t]*define[ \t]+([A-Za-z]\w*)\(", text, re.M)
    text = re.sub(r"^[ \t]*#.*$", "", text, flags=re.M)
    text = re.sub(r"\b__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", "", text)
    text = re.sub(r"\btypedef\b[^;{]*(?:\{[^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*\})?[^;]*;", "", text)
    text = re.sub(r"\b(?:struct|union|enum)\s+\w*\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}\s*\w*;", "", text)
    functions = re.findall(r"^[a-zA-Z_][\w\s*]*?[\s*]([A-Za-z]\w*)\s*\([^;{}]*\)\s*[;{]", text, re.M)
    inner = {"if", "while", "for", "switch", "sizeof", "return"}
    found = [name for name in functions + macros if not name.endswith("_") and name not in inner]
    return list(dict.fromkeys(found))


def accepted(header):
    """Names whose own comment says that there is nothing for them to do."""
    text = header.read_text(encoding="utf-8")
    found = set()
    called = r"/\*\*((?:(?!\*/).)*)\*/\s*(?:#[ \t]*define[ \t]+)?(?:[\w*]+[\s*]+)*?(\w+)\("
    for comment, name in re.findall(called, text, re.S):
        if re.search(r"^\s*(?:Of no effect|Does nothing|Accepted)\b", comment):
            found.add(name)
    return found


def is_named(name, text):
    """In the text, at the beginning of something that is set as code."""
    return re.search(rf"`{name}\b", text) is not None


def page():
    differences = (SOURCE / "docs" / "DIFFERENCES.md").read_text(encoding="utf-8").split("## Names that are not there")[0]
    out, total = [HEAD], 0
    include = SOURCE / "include"
    headers = [path for path in sorted(include.rglob("*.h")) if path.relative_to(include).parts[0] != "otter"]
    for header in headers:
        rows = []
        nothing = accepted(header)
        for name in names_of(header):
            state = "accepted" if name in nothing else "differs" if is_named(name, differences) else "full"
            rows.append(f"| `{name}` | {state} |")
        if rows:
            total += len(rows)
            title = f"\n## {header.relative_to(include)}\n\n| name | state |\n|---|---|\n"
            out.append(title + "\n".join(rows) + "\n")
    out.append("\n# Otter's own names\n\nWhat ESP-IDF has no name for, and its calls on a device that the caller names: "
               "[LIBRARY.md](LIBRARY.md) shows how.\n")
    for header in sorted((include / "otter").glob("*.h")):
        purpose = re.match(r"/\* (.*) \*/", header.read_text(encoding="utf-8"))[1]
        names = ", ".join(f"`{name}`" for name in names_of(header))
        out += ["\n" + textwrap.fill(text, 124) + "\n" for text in (f"**otter/{header.name}**: {purpose}", names) if text]
    return "".join(out), total


class ApiPage(unittest.TestCase):
    def test_the_page_is_what_the_headers_say(self):
        text, total = page()
        self.assertGreater(total, 400)
        self.assertEqual(PAGE.read_text(encoding="utf-8"), text, "make it anew: python3 tests/e2e/test_api_page.py --write")

    def test_what_is_found_by_name(self):
        """A few of each kind, so that the finding itself is held to something."""
        text, _ = page()
        for row in ("| `esp_https_ota_perform` | differs |", "| `ESP_ERROR_CHECK` | differs |", "| `vTaskDelay` | full |",
                    "| `esp_partition_find_first` | full |", "| `spi_flash_init` | accepted |", "| `ESP_LOGI` | "):
            self.assertIn(row, text)
        self.assertNotIn("| `if` |", text)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page()[0], encoding="utf-8")
    else:
        unittest.main()
