# SPDX-License-Identifier: ISC
"""What kill_spool, outage and their tests share: a writer of numbered facts, and their checks."""
import contextlib
import json
import pathlib
import sqlite3
import subprocess
import threading


class Writer:
    """bench/spool_writer; `given` grows: (number, microseconds) of each fact."""

    def __init__(self, build, folder, name, place, rate, rows):
        kind = "pgsql" if place.startswith("postgres") else "sqlite"
        command = [build / "bench/spool_writer", folder, name, build / "plugins", kind, place, rate,
                   rows]
        self.name = name
        self.given = []
        self.process = subprocess.Popen([str(word) for word in command], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.complaints = ""
        self.readers = [threading.Thread(target=self.read), threading.Thread(target=self.listen)]
        for reader in self.readers:
            reader.start()

    def read(self):
        for line in self.process.stdout:
            if line.endswith("\n"):
                number, at_us = line.split()
                self.given.append((int(number), int(at_us)))

    def listen(self):
        self.complaints = self.process.stderr.read()

    def finish(self, seconds):
        """Waits for its end; returns the exit status."""
        status = self.process.wait(seconds)
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


def rows_of(place):
    """{name of the writer: [detail of each of its facts]}, as they are in the database."""
    question = ("SELECT substr(CAST(call_id AS TEXT), 16, 3) AS writer, detail FROM events "
                "WHERE type = 'written'")
    if place.startswith("postgres"):
        text = subprocess.run(["psql", "-qAtX", "-F", "\t", "-c", question, place], check=True,
                              capture_output=True, text=True).stdout
        found = [line.split("\t", 1) for line in text.splitlines()]
    else:
        with contextlib.closing(sqlite3.connect(place)) as connection:
            found = connection.execute(question).fetchall()
    rows = {}
    for writer, detail in found:
        rows.setdefault(int(writer, 16), []).append(detail)
    return rows


def check(details):
    """(numbers, how many are torn) of one writer's facts."""
    numbers, torn = [], 0
    for detail in details:
        fact = json.loads(detail)
        whole = fact["first"] == fact["last"] and fact["text"] == "0" * 200
        torn += not whole
        numbers.append(fact["first"])
    return numbers, torn


def make_database(build, folder, place, text):
    """The schema, by a configuration of one storage; returns its file."""
    key, plugin = ("url", "pgsql.so") if place.startswith("postgres") else ("path", "sqlite.so")
    conf = pathlib.Path(folder) / "spool.conf"
    conf.touch(mode=0o600)
    conf.write_text(text({"server": {"state_dir": str(folder), "plugin_dir":
                                     str(build / "plugins")},
                          "storage": "it", "providers": {"it": {"plugin": plugin, key: place}},
                          "agents": {"default": {"telephony": ["browser"], "stt": ["sphinx"],
                                                 "llm": ["script"], "tts": ["flite"]}}}),
                    encoding="utf-8")
    subprocess.run([build / "aicaller", "migrate", "-c", conf], check=True,
                   stdout=subprocess.DEVNULL)
    return conf
