"""The circle gate: no two object files of the product need each other, by their symbols; and a test of the gate.

test_layering.py sees folders and #includes; this one sees what the linker sees, file by file. A circle makes its files one
big file: none of them can be understood, tested or replaced without the others. Calls through a table of functions (a vtable,
a callback) are not seen and are no circle: there the one who calls knows only the table.
"""
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("OTTER_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("OTTER_BUILD") or os.path.join(SOURCE, "build")
PARTS = ("src", "port", "cli", "fleet", "server")


def product_objects(build, source):
    """{source file, relative: object file} of all that the libraries and programs of the product consist of."""
    objects = {}
    targets = os.path.join(build, "CMakeFiles")
    for target in sorted(os.listdir(targets)):
        if not target.endswith(".dir"):
            continue
        for folder, _, names in os.walk(os.path.join(targets, target)):
            for name in names:
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, os.path.join(targets, target))[:-len(".o")]
                # A build folder keeps the objects of files that are gone.
                if name.endswith(".c.o") and relative.split(os.sep)[0] in PARTS and os.path.exists(
                        os.path.join(source, relative)):
                    objects[relative] = path
    return objects


def symbols_of(objects):
    """{file: (names it defines for others, names it needs)}, by nm."""
    table = {name: (set(), set()) for name in objects}
    by_path = {path: name for name, path in objects.items()}
    listing = subprocess.run(["nm", "-A", "-P", "-g", *by_path], check=True, capture_output=True, text=True, timeout=60).stdout
    for line in listing.splitlines():
        path, _, rest = line.partition(": ")
        symbol, kind = rest.split()[:2]
        defined, needed = table[by_path[path]]
        if kind in "Uw":
            needed.add(symbol)
        else:
            defined.add(symbol)
    return table


def edges_of(table):
    """{file: {file it needs: names it needs of it}}. Variants (two ports) may define a name twice: all of them count."""
    owners = {}
    for name, (defined, _) in table.items():
        for symbol in defined:
            owners.setdefault(symbol, set()).add(name)
    edges = {name: {} for name in table}
    for name, (_, needed) in table.items():
        for symbol in needed:
            for owner in owners.get(symbol, ()):
                if owner != name:
                    edges[name].setdefault(owner, set()).add(symbol)
    return edges


def circles(edges):
    """The groups of two or more files that reach each other (Tarjan's strongly connected components), without recursion."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in sorted(edges):
        if root in index:
            continue
        work = [(root, iter(sorted(edges[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for after in rest:
                if after not in index:
                    index[after] = low[after] = len(index)
                    stack.append(after)
                    on_stack.add(after)
                    work.append((after, iter(sorted(edges[after]))))
                    break
                if after in on_stack:
                    low[node] = min(low[node], index[after])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = stack[stack.index(node):]
                    del stack[stack.index(node):]
                    on_stack.difference_update(group)
                    if len(group) > 1:
                        found.append(sorted(group))
    return found


def complaint(group, edges):
    """One circle for people: each edge, and by which names."""
    lines = [f"{len(group)} files need each other:"]
    for name in group:
        for other in group:
            if other in edges[name]:
                lines.append(f"  {name} needs {other}: {', '.join(sorted(edges[name][other]))}")
    return "\n".join(lines)


def complaints_about(objects):
    edges = edges_of(symbols_of(objects))
    return [complaint(group, edges) for group in circles(edges)]


class ThisTree(unittest.TestCase):
    def test_no_two_files_need_each_other(self):
        found = complaints_about(product_objects(BUILD, SOURCE))
        self.assertEqual([], found, "\n" + "\n".join(found) + "\nMove what both need into a file below them, or pass it "
                         "as a value or a table of functions.")

    def test_every_file_was_seen(self):
        """A circle through a file that was not looked at would not be found."""
        seen = set(product_objects(BUILD, SOURCE))
        there = set()
        for part in PARTS:
            for folder, _, names in os.walk(os.path.join(SOURCE, part)):
                there |= {os.path.relpath(os.path.join(folder, n), SOURCE) for n in names if n.endswith(".c")}
        # The entry of firmware goes into each firmware, not into a library.
        self.assertEqual(set(), there - seen - {os.path.join("port", "linux", "app_start.c")})


# Files of a program, the groups that must be found in it, a piece of the complaint.
PLANTED = [
    ("a line", {"a": "int b(void); int a(void) { return b(); }", "b": "int c(void); int b(void) { return c(); }",
                "c": "int c(void) { return 1; }"}, [], ""),
    ("two files", {"a": "int b(void); int a(void) { return b(); }", "b": "int a(void); int b(void) { return a(); }"},
     [["a", "b"]], "a needs b: b"),
    ("three, and one above", {"a": "int b(void); int a(void) { return b(); }", "b": "int c(void); int b(void) { return c(); }",
                              "c": "int a(void); int c(void) { return a(); }", "d": "int a(void); int d(void) { return a(); }"},
     [["a", "b", "c"]], "c needs a: a"),
    ("by data", {"a": "extern int size; int a(void) { return size; }", "b": "int a(void); int size; int b(void) { return a(); }"},
     [["a", "b"]], "a needs b: size"),
    ("two circles", {"a": "int b(void); int a(void) { return b(); }", "b": "int a(void); int b(void) { return a(); }",
                     "c": "int d(void); int c(void) { return d(); }",
                     "d": "int a(void); int c(void); int d(void) { return c() + a(); }"}, [["a", "b"], ["c", "d"]], ""),
    ("a name of its own", {"a": "int b(void); static int f(void) { return 1; } int a(void) { return b() + f(); }",
                           "b": "int f(void) { return 1; } int b(void) { return f(); }"}, [], ""),
    ("a callback", {"a": "int b(int (*f)(void)); static int f(void) { return 1; } int a(void) { return b(f); }",
                    "b": "int b(int (*f)(void)) { return f(); }"}, [], ""),
]


class TheGateItself(unittest.TestCase):
    def test_planted_circles_are_found(self):
        for name, files, groups, piece in PLANTED:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                objects = {}
                for file, text in files.items():
                    source = os.path.join(folder, file + ".c")
                    with open(source, "w", encoding="utf-8") as f:
                        f.write(text)
                    objects[file] = source + ".o"
                    subprocess.run([os.environ.get("CC", "cc"), "-O0", "-c", source, "-o", objects[file]], check=True, timeout=60)
                edges = edges_of(symbols_of(objects))
                self.assertEqual(groups, circles(edges))
                self.assertIn(piece, "\n".join(complaints_about(objects)))


if __name__ == "__main__":
    sys.exit(unittest.main())
