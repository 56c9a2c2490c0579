# SPDX-License-Identifier: ISC
"""The sound of calls: written while they last, served in ranges to those who may, never more."""
import contextlib
import http.client
import io
import os
import pathlib
import signal
import sqlite3
import subprocess
import wave

import pytest

import program
from socket_caller import SocketCaller

RECORD = {"agents": {"default": {"record": True}}}


def database(server, mode):
    [file] = server.state.rglob("aicaller.db")
    return contextlib.closing(sqlite3.connect(f"file:{file}?mode={mode}", uri=True))


def rows(server, question):
    with database(server, "ro") as connection:
        return connection.execute(question).fetchall()


def recorded(server, where="TRUE"):
    return program.eventually(
        lambda: rows(server, "SELECT path FROM recordings WHERE ended_at IS NOT NULL AND " + where),
        "it is recorded")


def talk(server, seconds=1.0, agent=None):
    """A call whose recording is complete; returns its id."""
    with SocketCaller(server, agent) as caller:
        caller.until(lambda: len(caller.sound) > seconds * 32000, "the greeting")
        caller.hang_up()
    recorded(server, f"call_id = '{caller.call_id}'")
    return caller.call_id


def start(serve, make_conf, changes=None):
    path, port = make_conf(changes or RECORD)
    server = serve(conf=(path, port))
    server.conf = path
    server.state = path.parent
    return server


def address(call_id, rest=""):
    return f"/calls/{call_id}/recording/{rest}"


def test_a_recording_is_served_whole_in_ranges_and_not_again(serve, make_conf):
    server = start(serve, make_conf)
    path = address(talk(server))
    whole = server.get(path)
    assert (whole.status, whole.headers["Content-Type"]) == (200, "audio/wav")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Disposition"].startswith("inline")
    size = len(whole.body)
    with wave.open(io.BytesIO(whole.body)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 16000)
        assert sound.getnframes() * 4 <= size and sound.getnframes() > 8000
    tag = whole.headers["ETag"]

    def ask(headers, query=""):
        return server.get(path + query, headers=headers)
    for wanted, first, last in (("bytes=0-9", 0, 9), ("bytes=100-", 100, size - 1),
                                ("bytes=-7", size - 7, size - 1),
                                (f"bytes=5-{size * 10}", 5, size - 1)):
        part = ask({"Range": wanted})
        assert part.status == 206 and part.body == whole.body[first:last + 1], wanted
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    for passed_over in ("bytes=0-1,3-4", "bytes=9-1", "bytes=x", "lines=0-1", "bytes=" + "9" * 999):
        assert ask({"Range": passed_over}).status == 200, passed_over
    outside = ask({"Range": f"bytes={size}-"})
    assert outside.status == 416 and outside.headers["Content-Range"] == f"bytes */{size}"
    assert outside.json["status"] == 416
    assert ask({"Range": "bytes=0-9", "If-Range": tag}).status == 206
    assert ask({"Range": "bytes=0-9", "If-Range": '"other"'}).status == 200
    unchanged = ask({"If-None-Match": f'"x", {tag}'})
    assert (unchanged.status, unchanged.body) == (304, b"")
    named = ask({}, "?download=1").headers["Content-Disposition"]
    assert named.startswith("attachment; filename=") and named.endswith('.wav"')
    head = server.request("HEAD", path)
    assert (head.status, head.headers["Content-Length"], head.body) == (200, str(size), b"")
    program.eventually(lambda: rows(server, "SELECT actor FROM audit WHERE action = "
                                            "'recording.read'"), "the audit has it")
    assert rows(server, "SELECT DISTINCT actor FROM audit WHERE action = 'recording.read'") == [
        ("this machine",)]


def test_the_picture_of_a_recording_is_counted_out_of_its_sound(serve, make_conf):
    server = start(serve, make_conf)
    call_id = talk(server, 1.5)
    answer = server.get(address(call_id, "peaks/?per_second=10"))
    assert answer.status == 200, answer.text
    peaks = answer.json
    with wave.open(io.BytesIO(server.get(address(call_id)).body)) as sound:
        frames, raw = sound.getnframes(), memoryview(sound.readframes(10**9)).cast("h")
    assert (peaks["rate"], peaks["channels"]) == (10, 2)
    assert peaks["duration_s"] == pytest.approx(frames / 16000)
    for channel in (0, 1):
        points = [max(map(abs, raw[at * 3200 + channel:(at + 1) * 3200:2]))
                  for at in range(-(-frames // 1600))]
        assert peaks["peaks"][channel] == pytest.approx([p / 32768 for p in points], abs=0.001)
    assert max(peaks["peaks"][1]) > 0.05, "the agent was heard"
    for per_second in (*range(1, 12), 10):  # more than are remembered
        found = server.get(address(call_id, f"peaks/?per_second={per_second}")).json
        assert found["rate"] == pytest.approx(per_second, rel=0.01)
        assert per_second != 10 or found == peaks
    again = server.get(address(call_id, "peaks/"),
                       headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304
    for wrong in ("per_second=0", "per_second=-1", "per_second=x", "per_second=1000", "part=0",
                  "per_second=1&per_second=2", "download=1", "x=1"):
        assert server.get(address(call_id, f"peaks/?{wrong}")).status == 400, wrong


def test_only_files_of_recordings_are_ever_opened(serve, make_conf):
    server = start(serve, make_conf)
    call_id = talk(server)
    [(path,)] = rows(server, "SELECT path FROM recordings")
    secret = server.state / f"{call_id}.wav"
    secret.write_text("RIFF this is nobody's business", encoding="utf-8")

    def point_to(where):
        with database(server, "rw") as connection, connection:
            connection.execute("UPDATE recordings SET path = ?", (str(where),))
        return server.get(address(call_id))
    folder = path.rpartition("/")[0]
    link = f"{folder}/{call_id}-link.wav"
    pathlib.Path(link).symlink_to(secret)
    pathlib.Path(f"{folder}/{call_id}-folder").mkdir()
    os.mkfifo(f"{folder}/{call_id}-fifo")
    for where in (secret, f"{folder}/../../{call_id}.wav", "/etc/passwd", link, "",
                  f"{folder}/{call_id}-folder", f"{folder}/{call_id}-fifo", folder + "/..",
                  f"{folder}/{call_id}" + "x" * 300, f"{folder}/{call_id}-\u202e.wav"):
        answer = point_to(where)
        assert (answer.status, answer.json["type"].rpartition("#")[2]) == (
            404, "no-recording-here"), where
    answer = point_to(path)
    assert answer.status == 200, answer.text


def test_a_long_recording_is_sent_to_whoever_takes_it(serve, make_conf):
    server = start(serve, make_conf)
    call_id = talk(server)
    [(path,)] = rows(server, "SELECT path FROM recordings")
    body = os.urandom(1 << 20) * 20
    pathlib.Path(path).write_bytes(body)
    assert server.get(address(call_id), seconds=30).body == body
    ask = f"GET {address(call_id)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    for _ in range(40):  # more than are read at a time
        with server.connect() as connection:
            connection.sendall(ask)
            assert connection.recv(1000).startswith(b"HTTP/1.1 ")
    with server.connect() as slow:
        slow.sendall(ask)
        assert slow.recv(1000)
        part = server.get(address(call_id), headers={"Range": "bytes=5000000-15000000"}, seconds=30)
        assert part.body == body[5000000:15000001]
    pathlib.Path(path).write_bytes(b"")
    assert server.get(address(call_id), headers={"Range": "bytes=0-"}).status == 416
    program.eventually(lambda: server.get(address(call_id)).status == 200, "there is room again")
    with server.connect() as cut:
        pathlib.Path(path).write_bytes(body)
        cut.sendall(ask)
        assert cut.recv(1000)
        server.stop()


def test_what_is_not_there_is_said(serve, make_conf):
    server = start(serve, make_conf)
    unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
    for path in (address(unknown), address(unknown, "peaks/")):
        answer = server.get(path)
        assert (answer.status, answer.json["type"]) == (404, "/docs/http-api#no-recording")
    for path in (address("x"), address(unknown.upper()), address(unknown, "other/"),
                 address("..%2f..%2fetc"), address(unknown + "0")):
        assert server.get(path).status == 404, path
    call_id = talk(server)
    assert server.get(address(call_id, "?part=2")).status == 404
    assert server.get(address(call_id, "?part=0")).status == 400
    [(path,)] = rows(server, "SELECT path FROM recordings")
    pathlib.Path(path).unlink()
    assert server.get(address(call_id)).json["type"] == "/docs/http-api#no-recording-here"


def test_a_key_is_needed_from_elsewhere(serve, make_conf, aicaller):
    server = start(serve, make_conf)
    call_id = talk(server)
    key = aicaller("key", "add", "listener", "--scope", "read", "-c", server.conf).stdout.strip()
    proxied = {"X-Forwarded-For": "203.0.113.7"}
    for rest in ("", "peaks/"):
        path = address(call_id, rest)
        assert server.get(path, headers=proxied).status == 401
        assert server.get(path, headers={**proxied, "Authorization": "Bearer no"}).status == 401
        good = {**proxied, "Authorization": f"Bearer {key}"}
        assert server.get(path, headers=good).status == 200
    for what in ("pause/", "resume/"):
        path = address(call_id, what)
        assert server.post(path, headers=proxied).status == 401
        refused = server.post(path, headers=good)
        assert (refused.status, refused.json["type"]) == (403, "/docs/http-api#scope")
    program.eventually(lambda: rows(server, "SELECT 1 FROM audit WHERE actor = 'listener'"),
                       "the audit has it")


def test_a_call_that_goes_on_can_be_heard_so_far(serve, make_conf):
    server = start(serve, make_conf)
    with SocketCaller(server) as caller:
        caller.until(lambda: len(caller.sound) > 1.5 * 32000, "the greeting")
        program.eventually(lambda: rows(server, "SELECT path FROM recordings"), "it began")
        answer = server.get(address(caller.call_id))
        assert answer.status == 200 and len(answer.body) > 16000
        assert answer.body[:4] == b"RIFF"
        peaks = server.get(address(caller.call_id, "peaks/"))
        assert peaks.status == 200 and peaks.json["duration_s"] > 0.2
        caller.hang_up()


def with_rules(**rules):
    return {"agents": {"default": {"record": True, "recording": rules}}}


def events(server, call_id):
    return [event for event in server.get(f"/calls/call-detail/{call_id}/").json["events"]
            if event["type"].startswith("recording_")]


def test_a_pause_is_silence_until_somebody_ends_it(serve, make_conf):
    server = start(serve, make_conf)
    with SocketCaller(server) as caller:
        caller.until(lambda: len(caller.sound) > 0.5 * 32000, "the greeting")
        for what in ("pause", "pause", "resume"):
            answer = server.post(address(caller.call_id, what + "/"))
            assert (answer.status, answer.json) == (202, {"ok": True})
            before = len(caller.sound)
            caller.until(lambda before=before: len(caller.sound) > before + 0.4 * 32000, "more")
        caller.hang_up()
    recorded(server)
    told = program.eventually(lambda: events(server, caller.call_id), "the events")
    assert [event["type"] for event in told] == ["recording_paused", "recording_resumed"]
    assert told[0]["detail"] == {"by": "this machine"}
    with wave.open(io.BytesIO(server.get(address(caller.call_id)).body)) as sound:
        raw = memoryview(sound.readframes(10**9)).cast("h")
    agent = [any(raw[at + 1:at + 640:2]) for at in range(0, len(raw) - 640, 640)]
    text = "".join("x" if loud else "." for loud in agent)
    assert max(map(len, text.strip(".").split("x"))) >= 25, text
    assert server.post(address(caller.call_id, "pause/")).status == 404


def test_what_is_not_recorded_can_not_be_paused(serve, make_conf):
    server = start(serve, make_conf, {"limits": {"max_calls": 5}})
    with SocketCaller(server) as caller:
        caller.until(lambda: len(caller.sound) > 3200, "the greeting")
        answer = server.post(address(caller.call_id, "pause/"))
        assert (answer.status, answer.json["type"]) == (409, "/docs/http-api#not-recorded")
        caller.hang_up()
    for path in (address("x", "pause/"), address(caller.call_id, "stop/")):
        assert server.post(path).status in (404, 405)


def test_a_limit_ends_the_recording_and_not_the_call(serve, make_conf):
    server = start(serve, make_conf, with_rules(max_duration="1s"))
    call_id = talk(server, 2.0)
    assert [event["detail"] for event in events(server, call_id)] == [{"reason": "max_duration"}]
    with wave.open(io.BytesIO(server.get(address(call_id)).body)) as sound:
        assert sound.getnframes() == 16000
    assert 'aicaller_recordings_stopped_total{reason="max_duration"} 1' in server.get(
        "/metrics").text


def test_a_full_disk_ends_the_recording_and_not_the_call(serve, make_conf):
    conf = make_conf(with_rules(min_free=0))
    [state] = conf[0].parent.glob("state*")
    folder = state / "recordings"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder],
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"a disk for this test can not be mounted: {made.stderr.strip()}")
    try:
        server = start(serve, lambda changes: conf)
        call_id = talk(server, 3.0)
        assert [event["detail"] for event in events(server, call_id)] == [{"reason": "disk_full"}]
        with wave.open(io.BytesIO(server.get(address(call_id)).body)) as sound:
            assert 15000 < sound.getnframes() <= 65536 // 4
        assert server.get("/calls/health/").status == 200
        server.stop()
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_opus_is_recorded_served_and_drawn(serve, make_conf, aicaller):
    path, port = make_conf(with_rules(format="opus"))
    if "built without Opus" in aicaller("check", "-c", path).stderr:
        pytest.skip("this build has no Opus")
    server = start(serve, lambda changes: (path, port))
    call_id = talk(server, 2.0)
    whole = server.get(address(call_id))
    assert (whole.status, whole.headers["Content-Type"]) == (200, "audio/ogg")
    assert whole.body[:4] == b"OggS" and b"OpusHead" in whole.body[:64]
    assert server.get(address(call_id), headers={"Range": "bytes=0-3"}).body == b"OggS"
    [(size, seconds)] = rows(server, "SELECT bytes, duration_s FROM recordings")
    assert size == len(whole.body) < seconds * 64000 / 6
    peaks = server.get(address(call_id, "peaks/?per_second=10")).json
    assert peaks["channels"] == 2 and peaks["duration_s"] == pytest.approx(seconds, abs=0.1)
    assert max(peaks["peaks"][1]) > 0.05 > max(peaks["peaks"][0])


@pytest.mark.parametrize("rules, word", [
    ({"consent": "maybe"}, "consent"), ({"format": "mp3"}, "format"),
    ({"max_size": -1}, "max_size"), ({"max_duration": "2w"}, "max_duration"),
    ({"keep": "1d"}, "keep")])
def test_rules_that_make_no_sense_are_refused(make_conf, aicaller, rules, word):
    result = aicaller("check", "-c", make_conf(with_rules(**rules))[0])
    assert result.returncode == 78 and word in result.stderr


def test_who_is_recorded_hears_it_first(serve, make_conf):
    server = start(serve, make_conf, with_rules(consent="announce", notice="We keep this call."))
    call_id = talk(server, 1.0)

    def greeting():
        return server.get(f"/calls/call-detail/{call_id}/").json["messages"]
    [message] = program.eventually(greeting, "the greeting is stored")
    assert message["content"].endswith("How can I help you? We keep this call.")
    assert rows(server, "SELECT consent FROM recordings") == [(1,)]


def heard_again(server, call_id):
    with contextlib.suppress(OSError, http.client.HTTPException):
        answer = server.get(address(call_id, "peaks/"))
        return answer.status == 200 and answer.json
    return None


def test_what_a_killed_worker_has_recorded_can_be_heard(serve, make_conf):
    server = start(serve, make_conf)
    with SocketCaller(server) as caller:
        caller.until(lambda: any(file.stat().st_size > 64000 for file in
                                 server.state.rglob("recordings/*.wav")), "a second is kept")
        [worker] = [pid for pid, _ in server.processes() if pid != server.pid]
        os.kill(worker, signal.SIGKILL)
    peaks = program.eventually(lambda: heard_again(server, caller.call_id), "the new worker has it")
    assert 1 <= peaks["duration_s"] < 5
    sound = server.get(address(caller.call_id)).body
    assert sound[:4] == b"RIFF" and len(sound) > 64000
