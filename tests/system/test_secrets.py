# SPDX-License-Identifier: ISC
"""Keys are read from safe places, and are found nowhere afterwards: not even after a crash."""
import os
import pathlib
import resource
import signal
import subprocess
import time

import pytest

import program

KEYS = {"deepgram": "canary-literal-4f1d2a", "groq": "canary-env-9b77c1",
        "elevenlabs": "canary-file-c03e5d", "openai": "canary-cred-71aa90"}
SECRET = "canary-server-secret-5e8f"
MESSAGE = {"message": "I would like to make an appointment"}


@pytest.fixture
def keyed(make_conf, tmp_path):
    """A configuration with a key of each kind of source, and the environment for it."""
    key = tmp_path / "key"
    key.write_text(KEYS["elevenlabs"] + "\n", encoding="utf-8")
    key.chmod(0o600)
    credentials = tmp_path / "credentials"
    credentials.mkdir(mode=0o700)
    (credentials / "openai").write_text(KEYS["openai"], encoding="utf-8")
    (credentials / "openai").chmod(0o400)

    def make(changes=None):
        unreachable = "http://127.0.0.1:9"
        conf = make_conf({
            "server": {"secret": "env:OUR_SECRET", **(changes or {})},
            "log": {"level": "debug"},
            "providers": {
                "deepgram": {"plugin": "deepgram.so", "api_key": KEYS["deepgram"],
                             "url": unreachable},
                "groq": {"plugin": "groq.so", "api_key": "env:OUR_GROQ_KEY",
                         "url": unreachable},
                "elevenlabs": {"plugin": "elevenlabs.so", "api_key": f"file:{key}",
                               "url": unreachable},
                "openai": {"plugin": "openai.so", "api_key": "cred:openai", "model": "m",
                           "url": unreachable},
            },
            "agents": {"default": {"stt": ["deepgram", "sphinx"],
                                   "llm": ["groq", "openai", "script"],
                                   "tts": ["elevenlabs", "flite"]}}})
        conf[0].chmod(0o600)
        return conf
    return make, {"OUR_GROQ_KEY": KEYS["groq"], "OUR_SECRET": SECRET,
                  "CREDENTIALS_DIRECTORY": str(credentials)}


def found_in(text):
    text = text.encode() if isinstance(text, str) else text
    return [key for key in (*KEYS.values(), SECRET) if key.encode() in text]


def test_keys_come_from_each_place_and_are_shown_nowhere(serve, keyed, built, tmp_path):
    make, variables = keyed
    path, port = make()
    server = serve(conf=(path, port), **variables)
    assert server.post("/calls/test-chat/", MESSAGE).json["reply"]
    for page in ("/calls/health/", "/metrics", "/calls/call-history/", "/openapi.json", "/admin/",
                 "/admin/api/config/", "/calls/test/", "/calls/voice-test/", "/nowhere"):
        answer = server.get(page)
        assert found_in(answer.body) == [], page
        assert found_in(str(answer.headers)) == [], page
    for command in (("config", "show"), ("config", "show", "--resolved"), ("check",),
                    ("plugins", "list"), ("top", "--json"), ("doctor",)):
        result = program.run((*command, "-c", path) if command[0] != "plugins" else command,
                             tmp_path, built, **variables)
        assert found_in(result.stdout + result.stderr) == [], command
    for pid, _ in server.processes():
        assert found_in(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()) == []
    state = path.parent / "state0"
    for file in state.rglob("*"):
        assert not file.is_file() or found_in(file.read_bytes()) == [], file
    assert server.stop(signal.SIGINT) == 0
    assert "debug" in server.log
    assert found_in(server.log) == []


@pytest.mark.parametrize("mode, is_good", [(0o600, True), (0o640, True), (0o400, True),
                                           (0o644, False), (0o620, False), (0o602, False),
                                           (0o601, False)])
def test_a_key_in_a_file_that_others_can_read_or_change_is_refused(aicaller, make_conf, tmp_path,
                                                                   mode, is_good):
    key = tmp_path / "key"
    key.write_text("canary-file-c03e5d", encoding="utf-8")
    key.chmod(mode)
    path, _ = make_conf({
        "providers": {"groq": {"plugin": "groq.so", "api_key": f"file:{key}"}},
        "agents": {"default": {"llm": ["groq"]}}})
    result = aicaller("check", "-c", path)
    assert result.returncode == (0 if is_good else 78), result.stdout + result.stderr
    told = result.stdout + result.stderr
    assert ("chmod 600" in told) != is_good
    assert (str(key) in told) != is_good
    assert "canary" not in told


def crash(built, home, conf, port, variables, limit=resource.RLIM_INFINITY):
    """Kills a worker as a fault would, in a folder of its own; returns the core files there."""
    folder = home / f"crash{port}"
    folder.mkdir()
    home_of = program.Manager()
    mark = {"AICALLER_TEST": str(port), "NOTIFY_SOCKET": home_of.path}
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [built, "serve", "-c", conf], cwd=folder, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, start_new_session=True,
            env=program.environment(home, **variables, **mark),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (limit, limit)))
    try:
        program.eventually(lambda: any(m.get("READY") for m in home_of.listen()), "it is ready", 20)
        children = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
        worker = int(children.split()[0])
        limits = pathlib.Path(f"/proc/{worker}/limits").read_text(encoding="ascii")
        os.kill(worker, signal.SIGSEGV)
        program.eventually(lambda: "crashed" in (folder / "log").read_text(encoding="utf-8")
                           or not pathlib.Path(f"/proc/{worker}").exists(), "it has ended")
        time.sleep(0.2)  # for a core that should not come, there is nothing to wait for
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
        home_of.close()
    core = [line.split()[4] for line in limits.splitlines() if line.startswith("Max core")]
    cores = [path for path in folder.iterdir() if path.name.startswith("core")]
    return cores, core


def writes_cores_beside():
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").strip()
    return not pattern.startswith(("|", "/"))


def test_a_server_that_crashes_leaves_no_core(built, keyed, tmp_path):
    make, variables = keyed
    path, port = make()
    cores, limit = crash(built, tmp_path, path, port, variables)
    assert cores == []
    assert limit == ["1"]


def test_for_debugging_it_leaves_a_core_which_holds_the_keys(built, keyed, tmp_path):
    if not writes_cores_beside():
        pytest.skip("core dumps go elsewhere on this machine (kernel.core_pattern)")
    if any(word in built.read_bytes() for word in (b"__asan_init", b"__tsan_init")):
        pytest.skip("sanitizers leave no core: it would have terabytes")
    make, variables = keyed
    path, port = make({"core_dumps": True})
    cores, _ = crash(built, tmp_path, path, port, variables)
    assert len(cores) == 1
    assert found_in(cores[0].read_bytes()) != []
    cores[0].unlink()
