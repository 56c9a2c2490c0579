# SPDX-License-Identifier: ISC
"""A private PostgreSQL: tests/fakes/postgres as a child, which says what it can be told to do."""
import subprocess

from program import ROOT


class Postgres:
    """`url` leads to the database in use; `ask("down")`, `ask("up")` and so on break and mend."""

    def __init__(self):
        self.process = subprocess.Popen([ROOT / "tests/fakes/postgres"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.answer()

    def answer(self):
        line = self.process.stdout.readline().strip()
        assert line, "tests/fakes/postgres has ended; see its output"
        return line

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def use_new_database(self, name):
        self.url = self.ask(f"create {name}")

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        self.process.stdout.close()
