# SPDX-License-Identifier: ISC
"""`aicaller top`: what a running server does, on a terminal and for programs."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

import pytest

import program

MESSAGE = {"message": "I would like to make an appointment"}


@pytest.fixture
def server(serve, make_conf):
    path, port = make_conf({"server": {"workers": 2}})
    running = serve(conf=(path, port))
    running.conf = path
    return running


class Terminal:
    """A program on a terminal of its own; `last_screen` is its last picture."""

    def __init__(self, command, home, columns, rows):
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=slave, stdout=slave, stderr=slave,
            env=program.environment(home, TERM="xterm"), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.text = ""

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            try:
                self.text += os.read(self.master, 65536).decode()
            except OSError:
                break  # it has ended
        return self.text

    def last_screen(self):
        """The lines of the last whole picture."""
        pictures = self.read().split("\033[H")
        whole = [picture for picture in pictures if picture.endswith("\033[J")
                 or "\033[J" in picture]
        return re.sub(r"\033\[[?0-9]*[A-Za-z]", "", whole[-1]).split("\r\n") if whole else []

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def top(built, tmp_path):
    started = []

    def start(conf, columns=100, rows=30):
        started.append(Terminal([built, "top", "-c", conf], tmp_path, columns, rows))
        return started[-1]
    yield start
    for terminal in started:
        terminal.close()


def test_programs_get_the_numbers_as_json(server, aicaller):
    session = server.post("/calls/test-chat/", MESSAGE).json["session"]
    result = aicaller("top", "--json", "-c", server.conf)
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    assert seen["workers"] == 2
    assert seen["live"] == 1
    assert len(seen["calls"]) == 1
    assert seen["calls"][0]["agent"] == "default"
    assert seen["memory_bytes"] > 1000000
    assert 0 <= seen["uptime_s"] < 120
    assert {provider["name"] for provider in seen["providers"]} >= {"script"}
    assert {provider["state"] for provider in seen["providers"]} == {"ok"}
    assert seen["spool"]["dropped"] == 0
    assert session


def test_the_numbers_are_those_of_the_metrics_page(server, aicaller):
    for _ in range(3):
        assert server.post("/calls/test-chat/", MESSAGE).json["reply"]

    def moved():
        text = server.get("/metrics").text
        found = re.search(r"^aicaller_spool_facts_moved_total (\d+)$", text, re.MULTILINE)
        return int(found[1]) > 6 and (int(found[1]), text)
    program.eventually(moved, "facts are moved")

    def same():
        text = server.get("/metrics").text
        live = re.search(r"^aicaller_live_calls (\d+)$", text, re.MULTILINE)
        spool = re.search(r"^aicaller_spool_facts_moved_total (\d+)$", text, re.MULTILINE)
        seen = json.loads(aicaller("top", "--json", "-c", server.conf).stdout)
        return (int(live[1]), int(spool[1])) == (seen["live"], seen["spool"]["moved"])
    program.eventually(same, "both say the same")


def test_what_is_no_terminal_gets_one_look(server, aicaller):
    result = aicaller("top", "-c", server.conf)
    assert result.returncode == 0, result.stderr
    assert "\033" not in result.stdout
    assert result.stdout.startswith("aicaller  20")
    assert "calls     0 live" in result.stdout
    assert "storage   ok" in result.stdout
    assert "no live calls" in result.stdout


def test_on_a_terminal_it_goes_on_until_q(server, top):
    terminal = top(server.conf)
    program.eventually(lambda: "calls     0 live" in "\n".join(terminal.last_screen()), "it shows")
    assert server.post("/calls/test-chat/", MESSAGE).json["reply"]
    program.eventually(lambda: "calls     1 live" in "\n".join(terminal.last_screen()),
                       "the call is seen")
    assert any("default" in line for line in terminal.last_screen())
    os.write(terminal.master, b"q")
    assert terminal.process.wait(10) == 0
    assert terminal.read().endswith("\033[?25h\033[?1049l")


def test_lines_fit_the_terminal_also_after_it_was_made_smaller(server, top):
    terminal = top(server.conf, 120, 40)
    program.eventually(terminal.last_screen, "it shows")
    terminal.resize(40, 6)
    program.eventually(lambda: len(terminal.last_screen()) <= 6
                       and max(map(len, terminal.last_screen())) <= 40, "it fits")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(10) == 0
    assert terminal.read().endswith("\033[?25h\033[?1049l")


def test_it_ends_when_the_server_ends(server, top):
    terminal = top(server.conf)
    program.eventually(terminal.last_screen, "it shows")
    assert server.stop(signal.SIGINT) == 0
    assert terminal.process.wait(10) == 1
    assert "the server has ended" in terminal.read()


def test_a_provider_in_trouble_and_a_database_that_is_away_are_seen(serve, make_conf, aicaller,
                                                                   postgres):
    path, port = make_conf({"storage": "there", "providers": {
        "there": {"plugin": "pgsql.so", "url": postgres.url, "connect_timeout": "1s"}}})
    server = serve(conf=(path, port))
    postgres.ask("down")
    try:
        assert server.post("/calls/test-chat/", MESSAGE).json["reply"]

        def seen():
            return json.loads(aicaller("top", "--json", "-c", path).stdout)["spool"]
        program.eventually(lambda: seen()["storage_down_s"] > 0 and seen()["facts"] > 0,
                           "top says so")
        assert "DOWN for" in aicaller("top", "--once", "-c", path).stdout
    finally:
        postgres.ask("up")
    program.eventually(lambda: seen()["storage_down_s"] == 0 and seen()["facts"] == 0, "well", 30)


def test_without_a_server_it_says_so(aicaller, make_conf):
    path, _ = make_conf()
    result = aicaller("top", "-c", path)
    assert result.returncode == 1
    assert "no server runs" in result.stderr
