# SPDX-License-Identifier: ISC
"""The third-party modules of the pages are those that their list names, with their licences."""
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENDOR = ROOT / "host/web/static/vendor"


def check(folder=VENDOR):
    done = subprocess.run([ROOT / "packaging/vendor-web", "--check", "--folder", folder],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path):
    return pathlib.Path(shutil.copytree(VENDOR, tmp_path / "vendor"))


def test_every_module_has_the_checksum_in_the_list():
    assert check() == (0, "")


def test_a_changed_module_is_found(copy):
    with open(copy / "htm.js", "a", encoding="utf-8") as file:
        file.write(" ")
    assert check(copy) == (1, "htm.js is not what the list says: it was changed here\n")


def test_a_missing_and_an_unlisted_module_are_found(copy):
    (copy / "htm.js").rename(copy / "other.js")
    assert check(copy) == (1, "htm.js is missing\nother.js is not in the list\n")


def test_every_package_comes_with_its_licence():
    rows = [line.split() for line in (VENDOR / "vendor.txt").read_text("utf-8").splitlines()]
    packages = {row[1] for row in rows if row[:1] == ["package"]}
    licensed = {row[2] for row in rows if row[:1] == ["file"] and row[1].startswith("LICENSE-")}
    assert packages == licensed != set()


def test_no_module_imports_by_a_bare_name():
    for path in VENDOR.glob("*.js"):
        names = re.findall(r'(?:\bfrom|\bimport) *"(@?[\w/-]+)"', path.read_text("utf-8"))
        assert names == [], path.name
