# SPDX-License-Identifier: ISC
"""The tree passes every check; and every check finds what is planted for it."""
import json
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LINT = {"check_cppcheck", "check_format", "check_shell", "check_tidy"}
SPDX = "/* SPDX-License-Identifier: ISC */\n"


def run(check, *arguments):
    result = subprocess.run([HERE / check, *map(str, arguments)], capture_output=True, text=True,
                            check=False)
    if result.returncode == 77:
        pytest.skip(result.stdout.strip())
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("check", [
    pytest.param(path.name, marks=pytest.mark.lint if path.name in LINT else ())
    for path in sorted(HERE.glob("check_*"))])
def test_the_tree_passes(check):
    status, output = run(check)
    assert status == 0, output


class Tree:
    """A small tree of its own, for planting."""

    def __init__(self, root):
        self.root = root

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def finds(self, check, *texts):
        status, output = run(check, "--root", self.root)
        assert status == 1, f"{check} found nothing: {output}"
        for text in texts:
            assert text in output

    def passes(self, check):
        status, output = run(check, "--root", self.root)
        assert status == 0, output


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


@pytest.fixture
def layered(tree):
    """A tree with the folders that the layers are about, and nothing wrong with it."""
    shutil.copytree(ROOT / "sdk", tree.root / "sdk")
    tree.write("host/base/log.h", "#include <stdint.h>\n")
    tree.write("host/io/loop.h", '#include "base/log.h"\n#include <uv.h>\n')
    tree.write("host/call/call.c", '#include "base/log.h"\n#include "buf.h"\n')
    tree.write("host/main.c", '#include "io/loop.h"\n')
    tree.write("plugins/core/CMakeLists.txt", "add_library(core STATIC core.c)\n")
    tree.write("plugins/core/core.h", "#include <stddef.h>\n")
    tree.write("plugins/other/CMakeLists.txt", "aicaller_plugin(NAME other)\n")
    tree.write("plugins/other/other.h", "#include <stddef.h>\n")
    tree.write("plugins/mine/CMakeLists.txt", "aicaller_plugin(NAME mine)\n")
    tree.write("plugins/mine/plugin.c",
               '#include "protocol.h"\n#include "core/core.h"\n#include <aicaller/aicaller.h>\n')
    tree.write("plugins/mine/protocol.h", '#include "json.h"\n#include <aicaller/stt.h>\n')
    tree.passes("check_layers")
    return tree


@pytest.mark.parametrize("name, line, finding", [
    ("host/base/a.c", '#include "io/loop.h"', "right of host/base"),
    ("host/call/a.c", '#include "web/pages.h"', "neither of the host"),
    ("host/call/a.c", '#include "io/loop.h"', "base/sched.h"),
    ("host/call/a.c", "    now = clock_gettime(CLOCK_MONOTONIC, &t);", "reads a clock"),
    ("host/base/a.c", "#include <uv.h>", "host/io/* only"),
    ("host/call/a.c", "#include <curl/curl.h>", "host/io/* only"),
    ("host/web/a.c", "#include <uv.h>", "host/io/* only"),
    ("host/call/a.c", "#include <sqlite3.h>", "host/call/spool*.c only"),
    ("host/io/a.c", "#include <dlfcn.h>", "host/plugin/* only"),
    ("host/base/a.c", "#include <json-c/json.h>", "sdk/lib/json*.c only"),
    ("host/base/a.c", "#include <libconfig.h>", "host/base/config*.c, plugins/* only"),
    ("host/base/a.c", "#include <unheard_of.h>", "not in this check's table"),
    ("plugins/mine/a.c", '#include "base/log.h"', "may not include"),
    ("plugins/mine/a.c", '#include "../../host/base/log.h"', "leaves its folder"),
    ("plugins/mine/a.c", '#include "other/other.h"', "may not include"),
    ("plugins/mine/a.c", "#include <uv.h>", "host/io/* only"),
    ("plugins/mine/protocol.c", "#include <aicaller/host.h>", "needs the host"),
    ("plugins/mine/protocol.c", "#include <aicaller/plugin.h>", "needs the host"),
    ("plugins/mine/protocol.c", "#include <sqlite3.h>", "library header"),
    ("plugins/mine/protocol.c", "    return time(NULL);", "reads a clock"),
    ("sdk/include/aicaller/a.h", "#include <json-c/json.h>", "may not include"),
    ("sdk/lib/a.c", '#include "log.h"', "not in sdk/lib"),
])
def test_layers_finds_an_include_across_an_edge(layered, name, line, finding):
    layered.write(name, line + "\n")
    layered.finds("check_layers", f"{name}:1:", finding)


def compile_plugin(tree, source, *flags):
    (tree.root / "build/plugins").mkdir(parents=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o",
                    tree.root / "build/plugins/mine.so", *flags], input=source, text=True,
                   check=True)


def test_symbols_passes_a_plugin_with_one_symbol(tree):
    compile_plugin(tree, "const void *aicaller_plugin(void) { return 0; }\n")
    tree.passes("check_symbols")


def test_symbols_finds_a_second_exported_symbol(tree):
    compile_plugin(tree, "void helper(void) {}\nvoid *aicaller_plugin(void) { return 0; }\n")
    tree.finds("check_symbols", "helper")


def test_symbols_finds_a_plugin_without_its_entry(tree):
    compile_plugin(tree, "static int nothing;\n")
    tree.finds("check_symbols", "exports nothing")


def test_symbols_finds_a_symbol_that_only_the_host_has(tree):
    compile_plugin(tree, "void log_write(void);\n"
                   "void *aicaller_plugin(void) { log_write(); return 0; }\n")
    tree.finds("check_symbols", "log_write")


@pytest.mark.parametrize("text, finding", [
    ("struct aic_str a_variable_without_a_type_known_here;", "has incomplete type"),
    ("struct aic_bad { int class; };", "g++"),
    ("static inline int32_t aic_bad(int64_t wide) { return wide; }", "conversion"),
])
def test_headers_finds_a_header_that_does_not_stand_alone(tree, text, finding):
    tree.write("sdk/include/aicaller/abi.h",
               (ROOT / "sdk/include/aicaller/abi.h").read_text(encoding="utf-8"))
    tree.passes("check_headers")
    include = "" if "without" in text else "#include <stdint.h>\n"
    tree.write("sdk/include/aicaller/bad.h",
               f"#ifndef BAD_H\n#define BAD_H\n{include}{text}\n#endif\n")
    status, output = run("check_headers", "--root", tree.root)
    assert status == 1 and "bad.h:1:" in output
    assert finding in output or "not complete" in output


@pytest.mark.parametrize("page, text, finding", [
    ("README.md", "See [the guide](docs/gone.md).", "docs/gone.md leads nowhere"),
    ("docs/architecture.md", "See [there](#nowhere).", "no heading #nowhere"),
    ("docs/architecture.md", "The sound comes in at `io/gone.c`.", "there is no io/gone.c"),
    ("docs/architecture.md", "Then `host/io/{ws,gone}.c`.", "there is no host/io/{ws,gone}.c"),
])
def test_docs_finds_a_dead_name_or_link(tree, page, text, finding):
    tree.write("host/io/ws.c", SPDX)
    tree.write("docs/architecture.md", "# The way\n\n`io/ws.[ch]`, [up](#the-way), `text/html`\n")
    tree.passes("check_docs")
    tree.write(page, f"# The way\n\n{text}\n")
    tree.finds("check_docs", page, finding)


@pytest.mark.parametrize("name, text, finding", [
    ("a.c", SPDX + "int x;\n" * 600, "601 lines"),
    ("a.c", SPDX + "int f(void)\n{\n" + "    g();\n" * 61 + "}\n", "f has 61 lines"),
    ("a.py", "# SPDX-License-Identifier: ISC\ndef f():\n" + "    g()\n" * 61, "f has 61 lines"),
    ("a.c", SPDX + "int x; /* " + "x" * 100 + " */\n", "columns"),
    ("a.c", SPDX + "int x; // TODO\n", "left undone"),
    ("a.md", "FIXME\n", "left undone"),
    ("a.c", SPDX + "void f(char *a)\n{\n    strcpy(a, a);\n}\n", "strcpy is banned"),
    ("a.md", "Kept in /work/shared/.\n", "a path of one machine"),
    ("a.md", "See issue #12.\n", "the number of an issue"),
    ("a.c", "int x;\n", "SPDX"),
])
def test_limits_finds_what_the_house_rules_forbid(tree, name, text, finding):
    tree.write("fine.c", SPDX + "int f(void)\n{\n" + "    g();\n" * 60 + "}\n")
    tree.passes("check_limits")
    tree.write(name, text)
    tree.finds("check_limits", name, finding)


@pytest.fixture
def headers(tree):
    """A copy of the SDK whose headers a test may change."""
    shutil.copytree(ROOT / "sdk", tree.root / "sdk")

    def change(name, old, new):
        path = tree.root / "sdk/include/aicaller" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has changed; mend this test"
        path.write_text(text.replace(old, new), encoding="utf-8")
    tree.change = change
    return tree


HOST_END = "    const void *(*get_service)(const struct aic_host *host, const char *id);\n"


def test_abi_passes_a_member_at_the_end(headers):
    headers.change("host.h", HOST_END, HOST_END + "    int32_t (*more)(void);\n")
    headers.passes("check_abi")


def test_abi_passes_a_new_struct_and_a_new_constant(headers):
    headers.change("abi.h", "AIC_ERROR_CONFLICT = -15", "AIC_ERROR_CONFLICT = -15,\n"
                   "    AIC_ERROR_NEW = -16")
    headers.change("host.h", "struct aic_host {", "struct aic_new {\n    int a;\n};\n\n"
                   "struct aic_host {")
    headers.passes("check_abi")


@pytest.mark.parametrize("header, old, new, finding", [
    ("host.h", HOST_END, "    int32_t (*more)(void);\n" + HOST_END, "aic_host"),
    ("host.h", HOST_END, "", "aic_host"),
    ("abi.h", "    size_t len;\n", "    size_t len;\n    size_t more;\n", "aic_str"),
    ("abi.h", "AIC_ERROR_BUSY = -4", "AIC_ERROR_BUSY = -40", "AIC_ERROR_BUSY was -4, is -40"),
    ("abi.h", "AIC_ERROR_BUSY = -4", "AIC_ERROR_FULL = -4", "AIC_ERROR_BUSY was -4, is gone"),
    ("clock.h", '"aicaller.clock/1"', '"aicaller.clock/2"', "AIC_SERVICE_CLOCK"),
])
def test_abi_finds_a_break(headers, header, old, new, finding):
    headers.change(header, old, new)
    headers.finds("check_abi", finding, "--refresh")


@pytest.mark.lint
def test_format_finds_a_badly_written_file(tree):
    shutil.copy(ROOT / ".clang-format", tree.root)
    tree.write("good.c", "int x;\n")
    tree.passes("check_format")
    tree.write("bad.c", "int   x ;\n")
    tree.finds("check_format", "bad.c:1:")


@pytest.mark.lint
def test_shell_finds_an_unquoted_variable(tree):
    tree.write("good", '#!/bin/sh\nrm -f "$1"\n')
    tree.passes("check_shell")
    tree.write("bad", "#!/bin/sh\nrm -f $1\n")
    tree.finds("check_shell", "bad:2:")


@pytest.mark.lint
def test_cppcheck_finds_a_write_past_an_array(tree):
    tree.write("host/a.c", "void f(void)\n{\n    char a[2];\n    a[2] = 0;\n}\n")
    tree.finds("check_cppcheck", "host/a.c:4")


@pytest.mark.lint
@pytest.mark.parametrize("text, finding", [
    ("int f(int *p)\n{\n    if (p)\n        return 1;\n    return 0;\n}\n", "braces"),
    ("int f(void)\n{\n    int *p = 0;\n    return *p;\n}\n", "null pointer"),
    ("int f(int a, int b, int c, int d, int e, int g, int h);\n"
     "int f(int a, int b, int c, int d, int e, int g, int h)\n"
     "{\n    return a + b + c + d + e + g + h;\n}\n", "7 parameters"),
])
def test_tidy_finds_what_its_rules_forbid(tree, text, finding):
    shutil.copy(ROOT / ".clang-tidy", tree.root)
    tree.write("a.c", text)
    tree.write("build-clang/compile_commands.json", json.dumps(
        [{"directory": str(tree.root), "command": "clang -c a.c",
          "file": str(tree.root / "a.c")}]))
    tree.finds("check_tidy", "a.c:", finding)
