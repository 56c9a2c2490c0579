# SPDX-License-Identifier: ISC
"""
What a spool promises, in short, on a machine that may be busy: the measurements themselves are
tests/bench/kill_spool and tests/bench/outage, which run here for seconds instead of minutes.
"""
import json
import subprocess

import pytest

import program


def bench(name, *arguments):
    result = subprocess.run([program.ROOT / "tests/bench" / name, program.BUILD, *arguments],
                            capture_output=True, text=True, check=False, timeout=120)
    lines = result.stdout.splitlines()
    assert lines, result.stderr
    return result, json.loads(lines[-1])


@pytest.mark.slow
def test_of_what_was_written_before_a_kill_the_last_moment_is_lost_at_most(built):
    assert built
    result, seen = bench("kill_spool", "--rounds", "20", "--limit-ms", "2000")
    assert seen["rounds"] == 20
    assert seen["kept"] > 1000
    assert (seen["torn"], seen["doubled"], seen["gaps"]) == (0, 0, 0)
    assert result.returncode == 0, seen


@pytest.mark.slow
def test_rows_written_while_postgresql_is_killed_are_there_afterwards_once(built, postgres_server):
    assert built and postgres_server  # which is not run everywhere
    result, seen = bench("outage", "--seconds", "5", "--calls", "0", "--rate", "300")
    assert seen["rows"]["given"] == seen["rows"]["in_database"] == 1500
    assert seen["rows"]["given_while_away"] > 750
    assert (seen["rows"]["lost"], seen["rows"]["doubled"], seen["rows"]["torn"]) == (0, 0, 0)
    assert result.returncode == 0, seen
