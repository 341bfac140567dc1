#!/usr/bin/env python3
"""Reads the tree and fails where it leaves the architecture or the style: check_tree.py [ROOT].

Every message says file:line, what is wrong, and what to do. The arrows are those of the architecture: who may include
whom. self_test.py plants each fault in a small tree and sees it found.
"""
import os
import re
import sys

from functions import long_functions

FILE_LINES_MAX, FILE_LINES_AIM = 500, 400
FUNCTION_LINES_MAX = 90
LINE_COLUMNS_MAX = 120

TOP_FOLDERS = ("include", "engine", "shepherd", "tools", "bench", "tests", "cmake", ".ci")
CPP_SUFFIXES = (".hpp", ".cpp", ".h", ".c")
SKIPPED_FOLDERS = {"build", "__pycache__", "corpus"}

# Area -> what it may include of ours. An area always includes itself; a name not listed here is refused.
OS, RING, WIRE = {"os"}, {"os", "ring"}, {"os", "wire"}
REACTOR = RING | {"reactor"}
SHARD = REACTOR | WIRE | {"flow", "containment", "shepherd_link", "shard"}
ARROWS = {
    "include": set(),
    "os": OS | {"include/error"},
    "ring": RING | {"include"},
    "wire": WIRE | RING | {"include"},  # The channel is the socket under the ring.
    "reactor": REACTOR | {"include"},
    "flow": REACTOR | {"include"},
    "containment": REACTOR | {"include"},
    "shepherd_link": REACTOR | WIRE | {"include"},
    "shard": SHARD | {"include"},
    "api": SHARD | {"include"},
    "daemon": {"include"},  # A supervisor over the public verbs alone.
    "shepherd": RING | WIRE | {"include/error"},
    "tools": {"include"},
    "bench": {"include"},
    "tests/promises": {"include", "tests/support"},
    "tests/support": {"include"},
    "tests/children": {"tests/support"},
    "tests/hosts": {"include", "tests/support"},
    "tests/unit": None,  # Anything: a unit test looks inside one room.
    "tests/fuzz": None,
}

# Header (a prefix) -> the areas whose door it is.
DOORS = [
    (re.compile(r"liburing(\.h|/)"), ("ring", "bench"), "call it through engine/ring"),
    (re.compile(r"(spdlog|fmt)/"), ("shard",), "log through engine/shard's one door"),
    (re.compile(r"netrunner/spdlog\.hpp"), ("tools", "tests/promises"), "take a netrunner::Logger"),
    (re.compile(r"CLI/"), ("tools",), "parse command lines in tools/netrunner only"),
    (re.compile(r"nlohmann/"), ("tools",), "read and write JSON in tools only"),
    (re.compile(r"gtest/|gmock/"), ("tests/unit", "tests/promises", "tests/support"), "use it in tests only"),
    (re.compile(r"benchmark/"), ("bench",), "use it in bench only"),
    (re.compile(r"atomic$|stdatomic\.h$"),
     ("reactor", "bench", "tests/unit", "tests/promises", "tests/support", "tests/children", "tests/hosts",
      "tests/fuzz"),
     "state belongs to one shard: carry it across threads with engine/reactor's mailbox"),
]

# The one header for users of spdlog: it adapts their logger, and nothing of ours but tests and tools includes it.
SPDLOG_ADAPTER = "include/netrunner/spdlog.hpp"

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")


def area_of(path):
    """The area that a file of ours (a path from the root) belongs to; None: outside the architecture."""
    parts = path.split("/")
    if parts[0] == "engine" and len(parts) > 2:
        return parts[1]
    if parts[0] == "tests" and len(parts) > 2:
        return "tests/" + parts[1]
    return parts[0] if parts[0] in ("include", "shepherd", "tools", "bench") else None


def target_of(path, bracket, name):
    """(area, path from the root) of an included header, or (None, name) when it is not ours."""
    if name.startswith("netrunner/"):
        return ("include/error" if name == "netrunner/error.hpp" else "include"), "include/" + name
    if bracket == '"':
        area = area_of(name)
        if area is not None:
            return area, name
        return area_of(path), name  # A neighbour in the same folder.
    return area_of(name), name


def check_include(path, area, bracket, name):
    """What is wrong with one include line, or None."""
    adapted = path == SPDLOG_ADAPTER and name.startswith("spdlog/")
    for header, areas, advice in DOORS:
        if header.match(name) and area not in areas and not adapted:
            where = ", ".join(areas)
            return f"<{name}> belongs to {where} and is included by {area}. Instead {advice}."
    target, target_path = target_of(path, bracket, name)
    if target is None:
        return None
    if name.startswith("netrunner/") and bracket == '"':
        return f'"{name}" is written with quotes. Write <{name}>, as a user does.'
    if bracket == '"' and "/" not in name:
        folder = os.path.dirname(path)
        return f'"{name}" is written from its folder. Write "{folder}/{name}", so that the line is an arrow.'
    if "../" in name:
        return f'"{name}" climbs. Write the path from the root.'
    allowed = ARROWS.get(area)
    if allowed is None and area in ARROWS:
        return None
    if target == "include/error" and allowed & {"include"}:
        return None
    if target == area or target in allowed or (area == "include" and target == "include/error"):
        return None
    can = ", ".join(sorted(allowed)) or "nothing of ours outside include/netrunner"
    return (f"{area} must not include {target_path} ({target}). It may include: {can}. "
            "Return a value and let the room above carry it, or move the code to the room that owns it.")


def check_arrows(path, lines, spdlog_doors):
    area = area_of(path)
    if area is None:
        return
    if area not in ARROWS:
        yield 1, f"{area} is no room of the architecture. Use one of {', '.join(ARROWS)}, or add its arrows to ARROWS."
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, name = match.groups()
        problem = check_include(path, area, bracket, name)
        if problem:
            yield number, problem
        elif name.startswith(("spdlog/", "fmt/")) and path != SPDLOG_ADAPTER:
            spdlog_doors.setdefault(path, number)


def check_text(path, lines):
    if len(lines) > FILE_LINES_MAX:
        yield FILE_LINES_MAX + 1, (f"the file has {len(lines)} lines, more than {FILE_LINES_MAX}. "
                                   f"Split it by noun (aim: {FILE_LINES_AIM}).")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            yield number, f"the line has {len(line)} columns, more than {LINE_COLUMNS_MAX}. Break it."
        match = UNFINISHED.search(line)
        if match:
            yield number, f"{match.group()} is left in the tree. Do it, or name it in the README as not done."


def source_files(root):
    """Paths from the root of all text files that the checks read."""
    for top in TOP_FOLDERS:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                if name.endswith(CPP_SUFFIXES + (".py", ".sh", ".cmake", ".in")) or is_script(root, path):
                    yield path
    if os.path.exists(os.path.join(root, "CMakeLists.txt")):
        yield "CMakeLists.txt"


def is_script(root, path):
    if "." in os.path.basename(path):
        return False
    with open(os.path.join(root, path), "rb") as file:
        return file.read(2) == b"#!"


def check_tree(root):
    """All faults of a tree as (path, line, message), in the order of the paths."""
    faults, spdlog_doors = [], {}
    for path in source_files(root):
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            text = file.read()
        lines = text.splitlines()
        found = list(check_text(path, lines))
        if path.endswith(CPP_SUFFIXES):
            found += check_arrows(path, lines, spdlog_doors)
            found += [(line, f"the function has {length} lines, more than {FUNCTION_LINES_MAX}. "
                             "Give its steps names and functions of their own.")
                      for line, length in long_functions(text, FUNCTION_LINES_MAX)]
        faults += [(path, line, message) for line, message in sorted(found)]
    for path, line in sorted(spdlog_doors.items())[1:]:
        faults.append((path, line, f"spdlog has a second door. Log through the first, {min(spdlog_doors)}."))
    return faults


def main():
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../.."))
    faults = check_tree(root)
    for path, line, message in faults:
        print(f"{path}:{line}: {message}")
    if faults:
        print(f"{len(faults)} faults. The arrows and limits stand at the head of tests/tidy/check_tree.py.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
