# SPDX-License-Identifier: ISC
"""The configuration's documentation, and what the shipped file says."""
import program


def test_the_reference_is_what_the_program_declares(aicaller):
    made = aicaller("config", "reference")
    assert made.returncode == 0, made.stderr
    written = (program.ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert made.stdout == written, "make it again: aicaller config reference >docs/configuration.md"


def test_the_shipped_file_is_good(aicaller):
    result = aicaller("check", "-c", program.ROOT / "conf/aicaller.conf")
    assert result.returncode == 0, result.stderr
