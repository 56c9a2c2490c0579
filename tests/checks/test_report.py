# SPDX-License-Identifier: ISC
"""The summary of tests/run counts and names what happened, and is good only if all is well."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import report  # noqa: E402  # pylint: disable=wrong-import-position

PROGRAM = """[==========] tests: Running 3 test(s).
[ RUN      ] first
[       OK ] first
[ RUN      ] a name: with words
{second}
[ RUN      ] third
[  SKIPPED ] third
[==========] tests: 3 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] third
"""


@pytest.fixture
def tell(tmp_path, capsys):
    def run(compiled="", python=""):
        (tmp_path / "ctest.xml").write_text(f"<testsuite>{compiled}</testsuite>")
        (tmp_path / "pytest.xml").write_text(f"<testsuites>{python}</testsuites>")
        good = report.tell([tmp_path / "ctest.xml", tmp_path / "pytest.xml"])
        return good, capsys.readouterr().out
    return run


def program(status, second):
    return (f'<testcase name="unit/a" status="{status}">'
            f"<system-out>{PROGRAM.format(second=second)}</system-out></testcase>")


def test_passed_and_skipped_ones_are_counted_and_the_skipped_named(tell):
    good, text = tell(
        program("run", "[       OK ] a name: with words"),
        '<testcase classname="system.test_b" name="test_c"/><testcase classname="system.test_b"'
        ' name="test_d"><skipped message="no browser"/></testcase>')
    assert good
    assert "3 passed, 0 failed, 2 skipped" in text
    assert "skipped: unit/a: third" in text
    assert "skipped: system/test_b.py::test_d (no browser)" in text


def test_a_failed_one_is_named_once(tell):
    good, text = tell(program("fail", "[  FAILED  ] a name: with words"))
    assert not good
    assert "1 passed, 1 failed, 1 skipped" in text
    assert text.count("failed: unit/a: a name: with words") == 1


def test_a_program_that_crashed_has_failed(tell):
    good, text = tell('<testcase name="unit/a" status="fail"><failure message="SEGFAULT"/>'
                      "<system-out>[ RUN      ] first</system-out></testcase>")
    assert not good and "failed: unit/a (SEGFAULT)" in text


def test_an_error_in_a_fixture_has_failed(tell):
    good, text = tell(python='<testcase classname="a" name="b"><error message="x"/></testcase>')
    assert not good and "failed: a.py::b" in text


def test_nothing_at_all_is_no_success(tell):
    good, text = tell()
    assert not good and "no test ran" in text


FAILED = ('<testcase classname="system.test_b" name="test_c[x]"><failure message="{why}">{why}'
          "</failure></testcase>")


def test_what_passes_by_itself_is_named_as_unsteady(tmp_path, capsys):
    first, again = tmp_path / "pytest.xml", tmp_path / "again.xml"
    first.write_text(f"<testsuites>{FAILED.format(why='late')}</testsuites>")
    assert report.repeatable(first) == ["tests/system/test_b.py::test_c[x]"]
    again.write_text('<testsuites><testcase classname="system.test_b" name="test_c[x]"/>'
                     "</testsuites>")
    assert report.tell([first], again)
    assert "unsteady: system/test_b.py::test_c[x]" in capsys.readouterr().out
    again.write_text(first.read_text())
    assert not report.tell([first], again), "what fails twice has failed"


def test_a_finding_of_a_sanitizer_gets_no_second_try(tmp_path):
    path = tmp_path / "pytest.xml"
    path.write_text(f"<testsuites>{FAILED.format(why='WARNING: ThreadSanitizer: data race')}"
                    "</testsuites>")
    assert report.repeatable(path) is None
