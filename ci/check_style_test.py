"""Canaries for ci/check-style: small trees, each with one breach that it must find, and no other; and clean ones."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECK_STYLE = Path(__file__).with_name("check-style")

HEADER = """\
// What a lock is.
#ifndef LOCKD_ENGINE_LOCK_H_
#define LOCKD_ENGINE_LOCK_H_
{body}
#endif  // LOCKD_ENGINE_LOCK_H_
"""
SCRIPT = "#!/usr/bin/env bash\nset -euo pipefail\n"


def function_of(lines: int) -> str:
    """A function of so many lines, with what could mislead a counter of braces around it."""
    inside = "\n".join(["  work('{', \"}\", R\"({{{)\", 1'000);  // }"] * (lines - 2))
    return f"struct Pair {{\n  Pair() : a_{{1}}, b_{{2}} {{}}\n  int a_, b_;\n}};\n\nvoid long_one() {{\n{inside}\n}}\n"


class CheckStyle(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        file.chmod(mode)

    def write_source(self, path: str, text: str) -> None:
        """A source that is built, and opens as it should."""
        self.write(path, "// What this file is for.\n" + text)
        listing = self.root / path
        self.write(str(Path(path).with_name("CMakeLists.txt")), f"add_library(x {listing.name})\n")

    def breaches(self) -> list[str]:
        command = [sys.executable, str(CHECK_STYLE), str(self.root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        lines = done.stdout.splitlines()
        if done.returncode == 0:
            self.assertRegex(lines.pop(), "^[0-9]+ files, nothing to say$")
        self.assertEqual(done.returncode, 1 if lines else 0)
        return lines

    def assert_breach(self, where: str, what: str) -> None:
        (breach,) = self.breaches()
        self.assertTrue(breach.startswith(where + ": "), breach)
        self.assertIn(what, breach)

    def test_clean_tree_passes(self) -> None:
        includes = '#include <string>\n#include "model/types.h"\n'
        self.write("engine/lock.h", HEADER.format(body=includes + function_of(70)))
        self.write_source("engine/lock.cc", '#include "engine/lock.h"\n')
        self.write("ci/run-it", SCRIPT, mode=0o755)
        self.write("build/generated.cc", "\t")
        self.assertEqual(self.breaches(), [])

    def test_long_line(self) -> None:
        self.write_source("engine/lock.cc", "// " + "x" * 117 + "\n// " + "x" * 118 + "\n")
        self.assert_breach("engine/lock.cc:3", "line of 121 characters")

    def test_long_file(self) -> None:
        self.write_source("engine/lock.cc", "int a;\n" * 500)
        self.assert_breach("engine/lock.cc:501", "file of 501 lines")

    def test_long_function(self) -> None:
        self.write_source("engine/lock.cc", function_of(71))
        self.assert_breach("engine/lock.cc:7", "function of 71 lines")

    def test_long_function_in_a_class_template(self) -> None:
        body = "template <class T>\nclass Table final : public Base {\n public:\n" + function_of(71) + "};\n"
        self.write_source("engine/lock.cc", "namespace lockd {\n" + body + "}\n")
        self.assert_breach("engine/lock.cc:11", "function of 71 lines")

    def test_long_python_function(self) -> None:
        self.write("ci/tool.py", "def f():\n" + "    pass\n" * 70)
        self.assert_breach("ci/tool.py:1", "function of 71 lines")

    def test_tab(self) -> None:
        self.write_source("engine/lock.cc", "\tint a;\n")
        self.assert_breach("engine/lock.cc:2", "tab")

    def test_blanks_at_end_of_line(self) -> None:
        self.write("README.md", "lockd \n")
        self.assert_breach("README.md:1", "blanks at the end")

    def test_carriage_return(self) -> None:
        self.write("README.md", "lockd\r\n")
        self.assert_breach("README.md:1", "CR LF")

    def test_no_line_feed_at_end(self) -> None:
        self.write("README.md", "lockd")
        self.assert_breach("README.md:1", "line feed")

    def test_words_that_belong_elsewhere(self) -> None:
        for words in ("see /" + "home/me/lockd", "see /" + "work/notes", "see iss" + "ue 12", "TO" + "DO: more"):
            with self.subTest(words):
                self.write("README.md", words + "\n")
                self.assert_breach("README.md:1", "not to be written")

    def test_blanks_in_a_transcript_are_its_business(self) -> None:
        self.write("proptests/scenarios/blanks.txt", "> g \t a \n")
        self.assertEqual(self.breaches(), [])

    def test_no_opening_comment(self) -> None:
        for opening in ("#include <string>\n", '#include "engine/table.h"\n', "//\n// Banner\n", "// Copyright 2026\n"):
            with self.subTest(opening):
                self.write_source("engine/lock.cc", "")
                self.write("engine/lock.cc", opening)
                self.assert_breach("engine/lock.cc:1", "does not open with a comment")

    def test_own_header_may_open_a_source(self) -> None:
        self.write_source("engine/lock.cc", "")
        self.write("engine/lock.cc", '#include "engine/lock.h"\n')
        self.assertEqual(self.breaches(), [])

    def test_include_guard(self) -> None:
        self.write("server/lock.h", HEADER.format(body=""))
        self.assert_breach("server/lock.h:1", "include guard is not LOCKD_SERVER_LOCK_H_")

    def test_include_not_from_root(self) -> None:
        for header in ("lock.h", "../engine/lock.h"):
            with self.subTest(header):
                self.write_source("engine/table.cc", f'#include "{header}"\n')
                self.assert_breach("engine/table.cc:2", "not named from the root")

    def test_layers(self) -> None:
        for path, include in (
            ("model/a.cc", '"engine/lock.h"'),
            ("model/a.cc", "<unistd.h>"),
            ("model/a.cc", "<gtest/gtest.h>"),
            ("engine/a.cc", '"model/lock_model.h"'),
            ("engine/a.cc", '"server/protocol.h"'),
            ("engine/a.cc", "<boost/asio.hpp>"),
            ("engine/a_test.cc", '"model/lock_model.h"'),
            ("server/a.cc", '"model/lock_model.h"'),
            ("server/a.cc", '"proptests/generators.h"'),
        ):
            with self.subTest(f"{path} {include}"):
                self.write_source(path, f"#include {include}\n")
                self.assert_breach(f"{path}:2", "may not include " + include.strip('<>"'))
                (self.root / path).unlink()

    def test_layers_as_they_should_be(self) -> None:
        for path, include in (
            ("model/a.cc", "<string_view>"),
            ("engine/a_test.cc", "<gtest/gtest.h>"),
            ("engine/a_test.cc", "<rapidcheck.h>"),
            ("server/a.cc", "<sys/socket.h>"),
            ("server/a.cc", "<boost/asio.hpp>"),
            ("server/protocol.cc", '"engine/lock_table.h"'),
            ("server/protocol.cc", "<emmintrin.h>"),
            ("server/a_test.cc", '"model/lock_model.h"'),
            ("proptests/a.cc", '"model/lock_model.h"'),
        ):
            with self.subTest(f"{path} {include}"):
                self.write("engine/lock_table.h", HEADER.format(body="").replace("LOCK_H_", "LOCK_TABLE_H_"))
                self.write_source(path, f"#include {include}\n")
                self.assertEqual(self.breaches(), [])
                (self.root / path).unlink()

    def test_pure_files_reach_no_socket(self) -> None:
        for include in ("<boost/asio.hpp>", "<sys/socket.h>", "<spdlog/spdlog.h>", "<CLI/CLI.hpp>"):
            with self.subTest(include):
                self.write_source("server/session.cc", f"#include {include}\n")
                self.assert_breach("server/session.cc:2", "may not reach " + include.strip("<>"))

    def test_pure_files_reach_no_socket_by_another_header(self) -> None:
        wire = HEADER.format(body="#include <boost/asio.hpp>").replace("ENGINE_LOCK", "SERVER_WIRE")
        self.write("server/wire.h", wire)
        self.write_source("server/protocol_text.cc", '#include "server/wire.h"\n')
        self.assert_breach("server/protocol_text.cc:2", "may not reach boost/asio.hpp")

    def test_source_that_is_not_built(self) -> None:
        for file in ("lock.cc", "lock_test.cc"):
            self.write_source(f"engine/{file}", "")
            for listing in ("project(x)\n", f"# {file}\n", f"add_library(x big_{file})\n"):
                with self.subTest(f"{file} in {listing}"):
                    self.write("engine/CMakeLists.txt", listing)
                    self.assert_breach(f"engine/{file}:1", "not named in engine/CMakeLists.txt")
            (self.root / "engine" / file).unlink()

    def test_source_that_is_built(self) -> None:
        for file, listing in (
            ("lock_test.cc", "add_executable(x ${CMAKE_CURRENT_SOURCE_DIR}/lock_test.cc)\n"),
            ("lock_fuzzer.cc", "add_executable(${name} ${name}_fuzzer.cc)\n"),
        ):
            with self.subTest(file):
                self.write_source(f"fuzz/{file}", "")
                self.write("fuzz/CMakeLists.txt", "include(more.cmake)\n")
                self.write("fuzz/more.cmake", listing)
                self.assertEqual(self.breaches(), [])
                (self.root / "fuzz" / file).unlink()

    def test_test_behind_a_variable_may_be_none(self) -> None:
        self.write_source("engine/lock_test.cc", "")
        self.write("engine/CMakeLists.txt", "add_executable(x ${name}_test.cc)\n")
        self.assert_breach("engine/lock_test.cc:1", "not named in engine/CMakeLists.txt")

    def test_python_test_that_is_not_run(self) -> None:
        self.write("server/e2e/reset_test.py", "x = 1\n")
        self.assert_breach("server/e2e/reset_test.py:1", "not named in server/e2e/CMakeLists.txt")

    def test_script_that_cannot_be_run(self) -> None:
        self.write("ci/run-it", SCRIPT, mode=0o644)
        self.assert_breach("ci/run-it:1", "executable")

    def test_script_that_goes_on_after_an_error(self) -> None:
        self.write("ci/run-it", "#!/usr/bin/env bash\n: set -euo pipefail\n", mode=0o755)
        self.assert_breach("ci/run-it:1", "no `set -euo pipefail`")

    def test_script_with_a_syntax_error(self) -> None:
        self.write("ci/run-it", SCRIPT + "if true; then\n", mode=0o755)
        self.assert_breach("ci/run-it:1", "bash cannot read it")
        self.write("ci/run-it", "#!/usr/bin/env python3\nx = (\n", mode=0o755)
        self.assert_breach("ci/run-it:2", "python cannot read it")

    def test_names(self) -> None:
        self.write("engine/lock.hpp", "// A header.\n")
        self.assert_breach("engine/lock.hpp:1", "named .h and .cc")
        (self.root / "engine/lock.hpp").unlink()
        self.write_source("engine/LockTable.cc", "")
        self.assert_breach("engine/LockTable.cc:1", "snake_case")


if __name__ == "__main__":
    unittest.main()
