# SPDX-License-Identifier: ISC
"""What the plugin guide tells the reader to do is done here, word for word."""
import os
import re
import stat
import subprocess

import pytest

import program

GUIDE = (program.ROOT / "docs/plugin-guide.md").read_text(encoding="utf-8")
CACHE = (program.BUILD / "CMakeCache.txt").read_text(encoding="utf-8")


def block(language, number=0):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.M | re.S)[number]


@pytest.fixture
def installed(tmp_path):
    """The development files, and a pkg-config that finds them where they are, not in /usr."""
    prefix = tmp_path / "prefix"
    subprocess.run(["cmake", "--install", program.BUILD, "--prefix", prefix, "--component", "dev"],
                   check=True, capture_output=True, timeout=60)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "pkg-config").write_text('#!/bin/sh\nexec /usr/bin/pkg-config --define-prefix "$@"\n')
    (tools / "pkg-config").chmod(stat.S_IRWXU)
    folder = next(prefix.rglob("aicaller-sdk.pc")).parent
    return {"PATH": f"{tools}:{program.BUILD}:{os.environ['PATH']}", "PKG_CONFIG_PATH": folder}


@pytest.mark.slow
@pytest.mark.skipif("AICALLER_SANITIZE:STRING=\n" not in CACHE,
                    reason="a sanitized helper library needs the sanitizer's runtime")
def test_the_example_is_built_checked_and_talked_to(tmp_path, installed):
    (tmp_path / "echo.c").write_text(block("c"), encoding="utf-8")
    (tmp_path / "echo.conf").write_text(block("conf"), encoding="utf-8")
    environment = program.environment(tmp_path, **{name: str(value)
                                                   for name, value in installed.items()})

    def shell(command, text=""):
        return subprocess.run(["sh", "-e", "-c", command], cwd=tmp_path, env=environment,
                              input=text, text=True, capture_output=True, timeout=60, check=False)

    built = shell(block("sh"))
    assert built.returncode == 0 and not built.stderr, built.stderr
    info, check, talk = block("sh", 1).splitlines()
    result = shell(info)
    assert "Says everything back." in result.stdout and "You said: " in result.stdout
    result = shell(check)
    assert result.returncode == 0, result.stderr
    result = shell(talk, "good morning\n")
    assert result.returncode == 0, result.stderr
    assert "Hello." in result.stdout
    assert "Somebody said: good morning" in result.stdout


def test_the_files_that_the_guide_names_exist():
    names = re.findall(r"`((?:sdk|plugins|tests|host)/[\w./-]+)`", GUIDE)
    assert len(names) > 5
    assert not [name for name in names if not (program.ROOT / name).exists()]
