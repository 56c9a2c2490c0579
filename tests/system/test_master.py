# SPDX-License-Identifier: ISC
"""The master: start, reload, stop, sockets, and what the service manager hears of it."""
import json
import os
import resource
import signal
import socket
import subprocess
import time

import pytest

import program
from master_server import CLOSED, CONFIG, NOT_FOUND, Connection, Masters, Stream


@pytest.fixture
def master(tmp_path):
    """master(settings) -> a Master, not started."""
    masters = Masters(tmp_path)
    yield masters
    masters.finish()


def test_it_gets_ready_and_serves(master):
    server = master(marker="one").start()
    with server.connect() as connection:
        assert connection.who()["marker"] == "one"
    assert len(server.workers("ready")) == 2
    assert server.heard("MAINPID") == [str(server.pid)]
    status, answer = server.control("version")
    assert status == 0 and json.loads(answer)["pid"] == server.pid
    server.send(signal.SIGTERM)
    assert server.wait() == 0
    assert server.count("STOPPING") == 1
    assert not (server.state / "control.sock").exists()


@pytest.mark.parametrize("check, status, text", [
    ("problem", 78, "test.conf:3:9: unknown key \"modle\"; did you mean \"model\"?"),
    ("crash", 78, "the check crashed (signal 11, Segmentation fault)"),
    ("late crash", 78, "the check crashed (signal 6, Aborted)"),
    ("status", 78, "the check ended with status 3 without an answer"),
    ("silent", 78, "the check ended with status 0 without an answer"),
    ("closed", 78, "the check ended with status 0 without an answer"),
    ("garbage", 78, "the check gave no good answer: the answer is damaged"),
])
def test_a_first_configuration_that_fails_its_check_ends_the_start(master, check, status, text):
    server = master(check=check).launch()
    assert server.wait() == status
    assert text in server.log
    assert server.count("READY") == 0


@pytest.mark.parametrize("settings, text", [
    ({"port": 70000}, "server.port must be from 0 to 65535"),
    ({"workers": 65}, "server.workers must be from 0 (one per core) to 64"),
    ({"drain_timeout_ms": -1}, "server.drain_timeout"),
    ({"state_dir": "relative"}, "server.state_dir must be an absolute path"),
])
def test_settings_out_of_range_end_the_start(master, settings, text):
    server = master(**settings).launch()
    assert server.wait() == 78
    assert text in server.log


def test_an_address_that_is_none_ends_the_start(master):
    server = master(listen="example").launch()
    assert server.wait() == 1
    assert "server.listen must be an IPv4 or IPv6 address" in server.log


def test_warnings_of_the_check_are_logged(master):
    server = master(check="warning").start()
    assert "test.conf:4:1: this is deprecated" in server.log


@pytest.mark.slow
def test_a_check_that_hangs_is_ended(master):
    server = master(marker="one").start()
    server.configure(check="hang")
    server.reload(60)
    assert "longer than 30 s" in server.log
    with server.connect() as connection:
        assert connection.who()["marker"] == "one"


def test_a_check_that_hangs_does_not_delay_the_end(master):
    server = master().start()
    server.configure(check="hang")
    server.send(signal.SIGHUP)
    program.eventually(lambda: server.count("RELOADING"), "the reload has begun")
    server.send(signal.SIGTERM)
    assert server.wait() == 0


def test_a_worker_that_crashes_at_once_ends_the_start(master):
    server = master(start="crash").launch()
    assert server.wait() == 1
    assert "ended before it was ready" in server.log


def test_hup_brings_a_new_generation_and_the_old_one_leaves(master):
    server = master(marker="one").start()
    before = server.pids()
    server.configure(marker="two")
    server.reload()
    with server.connect_to(generation=2) as connection:
        assert connection.who()["marker"] == "two"
    program.eventually(lambda: not server.pids() & before, "the old generation has left")
    assert int(server.heard("MONOTONIC_USEC")[0]) > 0
    assert len(server.noted("leave")) == 2


def test_a_replaced_generation_keeps_its_calls_until_they_end(master):
    server = master(marker="one").start()
    with server.connect() as old:
        assert old.status("claim call-1") == 0
        server.configure(marker="two")
        server.reload()
        assert old.who()["marker"] == "one"
        with server.connect_to(generation=2) as new:
            assert new.who()["marker"] == "two"
            assert new.ask("relay call-1") == '0 {"x":1}'
        program.eventually(lambda: len(server.workers("draining")) == 1, "only one has a call")
        assert old.ask("release call-1") == "released"
    program.eventually(lambda: not server.workers("draining"), "the old worker has left")


def test_a_replaced_generation_is_stopped_when_drain_timeout_has_passed(master):
    server = master(drain_timeout_ms=200).start()
    with server.connect() as old:
        assert old.status("claim call-1") == 0
        server.reload()
        program.eventually(lambda: not server.workers("draining"), "the old worker has left")
    assert "drain_timeout has passed" in server.log


@pytest.mark.parametrize("check", ["problem", "crash", "late crash", "status", "garbage"])
def test_a_reload_that_fails_its_check_changes_nothing(master, check):
    server = master(marker="one").start()
    before = server.pids()
    server.configure(check=check, marker="two")
    server.reload()
    assert server.pids() == before
    assert "reload refused, nothing has changed" in server.log
    with server.connect() as connection:
        assert connection.who()["marker"] == "one"
    server.configure(check="good", marker="three")
    server.reload()
    with server.connect_to(generation=2) as connection:
        assert connection.who()["marker"] == "three"


def test_a_reload_whose_worker_crashes_changes_nothing(master):
    server = master(marker="one").start()
    before = server.pids()
    server.configure(start="crash", marker="two")
    server.reload()
    program.eventually(lambda: server.pids() == before, "only the old workers are there")
    with server.connect() as connection:
        assert connection.who()["marker"] == "one"


@pytest.mark.slow
def test_a_reload_that_does_not_get_ready_changes_nothing(master):
    server = master(marker="one").start()
    before = server.pids()
    server.configure(start="never ready")
    server.reload(40)
    assert "not ready within 15 s" in server.log
    program.eventually(lambda: server.pids() == before, "only the old workers are there")


def test_a_changed_state_dir_needs_a_restart(master):
    server = master().start()
    server.configure(state_dir=server.folder / "elsewhere")
    server.reload()
    assert "server.state_dir has changed, which only a restart can do" in server.log


def test_the_control_socket_reloads_and_says_how_it_ended(master):
    server = master().start()
    assert server.control("reload") == (0, '{"generation":2}')
    server.configure(check="problem")
    status, answer = server.control("reload")
    assert status == CONFIG
    assert "did you mean" in json.loads(answer)["problems"]
    assert json.loads(answer)["generation"] == 2


def test_reloads_asked_for_during_a_reload_are_done_afterwards(master):
    server = master().start()
    command = [str(server.binary), "control", str(server.state), "reload", "", "", "20000"]
    asked = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [each.communicate(timeout=30)[0] for each in asked]
    assert all(answer.startswith('0 {"generation":') for answer in answers), answers
    # The later ones had to wait for a check that began after they were asked for.
    assert server.info()["generation"] >= 3


@pytest.mark.alone
def test_twenty_generation_changes_lose_no_connection(master):
    server = master(workers=2).start()
    before = server.open_files()
    held = [server.connect() for _ in range(20)]
    for number, connection in enumerate(held):
        assert connection.status(f"claim held-{number}") == 0
    with Stream(server.address) as stream:
        for change in range(20):
            server.configure(marker=f"change-{change}")
            server.reload()
    assert not stream.failed
    assert stream.answered > 100
    assert max(stream.generations) == 21
    print(f"{stream.answered} connections over 20 generation changes, {len(stream.failed)} lost")
    assert {connection.who()["generation"] for connection in held} == {1}
    for number, connection in enumerate(held):
        connection.ask(f"release held-{number}")
        connection.close()
    program.eventually(lambda: {w["generation"] for w in server.workers()} == {21},
                       "only the last generation is left")
    program.eventually(lambda: server.open_files() <= before, "no file is left open")


def test_a_new_port_opens_before_the_old_one_closes(master):
    server = master(port=program.free_port()).start()
    old = server.address
    new = (old[0], program.free_port())
    server.configure(port=new[1])
    server.reload()
    with Connection(new) as connection:
        assert connection.who()["generation"] == 2

    def is_closed():
        try:
            Connection(old).close()
            return False
        except ConnectionRefusedError:
            return True
    program.eventually(is_closed, "the old port is closed")


def test_a_port_in_use_ends_the_start_with_a_sentence(master):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = master(port=port).launch()
        assert server.wait() == 1
        assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in server.log
        assert "change server.port" in server.log


def test_a_port_in_use_at_a_reload_changes_nothing(master):
    server = master().start()
    address = server.address
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server.configure(port=taken.getsockname()[1])
        server.reload()
    assert "Address already in use" in server.log
    with Connection(address) as connection:
        assert connection.who()["generation"] == 1


def test_without_descriptors_it_stays_calm_and_changes_nothing(master):
    server = master().start()
    address = server.address
    usual = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    lowest = server.lowest_free_file()
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (lowest, usual[1]))
    ready = server.count("READY")
    server.send(signal.SIGHUP)
    program.eventually(lambda: server.count("READY") > ready, "the reload has ended")
    assert "reload refused, nothing has changed" in server.log
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as waiting:
        waiting.connect(str(server.state / "control.sock"))
        before = server.processor_seconds()
        with Connection(address) as connection:
            for _ in range(2000):
                connection.ask("who")
        assert server.processor_seconds() - before < 0.2
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, usual)
    assert server.control("version")[0] == 0
    server.reload()
    assert server.info()["generation"] == 2


def test_both_loopbacks_are_served_as_localhost(master):
    server = master(listen="localhost").start()
    listen = server.info()["listen"]
    assert listen[0].startswith("127.0.0.1:")
    for name in listen:
        host, _, port = name.rpartition(":")
        with Connection((host.strip("[]"), int(port))) as connection:
            assert connection.who()["generation"] == 1


def test_a_second_server_on_the_same_state_folder_is_refused(master):
    first = master().start()
    second = master(state_dir=first.state).launch()
    assert second.wait() == 1
    assert f"another aicaller (process {first.pid}) runs on the state folder" in second.log
    assert first.control("version")[0] == 0


def test_a_state_folder_that_everybody_may_write_to_is_refused(master):
    server = master()
    server.state.mkdir()
    server.state.chmod(0o777)
    server.launch()
    assert server.wait() == 1
    assert "chmod o-w" in server.log


def test_the_state_folder_is_made_for_its_owner_alone(master):
    server = master()
    server.configure(state_dir=server.folder / "a/b/c")
    server.state = server.folder / "a/b/c"
    server.start()
    assert server.state.stat().st_mode & 0o777 == 0o700
    assert (server.state / "control.sock").stat().st_mode & 0o777 == 0o600
    assert int((server.state / "aicaller.pid").read_text()) == server.pid


def test_term_refuses_new_calls_and_ends_with_the_last_call(master):
    server = master().start()
    with server.connect() as connection:
        assert connection.status("claim call-1") == 0
        server.send(signal.SIGTERM)
        program.eventually(lambda: len(server.noted("stop_new_calls")) == 2, "all have heard it")
        with server.connect() as webhook:
            assert webhook.who()["refusing"] == 1
            assert webhook.ask("relay call-1") == '0 {"x":1}'
        assert server.info()["state"] == "stopping"
        assert server.process.poll() is None
        program.eventually(lambda: server.count("EXTEND_TIMEOUT_USEC"), "more time is asked for")
        assert connection.ask("release call-1") == "released"
        assert server.wait() == 0


def test_a_reload_while_stopping_is_refused(master):
    server = master().start()
    with server.connect() as connection:
        assert connection.status("claim call-1") == 0
        server.send(signal.SIGTERM)
        program.eventually(lambda: server.info()["state"] == "stopping", "it is stopping")
        assert server.control("reload")[0] == CLOSED
        connection.ask("release call-1")
        assert server.wait() == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_now(master, second):
    server = master().start()
    with server.connect() as connection:
        assert connection.status("claim call-1") == 0
        server.send(signal.SIGTERM)
        program.eventually(lambda: server.info()["state"] == "stopping", "it is stopping")
        server.send(second)
        assert server.wait() == 0
    assert len(server.noted("stop")) == 2


def test_int_stops_now(master):
    server = master().start()
    with server.connect() as connection:
        assert connection.status("claim call-1") == 0
        server.send(signal.SIGINT)
        assert server.wait() == 0


def test_drain_timeout_ends_the_remaining_calls(master):
    server = master(drain_timeout_ms=300).start()
    with server.connect() as connection:
        assert connection.status("claim call-1") == 0
        server.send(signal.SIGTERM)
        assert server.wait() == 0
    assert "drain_timeout has passed" in server.log


@pytest.mark.slow
def test_a_worker_that_does_not_stop_is_killed(master):
    server = master(adopt="stubborn").start()
    server.send(signal.SIGINT)
    assert server.wait(30) == 0
    assert "signal 9" in server.log


def test_a_worker_is_deaf_to_what_is_meant_for_the_master(master):
    server = master().start()
    before = server.pids()
    for pid in before:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT,
                       signal.SIGUSR1, signal.SIGUSR2):
            os.kill(pid, number)
    with server.connect_to(worker=0) as one, server.connect_to(worker=1) as other:
        assert {one.who()["pid"], other.who()["pid"]} == before


def test_a_worker_inherits_nothing_that_is_not_meant_for_it(master):
    server = master().start()
    with server.connect_to(worker=1) as connection:
        assert connection.ask("environment NOTIFY_SOCKET") == "(unset)"
        assert connection.ask("environment AICALLER_WORKER") == "(unset)"
        first = connection.ask("fds").split()
    server.reload()
    with server.connect_to(worker=3, generation=2) as connection:
        # As many as the first one had: none is left over from other workers or generations.
        assert len(connection.ask("fds").split()) == len(first)


def test_the_service_manager_may_listen_for_us(master):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = master(port=1)

        def hand_over():
            os.dup2(listener.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ["LISTEN_PID"] = str(os.getpid())
        command = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve "$1"']
        env = program.environment(server.folder, NOTIFY_SOCKET=server.manager.path,
                                  AICALLER_TEST=server.mark.partition("=")[2])
        with open(server.log_path, "ab") as log:
            server.process = subprocess.Popen(
                [*command, str(server.binary), str(server.conf)], env=env, stdout=log, stderr=log,
                preexec_fn=hand_over, close_fds=False)
        program.eventually(lambda: server.count("READY"), "it is ready")
        with Connection(listener.getsockname()) as connection:
            assert connection.who()["generation"] == 1
        server.reload()
        with server.connect_to(generation=2) as connection:
            assert connection.ask("environment LISTEN_FDS") == "(unset)"


def test_the_watchdog_is_fed(master):
    server = master()
    server.start(env={"WATCHDOG_USEC": "200000"})
    program.eventually(lambda: server.count("WATCHDOG") >= 3, "it was fed")


def test_after_the_masters_death_a_new_one_starts_while_calls_go_on(master):
    first = master(port=program.free_port(), workers=1).start()
    with first.connect() as connection:
        assert connection.status("claim call-1") == 0
        first.process.kill()
        first.wait()
        program.eventually(lambda: first.noted("drain"), "its worker drains")
        second = master(state_dir=first.state, port=first.address[1], workers=1).start()
        with second.connect() as new:
            assert new.who()["pid"] != connection.who()["pid"]
        assert connection.ask("release call-1") == "released"
    program.eventually(lambda: first.noted("leave"), "the old worker has left")


def test_a_command_line_of_another_user_is_refused(master):
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user")
    server = master().start()
    for folder in (server.folder, *server.folder.parents):
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    server.state.chmod(0o755)
    (server.state / "control.sock").chmod(0o666)
    code = ("import socket, os, sys; os.setgid(65534); os.setuid(65534);"
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET);"
            "s.connect(sys.argv[1]); print(s.recv(10))")
    command = ["/usr/bin/python3", "-c", code, str(server.state / "control.sock")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert result.stdout == "b''\n", result
    server.logged("refused a command line of another user")


def test_garbage_on_the_control_socket_ends_that_connection_only(master):
    server = master().start()
    for garbage in (b"x", b"\x01" * 48, os.urandom(5000), b"\x01\x00\x07\x00" + b"\xff" * 200):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            probe.connect(str(server.state / "control.sock"))
            probe.settimeout(10)
            probe.send(garbage)
            assert probe.recv(10) == b""
    assert server.control("version")[0] == 0


def test_requests_go_to_the_owner_or_to_any_worker(master):
    server = master().start()
    assert server.control("echo", body='{"a":1}') == (0, '{"a":1}')
    assert server.control("echo", call="nobody") == (NOT_FOUND, "")
    with server.connect() as connection:
        assert connection.status("claim call-1") == 0
        assert server.control("echo", call="call-1", body='{"b":2}') == (0, '{"b":2}')
        calls = json.loads(server.control("calls.list")[1])
        assert [call["call_id"] for call in calls] == ["call-1"]
        assert calls[0]["pid"] == connection.who()["pid"]
        connection.ask("release call-1")


def test_a_request_that_is_not_answered_times_out(master):
    server = master().start()
    begun = time.monotonic()
    assert server.control("silent", timeout_ms=300)[0] == -11
    assert time.monotonic() - begun < 15


def test_tail_hears_what_its_topic_begins_with(master):
    server = master().start()
    commands = [[str(server.binary), "tail", str(server.state), prefix] for prefix in ("test", "x")]
    tails = [subprocess.Popen(each, stdout=subprocess.PIPE, text=True) for each in commands]
    for tail in tails:
        assert tail.stdout.readline() == "subscribed\n"
    # An answered request of the same socket tells that the subscription has arrived.
    assert server.control("version")[0] == 0
    with server.connect() as connection:
        connection.ask("publish hello")
    assert tails[0].stdout.readline() == "test.topic hello\n"
    program.eventually(lambda: len(server.noted("published")) == 2, "both workers have heard it")
    server.send(signal.SIGTERM)
    assert server.wait() == 0
    assert [tail.communicate(timeout=20)[0] for tail in tails] == ["", ""]
    assert [tail.returncode for tail in tails] == [0, 0]
