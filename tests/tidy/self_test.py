#!/usr/bin/env python3
"""Plants each fault that check_tree.py looks for in a small tree and sees it found; what is allowed stays silent."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from check_tree import check_tree  # noqa: E402

BODY = "  x += 1;\n"


def include(*names):
    return "".join(f"#include {name}\n" for name in names)


def function(lines, head="int f(int x) {"):
    return head + "\n" + BODY * (lines - 2) + "}\n"


ALLOWED = {
    "include/netrunner/spdlog.hpp": include("<spdlog/spdlog.h>", "<netrunner/log.hpp>"),
    "tests/promises/log_test.cpp": include("<netrunner/spdlog.hpp>", "<gtest/gtest.h>"),
    "include/netrunner/command.hpp": include("<netrunner/error.hpp>", "<string>"),
    "engine/os/pipe.cpp": include('"engine/os/pipe.hpp"', "<netrunner/error.hpp>", "<unistd.h>"),
    "engine/ring/ring.cpp": include('"engine/os/pipe.hpp"', "<liburing.h>", "<liburing/io_uring.h>"),
    "engine/wire/codec.cpp": include('"engine/os/memfd.hpp"', "<netrunner/limits.hpp>"),
    "engine/reactor/mailbox.cpp": include('"engine/ring/ring.hpp"', "<atomic>"),
    "engine/flow/outlet.cpp": include('"engine/reactor/reactor.hpp"', '"engine/ring/a.hpp"', "<netrunner/chunk.hpp>"),
    "engine/shepherd_link/link.cpp": include('"engine/wire/channel.hpp"', '"engine/reactor/timers.hpp"'),
    "engine/shard/log.cpp": include("<spdlog/spdlog.h>", '"engine/flow/outlet.hpp"', '"engine/wire/message.hpp"'),
    "engine/api/engine.cpp": include('"engine/shard/shard.hpp"', "<netrunner/engine.hpp>"),
    "shepherd/main.cpp": include('"engine/wire/codec.hpp"', '"engine/ring/ring.hpp"', "<netrunner/error.hpp>"),
    "tools/netrunner/run.cpp": include("<CLI/CLI.hpp>", "<nlohmann/json.hpp>", '"tools/netrunner/run.hpp"'),
    "tests/promises/flow_test.cpp": include("<gtest/gtest.h>", '"tests/support/host.hpp"', "<netrunner/engine.hpp>"),
    "tests/unit/flow/outlet_test.cpp": include('"engine/flow/outlet.hpp"', "<gtest/gtest.h>", "<atomic>"),
    "bench/spawn.cpp": include("<benchmark/benchmark.h>", "<netrunner/netrunner.hpp>", "<uv.h>"),
    "engine/flow/table.cpp": "constexpr int table[] = {\n" + "  1,\n" * 200 + "};\n",
    "engine/flow/many.cpp": "namespace a {\nstruct B {\n" + function(20) * 8 + "};\n}\n",
    "engine/flow/strings.cpp": 'const char* s = R"({{{)"; const char c = \'{\'; int n = 1\'000;\n' + function(80) * 2,
}

# (path, text, a piece of the message that must appear)
FAULTS = [
    ("include/netrunner/engine.hpp", include('"engine/shard/shard.hpp"'), "include must not include engine/shard"),
    ("engine/os/pipe.cpp", include('"engine/ring/ring.hpp"'), "os must not include engine/ring/ring.hpp"),
    ("engine/os/pipe.cpp", include("<netrunner/command.hpp>"), "os must not include include/netrunner/command.hpp"),
    ("engine/wire/codec.cpp", include('"engine/reactor/timers.hpp"'), "wire must not include engine/reactor"),
    ("engine/ring/ring.cpp", include('"engine/reactor/reactor.hpp"'), "ring must not include engine/reactor"),
    ("engine/reactor/reactor.cpp", include('"engine/wire/codec.hpp"'), "reactor must not include engine/wire"),
    ("engine/flow/outlet.cpp", include('"engine/containment/cgroup_manager.hpp"'), "flow must not include"),
    ("engine/containment/a.cpp", include('"engine/shepherd_link/link.hpp"'), "containment must not include"),
    ("engine/shepherd_link/a.cpp", include('"engine/flow/outlet.hpp"'), "shepherd_link must not include"),
    ("engine/shard/shard.cpp", include('"engine/api/engine.hpp"'), "shard must not include engine/api"),
    ("engine/shard/shard.cpp", include('"shepherd/child.hpp"'), "shard must not include shepherd/child.hpp"),
    ("engine/extra/a.cpp", "", "extra is no room of the architecture"),
    ("shepherd/main.cpp", include('"engine/reactor/reactor.hpp"'), "shepherd must not include engine/reactor"),
    ("shepherd/main.cpp", include("<netrunner/engine.hpp>"), "shepherd must not include include/netrunner/engine.hpp"),
    ("tools/netrunner/run.cpp", include('"engine/shard/shard.hpp"'), "tools must not include engine/shard"),
    ("tools/netrunner/run.cpp", include('"tests/support/host.hpp"'), "tools must not include tests/support"),
    ("bench/spawn.cpp", include('"engine/os/pipe.hpp"'), "bench must not include engine/os"),
    ("tests/promises/a_test.cpp", include('"engine/flow/outlet.hpp"'), "tests/promises must not include"),
    ("engine/flow/a.cpp", include('"outlet.hpp"'), 'Write "engine/flow/outlet.hpp"'),
    ("engine/flow/a.cpp", include('"netrunner/chunk.hpp"'), "Write <netrunner/chunk.hpp>"),
    ("engine/flow/a.cpp", include('"../flow/outlet.hpp"'), "climbs"),
    ("engine/reactor/a.cpp", include("<liburing.h>"), "through engine/ring"),
    ("tools/netrunner/a.cpp", include("<spdlog/spdlog.h>"), "engine/shard's one door"),
    ("include/netrunner/netrunner.hpp", include("<netrunner/spdlog.hpp>"), "take a netrunner::Logger"),
    ("engine/api/a.cpp", include("<CLI/CLI.hpp>"), "command lines in tools"),
    ("engine/api/a.cpp", include("<nlohmann/json.hpp>"), "JSON in tools"),
    ("engine/shard/a.cpp", include("<atomic>"), "mailbox"),
    ("include/netrunner/chunk.hpp", include("<atomic>"), "mailbox"),
    ("engine/flow/a.cpp", include("<gtest/gtest.h>"), "in tests only"),
    ("engine/flow/a.cpp", "\n" * 501, "the file has 501 lines"),
    ("tools/lib/a.sh", "\n" * 501, "the file has 501 lines"),
    ("engine/flow/a.cpp", function(91), "the function has 91 lines"),
    ("engine/flow/a.cpp", "struct S {\n" + function(91, "  void f(int x) const {") + "};\n", "has 91 lines"),
    ("engine/flow/a.cpp", function(91, "template <class T>\nvoid f(T x) {").replace(BODY, "", 1), "has 91 lines"),
    ("engine/flow/a.cpp", function(92, "A::A(int x) : a_{x}, b_{x} {"), "lines, more than 90"),
    ("tests/children/a.c", function(91, "struct s f(int x) {"), "has 91 lines"),
    ("engine/flow/a.cpp", "// " + "a" * 118 + "\n", "the line has 121 columns"),
    ("engine/flow/a.cpp", "// TO" + "DO: later\n", "is left in the tree"),
    ("tools/run_it", "#!/bin/sh\n# FIX" + "ME\n", "is left in the tree"),
    ("cmake/A.cmake", "# XX" + "X\n", "is left in the tree"),
]


def plant(root, files):
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


class TheTree(unittest.TestCase):
    def test_what_is_allowed_is_silent(self):
        with tempfile.TemporaryDirectory() as root:
            plant(root, ALLOWED)
            self.assertEqual(check_tree(root), [])

    def test_each_fault_is_found_once_with_its_place(self):
        for path, text, piece in FAULTS:
            with self.subTest(path=path, fault=piece), tempfile.TemporaryDirectory() as root:
                plant(root, {path: text})
                faults = check_tree(root)
                self.assertEqual([fault[0] for fault in faults], [path], faults)
                self.assertIn(piece, faults[0][2])
                self.assertGreaterEqual(faults[0][1], 1)

    def test_spdlog_has_one_door(self):
        with tempfile.TemporaryDirectory() as root:
            plant(root, {f"engine/shard/{name}.cpp": include("<spdlog/spdlog.h>") for name in ("a", "b")})
            self.assertEqual([fault[0] for fault in check_tree(root)], ["engine/shard/b.cpp"])

    def test_the_command_fails_and_prints_file_and_line(self):
        with tempfile.TemporaryDirectory() as root:
            plant(root, {"engine/os/a.cpp": "\n" + include('"engine/ring/ring.hpp"')})
            run = subprocess.run([sys.executable, "-B", os.path.join(HERE, "check_tree.py"), root],
                                 capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 1)
            self.assertTrue(run.stdout.startswith("engine/os/a.cpp:2: os must not include"), run.stdout)


if __name__ == "__main__":
    unittest.main()
