# SPDX-License-Identifier: ISC
"""
What is wrong with a configuration is said in a line with file, line and column; the commands end
with 78, and a server that runs already goes on as before.
"""
import json
import re
import signal

import pytest

import program

ODD = program.BUILD / "tests/odd"
SCRIPT_HEAD = """start = "one"; misses = { max = 3; say = "What?"; then = { next = "one"; }; };
intents = { go = { any = [ "go" ]; }; stop = { global = true; any = [ "stop" ];
    then = { say = "Bye."; action = "hangup"; }; }; };
"""


def agent(**keys):
    return {"agents": {"default": keys}}


def voice(**keys):
    """The agent speaks with a provider "voice" of these keys."""
    return {"providers": {"voice": keys}, **agent(tts=["voice"])}


# What is wrong, the key in whose line it stands, and what is said about it.
FAULTS = {
    "an unknown key": (
        {"server": {"prot": 1}}, "prot", 'unknown key "prot"; did you mean "port"?'),
    "an unknown key at the top": (
        {"sevrer": {}}, "sevrer", 'unknown key "sevrer"; did you mean "server"?'),
    "a text for a number": (
        {"server": {"port": "eighty"}}, "port", '"port" is "eighty", but must be a whole number'),
    "a number for a list": (
        agent(tts=1), "tts", '"tts" is 1, but must be a list'),
    "a text for a group": (
        {"limits": "none"}, "limits", "limits: must be a group"),
    "a number above its range": (
        {"server": {"port": 65536}}, "port", '"port" is 65536, but must be from 1 to 65535'),
    "a number below its range": (
        {"server": {"workers": -1}}, "workers", '"workers" is -1, but must be from 0 to 64'),
    "a fraction out of its range": (
        voice(plugin="flite.so", speed=9.5), "speed", '"speed" is 9.5, but must be from 0.5 to 2'),
    "an integer out of its range where a float is meant": (
        voice(plugin="flite.so", speed=9), "speed", '"speed" is 9, but must be from 0.5 to 2'),
    "a duration that is none": (
        {"server": {"drain_timeout": "soon"}}, "drain_timeout", '"drain_timeout" is "soon", but'),
    "a word that is none of the choices": (
        voice(plugin="flite.so", voice="slf"), "voice = \"slf\"", 'did you mean "slt"?'),
    "an environment variable that is not set": (
        {"server": {"secret": "env:NOBODY_SETS_THIS"}}, "secret",
        "environment variable NOBODY_SETS_THIS is not set"),
    "a file that is not there": (
        {"server": {"secret": "file:/nowhere/secret"}}, "secret", "/nowhere/secret"),
    "an environment variable of a used provider that is not set": (
        {"providers": {"local": {"path": "env:NOBODY_SETS_THIS"}}}, "path",
        "environment variable NOBODY_SETS_THIS is not set"),
    "a secret that is too short": (
        {"server": {"secret": "short"}}, "secret", "secret must have at least 16 characters"),
    "a required key that is missing": (
        {"providers": {"local": {"path": None}}}, "local = {", '"path" is missing'),
    "a required key of a provider without a block": (
        {"storage": "pgsql"}, "storage", '"url" is missing'),
    "a provider that is not there": (
        agent(llm=["scrupt"]), "llm", 'no provider "scrupt"'),
    "a provider in the wrong role": (
        agent(tts=["sphinx"]), "tts", 'provider "sphinx" (sphinx) can not be used for tts'),
    "a storage that stores nothing": (
        {"storage": "flite"}, "storage", 'provider "flite" (flite) can not be used for storage'),
    "no agent": (
        {"agents": None}, None, "no agent"),
    "times that contradict each other": (
        agent(turn={"endpointing_min_ms": 2000, "endpointing_max_ms": 1000}), "endpointing_max_ms",
        "endpointing_max_ms is less than endpointing_min_ms"),
    "a public address with a path": (
        {"server": {"public_url": "https://voice.example.com/x"}}, "public_url",
        "must be a scheme and a host"),
    "a provider without a plugin": (
        {"providers": {"voice": {"speed": 1.0}}}, "voice = {", 'needs plugin = "NAME.so"'),
    "a plugin that is missing": (
        voice(plugin="flight.so"), "plugin = \"flight.so\"", "No such file or directory"),
    "a plugin that is no ELF file": (
        voice(plugin="TEXT"), "plugin = \"TEXT\"", "is not a shared object for this machine"),
    "a plugin that is a folder": (
        voice(plugin="/tmp"), "plugin = \"/tmp\"", "is not a regular file"),
    "a plugin without the entry symbol": (
        voice(plugin=f"{ODD}/entry.so"), "entry.so", "has no function aicaller_plugin"),
    "a plugin of another ABI": (
        voice(plugin=f"{ODD}/major.so"), "major.so", "was built for plugin ABI"),
    "a plugin with a descriptor that is too small": (
        voice(plugin=f"{ODD}/short.so"), "short.so", "bytes long, at least"),
    "a plugin with a table that is too small": (
        voice(plugin=f"{ODD}/narrow.so"), "voice = {", "gives no complete table for role tts"),
    "a plugin that does not give what it declares": (
        voice(plugin=f"{ODD}/role.so"), "voice = {", "gives no complete table for role tts"),
    "a plugin that returns nothing": (
        voice(plugin=f"{ODD}/nothing.so"), "nothing.so", "returned nothing"),
    "an option that a plugin does not know": (
        voice(plugin="flite.so", vioce="slt"), "vioce", 'did you mean "voice"?'),
    "a plugin that fails in create": (
        voice(plugin=f"{ODD}/fails.so"), "voice = {",
        'provider "voice": the licence server said no'),
    "a plugin that fails in create without a word": (
        voice(plugin=f"{ODD}/silent.so"), "voice = {", "its plugin does not say why"),
    "a plugin that crashes in create": (
        voice(plugin=f"{ODD}/crashes.so"), None, "crashed"),
}


@pytest.fixture
def faulty(make_conf):
    """faulty(changes) -> (file, its port); a plugin called TEXT is a file of text."""
    def make(changes):
        path, port = make_conf(changes)
        text = path.read_text(encoding="utf-8")
        if '"TEXT"' in text:
            plugins = path.parent / "not_elf.so"
            plugins.write_text("This is not a shared object.\n", encoding="utf-8")
            path.write_text(text.replace('"TEXT"', f'"{plugins}"'), encoding="utf-8")
        return path, port
    return make


def place(path, key):
    """file:line of the line that has the key; the file alone without one."""
    if key is None:
        return str(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    key = key.replace('"TEXT"', f'"{path.parent}/not_elf.so"')
    found = [number for number, line in enumerate(lines, 1)
             if re.search(rf"(^|\s|/){re.escape(key)}", line)]
    assert found, f"{key} is not in {path}"
    return f"{path}:{found[-1]}:"


def error_lines(stderr):
    """What a person is told: not the lines of the log."""
    return [line for line in stderr.splitlines() if not line.startswith("{")]


@pytest.mark.parametrize("fault", FAULTS)
def test_check_says_where_and_what_is_wrong(aicaller, faulty, fault):
    changes, key, text = FAULTS[fault]
    path, _ = faulty(changes)
    result = aicaller("check", "-c", path)
    assert result.returncode == 78
    assert result.stdout == ""
    told = [line for line in error_lines(result.stderr) if line.startswith(place(path, key))]
    assert any(text in line for line in told), result.stderr


# One of each kind, for what does not depend on the fault.
SOME = ["an unknown key", "a number above its range", "a plugin that is missing",
        "a plugin that fails in create", "a plugin that crashes in create", "no agent"]


@pytest.mark.parametrize("fault", SOME)
def test_check_says_the_same_in_json(aicaller, faulty, fault):
    changes, key, text = FAULTS[fault]
    path, _ = faulty(changes)
    result = aicaller("check", "--json", "-c", path)
    assert result.returncode == 78
    problems = json.loads(result.stdout)
    told = [problem for problem in problems if problem["severity"] == "error"]
    assert any(text in problem["text"] and problem["file"] == str(path) for problem in told)
    if key:
        assert all(problem["line"] > 0 and problem["column"] > 0 for problem in told)


@pytest.mark.parametrize("fault", SOME)
def test_serve_does_not_start(aicaller, faulty, fault):
    changes, _, text = FAULTS[fault]
    path, _ = faulty(changes)
    result = aicaller("serve", "-c", path)
    assert result.returncode == 78
    assert text in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", [
    ("talk", "x.wav"), ("console",), ("calls",), ("show", "x"), ("hangup", "x"), ("tail",),
    ("call", "wav:x"), ("migrate",), ("config", "show"), ("serve", "--single")])
def test_every_command_refuses_a_bad_configuration(aicaller, faulty, command):
    path, _ = faulty({"server": {"prot": 1}})
    result = aicaller(*command, "-c", path)
    assert result.returncode == 78
    assert f'{place(path, "prot")}5: server: unknown key "prot"' in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("faults", [SOME, pytest.param(FAULTS, marks=pytest.mark.slow)])
def test_a_running_server_keeps_what_it_has_and_says_why(serve, make_conf, faulty, faults):
    path, port = make_conf()
    server = serve(conf=(path, port))
    processes = {pid for pid, _ in server.processes()}
    for fault in faults:
        changes, _, text = FAULTS[fault]
        path.write_bytes(faulty(changes)[0].read_bytes())
        before = len(server.log)
        server.reload()
        said = server.log[before:].replace('\\"', '"')
        assert "reload refused, nothing has changed" in said, fault
        assert text in said, fault
        assert {pid for pid, _ in server.processes()} == processes, fault
    assert server.get("/calls/health/").json["status"] == "ok"


@pytest.mark.parametrize("name", ["right", "long", "wide"])
def test_a_plugin_that_is_newer_by_a_minor_version_is_taken(aicaller, faulty, name):
    path, _ = faulty(voice(plugin=f"{ODD}/{name}.so"))
    result = aicaller("check", "-c", path)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_unset_variable_of_an_unused_provider_is_no_error(aicaller, make_conf):
    path, _ = make_conf({"providers": {"spare": {"plugin": "pgsql.so", "url": "env:NOT_SET"}}})
    assert aicaller("check", "-c", path).returncode == 0


def test_all_problems_are_told_in_one_run(aicaller, make_conf):
    path, _ = make_conf({"server": {"prot": 1, "workers": 99}, "sevrer": {},
                         **agent(tts=["nobody"])})
    result = aicaller("check", "-c", path)
    assert len(error_lines(result.stderr)) == 4, result.stderr


FILES = {
    "missing": (None, "No such file or directory"),
    "empty": (b"", "no agent"),
    "a group that is not closed": (b"server = {\n", '1:10: this "{" is never closed'),
    "garbage": (bytes(range(256)) * 4, "1:1: "),
    "invalid UTF-8": (b'storage = "\xff\xfe";\n', "1:"),
    "too large": (b"# comment\n" * 200000, "larger than 1 MiB"),
    "a number of more than 64 bits": (b"server = { port = 99999999999999999999; };\n", "1:19: "),
    "an include of a folder": (b'@include "/tmp"\n', "1:1: /tmp can not be included: "),
    "an include that is missing": (b'@include "none.conf"\n',
                                   "none.conf can not be included: No such file"),
    "an include of itself": (b'@include "file.conf"\n', "an include can not go in a circle"),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_file_that_can_not_be_read_is_told(aicaller, tmp_path, fault):
    content, text = FILES[fault]
    path = tmp_path / "file.conf"
    if content is not None:
        path.write_bytes(content)
    result = aicaller("check", "-c", path)
    assert result.returncode == 78
    assert result.stderr.startswith(f"{path}:")
    assert text in result.stderr


@pytest.mark.parametrize("place_of", ["folder", "device", "loop of links"])
def test_a_path_that_is_no_file_is_told(aicaller, tmp_path, place_of):
    if place_of == "loop of links":
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
    path = {"folder": tmp_path, "device": "/dev/null", "loop of links": tmp_path / "loop"}[place_of]
    result = aicaller("check", "-c", path)
    assert result.returncode == 78
    assert result.stderr.startswith(f"{path}: can not be read: ")


def test_a_mistake_in_an_included_file_is_told_there(aicaller, make_conf, tmp_path):
    path, _ = make_conf()
    (tmp_path / "more.conf").write_text("\n  limits = { max_cals = 1; };\n", encoding="utf-8")
    with open(path, "a", encoding="utf-8") as file:
        file.write('@include "more.conf"\n')
    result = aicaller("check", "-c", path)
    assert result.returncode == 78
    assert re.match(r'.*more\.conf:2:\d+: limits: unknown key "max_cals"; did you mean "max_calls"',
                    result.stderr)


SCRIPTS = {
    "a loop": ('states = { one = { say = "One."; next = "two"; };\n'
               '           two = { say = "Two."; next = "one"; }; };\n', "one"),
    "an unknown state": ('states = { one = { say = "One?";\n  on = { go = { next = "tow"; }; }; };'
                         '  two = { say = "Two."; action = "hangup"; }; };\n',
                         'unknown state "tow"; did you mean "two"?'),
    "an empty reply": ('states = { one = { say = "";\n  on = { go = { next = "one"; }; }; }; };\n',
                       "an empty reply"),
    "a start that is not there": ('states = { other = { say = "One?"; action = "hangup"; }; };\n',
                                  '"one"'),
    "an unknown intent": (
        'states = { one = { say = "One?"; on = { og = { next = "one"; }; }; }; };\n', '"og"'),
    "no libconfig": ("states = {{{\n", ":4:"),
    "no script at all": (None, "No such file or directory"),
    "a folder": ("FOLDER", "directory"),
}


@pytest.fixture
def scripted(make_conf, tmp_path):
    """scripted(text) -> (configuration, port, script) of an agent that talks by this script."""
    def make(text):
        script = tmp_path / "dialogue.conf"
        if text == "FOLDER":
            script.mkdir()
        elif text is not None:
            script.write_text(SCRIPT_HEAD + text, encoding="utf-8")
        changes = {"providers": {"talk": {"plugin": "script.so", "script": str(script)}},
                   **agent(llm=["talk"])}
        return (*make_conf(changes), script)
    return make


@pytest.mark.parametrize("fault", SCRIPTS)
def test_what_is_wrong_in_a_script_is_told_with_its_line(aicaller, scripted, fault):
    text, told = SCRIPTS[fault]
    path, _, script = scripted(text)
    result = aicaller("check", "-c", path)
    assert result.returncode == 78
    assert result.stderr.startswith(f"{path}:")
    assert told in result.stderr
    place_in_script = rf"{re.escape(str(script))}:{'' if text in (None, 'FOLDER') else r'[0-9]+:'}"
    assert re.search(place_in_script, result.stderr), result.stderr


def test_a_reload_with_a_bad_script_keeps_the_good_one(serve, scripted):
    good = 'states = { one = { say = "Which one?"; on = { go = { next = "one"; }; }; }; };\n'
    path, port, script = scripted(good)
    server = serve(conf=(path, port))
    script.write_text(SCRIPT_HEAD + SCRIPTS["a loop"][0], encoding="utf-8")
    server.reload()
    assert "reload refused, nothing has changed" in server.log
    answer = server.post("/calls/test-chat/", {"message": "go"})
    assert answer.json["reply"] == "Which one?"


def test_an_environment_file_is_read_and_its_mistakes_are_told(aicaller, make_conf, tmp_path):
    path, _ = make_conf({"server": {"secret": "env:SIGNING_SECRET"}})
    env = tmp_path / "server.env"
    env.write_text('# keys\nexport SIGNING_SECRET="0123456789abcdef0123"\n', encoding="utf-8")
    assert aicaller("check", "-c", path, "--env", env).returncode == 0
    env.write_text("SIGNING_SECRET=0123456789abcdef0123\nthis is no assignment\n", encoding="utf-8")
    result = aicaller("check", "-c", path, "--env", env)
    assert result.returncode not in (0, 2)
    assert f"{env}:2: expected NAME=value" in result.stderr


def test_a_bad_configuration_at_the_start_leaves_nothing_behind(aicaller, faulty, tmp_path):
    path, _ = faulty({"server": {"prot": 1}})
    before = sorted(tmp_path.rglob("*"))
    for command in (("check",), ("serve",), ("talk", "x.wav"), ("migrate",)):
        assert aicaller(*command, "-c", path).returncode == 78
    assert sorted(tmp_path.rglob("*")) == before


def test_a_server_that_was_told_bad_configurations_still_takes_a_good_one(serve, make_conf):
    path, port = make_conf()
    good = path.read_text(encoding="utf-8")
    server = serve(conf=(path, port))
    for _ in range(3):
        path.write_text(good.replace("server = {", "server = {\n    prot = 1;"), encoding="utf-8")
        server.reload()
    path.write_text(good + 'limits = { max_calls = 7; };\n', encoding="utf-8")
    server.reload()
    told = [each["READY"] for each in server.manager.heard if "READY" in each]
    assert told[-1] == "1"
    assert server.log.count("reload refused, nothing has changed") == 3
    assert server.get("/calls/health/").status == 200
    assert server.stop(signal.SIGTERM) == 0
