# SPDX-License-Identifier: ISC
"""Workers that die, hang or are replaced together with the program, and what is kept of them."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

import program
from master_server import CONFLICT, DENIED, LINE_SERVER, Masters, Stream


@pytest.fixture
def master(tmp_path):
    """master(settings) -> a Master, not started."""
    masters = Masters(tmp_path)
    yield masters
    masters.finish()


@pytest.fixture
def own_binary(tmp_path):
    """A copy of the program, which a test may replace."""
    path = tmp_path / "server"
    shutil.copy(LINE_SERVER, path)
    return path


def replace(path, text=None):
    """Puts another file at the path, as a package manager does."""
    other = path.with_suffix(".new")
    if text is None:
        shutil.copy(LINE_SERVER, other)
    else:
        other.write_text(text, encoding="utf-8")
        other.chmod(0o755)
    other.rename(path)


def test_a_killed_worker_is_replaced_and_its_calls_are_reported(master):
    server = master(marker="one").start()
    with server.connect_to(worker=0) as doomed, server.connect_to(worker=1) as other:
        for number in range(3):
            assert doomed.status(f"claim doomed-{number}") == 0
        assert doomed.ask("release doomed-2") == "released"
        assert other.status("claim other") == 0
        pid, survivor = doomed.who()["pid"], other.who()["pid"]
        os.kill(pid, signal.SIGKILL)
        program.eventually(lambda: server.noted("interrupted"), "the calls are reported")
        program.eventually(lambda: len(server.workers("ready")) == 2, "it is replaced")
        assert pid not in server.pids() and survivor in server.pids()
        told = server.noted("interrupted")
        assert len(told) == 1 and told[0][0] != pid
        calls = json.loads(told[0][1])
        assert sorted(call["call_id"] for call in calls) == ["doomed-0", "doomed-1"]
        assert {call["summary"]["pid"] for call in calls} == {pid}
        # Nobody owns them now; the other worker's call was not touched.
        assert other.status("claim doomed-0") == 0
        assert [call["call_id"] for call in json.loads(server.control("calls.list")[1])
                if call["call_id"] == "other"] == ["other"]
        for call in ("doomed-0", "other"):
            other.ask(f"release {call}")
    assert "signal 9" in server.log


def test_the_only_worker_is_replaced_and_its_successor_gets_its_calls(master):
    server = master(workers=1).start()
    with server.connect() as connection:
        assert connection.status("claim call-1") == 0
        pid = connection.who()["pid"]
        os.kill(pid, signal.SIGKILL)
    program.eventually(lambda: server.noted("interrupted"), "the call is reported")
    told_pid, text = server.noted("interrupted")[0]
    assert told_pid != pid and json.loads(text)[0]["call_id"] == "call-1"


def test_the_spool_of_a_dead_worker_is_adopted_once(master):
    server = master().start()
    with server.connect() as connection:
        who = connection.who()
        os.kill(who["pid"], signal.SIGKILL)
    program.eventually(lambda: server.noted("spool.adopt"), "the spool is passed on")
    pid, text = server.noted("spool.adopt")[0]
    assert json.loads(text) == {"spool": who["spool"]} and pid != who["pid"]
    program.eventually(lambda: not (server.state / "spool" / who["spool"]).exists(), "it is taken")
    program.eventually(lambda: len(server.workers("ready")) == 2, "the worker is replaced")
    assert len(server.noted("spool.adopt")) == 1
    with server.connect() as connection:
        assert connection.who()["spool"] != who["spool"]


def test_a_spool_whose_adopter_dies_is_passed_on_again(master):
    server = master(workers=1, adopt="keep").start()
    with server.connect() as connection:
        first = connection.who()
    os.kill(first["pid"], signal.SIGKILL)
    program.eventually(lambda: server.noted("spool.adopt"), "the spool is passed on")
    os.kill(server.noted("spool.adopt")[0][0], signal.SIGKILL)
    program.eventually(lambda: len(server.noted("spool.adopt")) == 3, "both spools are passed on")
    names = [json.loads(text)["spool"] for _, text in server.noted("spool.adopt")]
    assert names.count(first["spool"]) == 2 and len(set(names)) == 2


def test_a_spool_of_an_earlier_run_is_adopted_at_the_start(master):
    server = master(workers=1)
    (server.state / "spool").mkdir(parents=True)
    (server.state / "spool/18f-1.db").write_text("")
    (server.state / "spool/18f-1.db-wal").write_text("")
    server.start()
    program.eventually(lambda: server.noted("spool.adopt"), "the spool is passed on")
    assert [json.loads(text) for _, text in server.noted("spool.adopt")] == [
        {"spool": "18f-1.db"}]


def test_a_worker_that_leaves_cleanly_leaves_no_spool(master):
    server = master().start()
    server.reload()
    program.eventually(lambda: len(server.workers()) == 2, "the old generation has left")
    assert not server.noted("spool.adopt")
    assert len(list((server.state / "spool").iterdir())) == 2


@pytest.mark.parametrize("word", ["crash", "exit"])
def test_a_worker_that_ends_by_itself_is_replaced(master, word):
    server = master().start()
    before = server.pids()
    with server.connect() as connection:
        with pytest.raises(ConnectionError):
            connection.ask(word)
    program.eventually(lambda: len(server.workers("ready")) == 2 and server.pids() != before,
                       "it is replaced")
    assert "a worker died" in server.log


def test_five_deaths_are_mended_at_once_and_the_next_ones_after_pauses(master):
    server = master(workers=1).start()
    for death in range(7):
        with server.connect() as connection:
            pid = connection.who()["pid"]
        os.kill(pid, signal.SIGKILL)
        # The one after it serves as soon as it has started: the listening socket never closes.
        with server.connect() as connection:
            assert connection.who()["pid"] != pid
        paused = "workers die one after the other" in server.log
        assert paused == (death >= 5), f"death {death}:\n{server.log}"
    assert "pause_ms=1000" in server.log and "pause_ms=2000" in server.log


@pytest.mark.parametrize("how", ["stopped", "spin"])
def test_a_stuck_worker_is_ended_and_replaced(master, how):
    server = master(heartbeat_limit_ms=1000).start()
    with server.connect() as connection:
        assert connection.status("claim call-1") == 0
        pid = connection.who()["pid"]
        if how == "stopped":
            os.kill(pid, signal.SIGSTOP)
        else:
            connection.socket.sendall(b"spin\n")
        # What it does not accept the other one does, all the while.
        for _ in range(20):
            with server.connect() as other:
                assert other.who()["pid"] != pid
        program.eventually(lambda: pid not in server.pids(), "it is ended")
    program.eventually(lambda: len(server.workers("ready")) == 2, "it is replaced")
    program.eventually(lambda: server.noted("interrupted"), "its call is reported")
    assert "its heartbeat stands still" in server.log


def test_nobody_is_blamed_when_everything_was_frozen(master):
    server = master(heartbeat_limit_ms=1500).start()
    before = server.pids()
    everyone = [server.pid, *before]
    for pid in everyone:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(3)  # the time that is lost is what this test is about
    for pid in everyone:
        os.kill(pid, signal.SIGCONT)
    server.reload()  # the master has been round several times since
    assert "stuck" not in server.log
    assert "a worker died" not in server.log


def test_killing_workers_under_a_stream_of_connections_harms_only_their_own(master):
    server = master(workers=3).start()
    address = server.address
    with Stream(address, threads=2) as stream:
        for _ in range(4):
            pid = server.workers("ready")[0]["pid"]
            os.kill(pid, signal.SIGKILL)
            program.eventually(lambda: pid not in server.pids() and
                               len(server.workers("ready")) == 3, "it is replaced")
    # A connection is at risk between its accept and its answer in the one that is killed.
    assert len(stream.failed) <= 4 * 2, stream.failed
    assert stream.answered > 50
    assert not [reason for reason in stream.failed if "Refused" in reason]


def test_tokens_and_buckets_are_shared_by_all_workers(master):
    server = master().start()
    with server.connect_to(worker=0) as one, server.connect_to(worker=1) as other:
        assert one.status("token nonce") == 0
        assert other.status("token nonce") == CONFLICT
        assert [one.status("take key") for _ in range(2)] == [0, 0]
        assert other.status("take key") == 0
        assert other.ask("take key").startswith(f"{DENIED} {{\"retry_after_ms\":1")
        assert one.status("claim call-1") == 0
        assert other.status("claim call-1") == CONFLICT
        assert len(json.loads(other.ask("list").split(" ", 1)[1])) == 1
        one.ask("release call-1")


def test_a_worker_that_is_started_again_gets_what_its_generation_began_with(master):
    server = master(workers=1, marker="one")
    plugin = server.folder / "plugin.so"
    plugin.write_text("first", encoding="utf-8")
    server.configure(plugin=plugin)
    server.start()
    replace(plugin, "second")
    server.configure(marker="two", check="problem")
    with server.connect() as connection:
        assert connection.ask("plugin") == "first"
        os.kill(connection.who()["pid"], signal.SIGKILL)
    with server.connect() as connection:
        assert connection.who()["marker"] == "one"
        assert connection.ask("plugin") == "first"
    server.configure(check="good")
    server.reload()
    with server.connect_to(generation=2) as connection:
        assert connection.who()["marker"] == "two"
        assert connection.ask("plugin") == "second"


def test_usr2_goes_over_to_a_new_program_and_keeps_calls_and_connections(master, own_binary):
    server = master(binary=own_binary, marker="one").start()
    pid, address = server.pid, server.address
    with server.connect() as connection:
        assert connection.status("claim call-1") == 0
        assert connection.status("token nonce") == 0
        replace(own_binary)
        server.configure(marker="two")
        with Stream(address) as stream:
            server.send(signal.SIGUSR2)
            server.logged("the new program has taken over")
            server.logged("a new generation has taken over")
            program.eventually(lambda: 2 in stream.generations, "the new generation is seen")
        assert not stream.failed
        print(f"{stream.answered} connections across an upgrade, {len(stream.failed)} lost")
        assert server.process.poll() is None and server.pid == pid
        old = connection.who()
        assert old["marker"] == "one" and old["program"].endswith("(deleted)")
        with server.connect_to(generation=2) as new:
            who = new.who()
            assert who["marker"] == "two" and not who["program"].endswith("(deleted)")
            assert new.ask("relay call-1") == '0 {"x":1}'
            assert new.status("token nonce") == CONFLICT
            assert new.status("claim call-1") == CONFLICT
        assert connection.ask("release call-1") == "released"
    program.eventually(lambda: len(server.pids()) == 2, "the old workers have left")
    server.send(signal.SIGTERM)
    assert server.wait() == 0


def test_a_command_line_does_not_notice_an_upgrade(master, own_binary):
    server = master(binary=own_binary, workers=1).start()
    command = [str(own_binary), "tail", str(server.state), ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout.readline() == "subscribed\n"
        assert server.control("version")[0] == 0
        server.send(signal.SIGUSR2)
        server.logged("a new generation has taken over")
        with server.connect() as connection:
            connection.ask("publish still here")
        assert tail.stdout.readline() == "test.topic still here\n"
        server.send(signal.SIGTERM)
        assert server.wait() == 0


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\nkill -11 $$\n",
                                  "not a program\n"])
def test_usr2_with_a_program_that_does_not_prove_itself_changes_nothing(master, own_binary, text):
    server = master(binary=own_binary).start()
    before = server.pids()
    replace(own_binary, text)
    ready = server.count("READY")
    server.send(signal.SIGUSR2)
    program.eventually(lambda: server.count("READY") > ready, "the upgrade has ended")
    assert "upgrade refused, nothing has changed" in server.log
    replace(own_binary)  # `control` needs it
    assert server.pids() == before
    server.reload()
    program.eventually(lambda: len(server.pids()) == 2, "the old workers have left")


def test_usr2_with_a_configuration_that_is_refused_changes_nothing(master, own_binary):
    server = master(binary=own_binary).start()
    before = server.pids()
    server.configure(check="problem")
    ready = server.count("READY")
    server.send(signal.SIGUSR2)
    program.eventually(lambda: server.count("READY") > ready, "the upgrade has ended")
    assert server.pids() == before
    assert "upgrade refused" in server.log


def test_ten_upgrades_in_a_row_leave_nothing_behind(master, own_binary):
    server = master(binary=own_binary, workers=1).start()

    def upgrade():
        ready = server.count("READY")
        replace(own_binary)
        server.send(signal.SIGUSR2)
        program.eventually(lambda: server.count("READY") > ready, "the upgrade has ended")
        program.eventually(lambda: len(server.pids()) == 1, "the old worker has left")
        return server.info()["generation"]
    assert upgrade() == 2
    before = server.open_files()
    assert [upgrade() for _ in range(9)] == list(range(3, 12))
    program.eventually(lambda: server.open_files() <= before, "no file is left open")


def test_a_worker_that_dies_after_an_upgrade_is_replaced(master, own_binary):
    server = master(binary=own_binary, workers=1).start()
    with server.connect() as old:
        assert old.status("claim call-1") == 0
        server.send(signal.SIGUSR2)
        server.logged("a new generation has taken over")
        os.kill(old.who()["pid"], signal.SIGKILL)
        program.eventually(lambda: server.noted("interrupted"), "its call is reported")
    with server.connect_to(generation=2) as connection:
        pid = connection.who()["pid"]
        os.kill(pid, signal.SIGKILL)
    with server.connect() as connection:
        assert connection.who()["pid"] != pid
        assert connection.who()["generation"] == 2


@pytest.mark.slow
def test_random_troubles_leave_everything_in_order(master, own_binary):
    server = master(binary=own_binary, workers=3, heartbeat_limit_ms=1000).start()
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    claimed = set()

    def someone():
        return chance.choice(server.workers())["pid"]
    with Stream(server.address, threads=2) as stream:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            trouble = chance.choice(["reload", "refused", "upgrade", "kill", "stop", "call"])
            server.configure(check="problem" if trouble == "refused" else "good")
            if trouble in ("reload", "refused"):
                server.send(signal.SIGHUP)
            elif trouble == "upgrade":
                server.send(signal.SIGUSR2)
            try:
                if trouble == "call":
                    with server.connect() as connection:
                        pid = connection.who()["pid"]
                        call = f"call-{time.monotonic_ns()}"
                        if connection.status(f"claim {call}") == 0:
                            claimed.add(call)
                        os.kill(pid, signal.SIGKILL)
                elif trouble in ("kill", "stop"):
                    os.kill(someone(), signal.SIGKILL if trouble == "kill" else signal.SIGSTOP)
            except (OSError, IndexError):
                pass  # it was faster than we
            time.sleep(chance.random() * 0.3)
            assert server.process.poll() is None, server.log
    server.configure(check="good")
    server.reload(60)
    program.eventually(lambda: [w["state"] for w in server.workers()] == ["ready"] * 3,
                       "three workers are ready", 60)
    assert stream.answered > 100
    assert json.loads(server.control("calls.list")[1]) == []
    told = {call["call_id"] for _, text in server.noted("interrupted") for call in json.loads(text)}
    assert claimed <= told
    program.eventually(lambda: len(list((server.state / "spool").iterdir())) == 3,
                       "the spools of the dead are gone")
    server.send(signal.SIGTERM)
    assert server.wait() == 0
