# SPDX-License-Identifier: ISC
"""What an admin does over the admin API: users, keys, the configuration, the audit."""
import json
import os
import pty
import select
import subprocess

import pytest

import program
from people import GOOD, Browser, type_of

HISTORY = "/calls/call-history/"
SESSION = "/admin/api/session/"


@pytest.fixture
def admin(people, serve):
    """admin(changes) -> (people, server, a browser of the admin "ann" who is signed in)."""
    def start(changes=None):
        ours = people(changes)
        ours.add("ann", "admin")
        server = serve(conf=ours.conf)
        ann = Browser(server)
        assert ann.log_in("ann").status == 200
        return ours, server, ann
    return start


def test_an_admin_makes_changes_and_deletes_users(admin):
    ours, server, ann = admin()
    users = "/admin/api/users/"
    answer = ann.post(users, {"name": "jo", "role": "viewer", "password": GOOD})
    assert (answer.status, answer.json) == (201, {"name": "jo", "role": "viewer"})
    again = ann.post(users, {"name": "jo", "role": "admin", "password": GOOD})
    assert (again.status, type_of(again)) == (409, "name-taken")
    rows = {row["name"]: row for row in ann.get(users).json["users"]}
    assert set(rows["jo"]) == {"name", "role", "disabled", "created_at", "last_login_at",
                               "locked_until"}
    assert rows["ann"]["last_login_at"] and rows["jo"]["last_login_at"] is None
    jo = Browser(server)
    assert jo.log_in("jo").status == 200
    assert ann.send("PATCH", users + "jo/", {"role": "operator"}).status == 204
    program.eventually(lambda: jo.get(SESSION).status == 401, "who was changed is signed out")
    assert jo.log_in("jo").json["user"]["role"] == "operator"
    assert ann.send("PATCH", users + "jo/", {"disabled": True}).status == 204
    assert (jo.get(HISTORY).status, jo.log_in("jo").status) == (401, 401)
    other = "another good password"
    assert ann.send("PATCH", users + "jo/", {"disabled": False, "password": other}).status == 204
    assert (jo.log_in("jo").status, jo.log_in("jo", other).status) == (401, 200)
    assert ann.send("DELETE", users + "jo/").status == 204
    assert (jo.get(HISTORY).status, jo.log_in("jo", other).status) == (401, 401)
    for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
        assert ann.send(method, users + "jo/", body).status == 404
    assert [row["name"] for row in ours.list()] == ["ann"]


def test_one_enabled_admin_is_always_left(admin):
    ours, _server, ann = admin()
    users = "/admin/api/users/"
    for method, body in (("PATCH", {"role": "viewer"}), ("PATCH", {"disabled": True}),
                         ("DELETE", None)):
        answer = ann.send(method, users + "ann/", body)
        assert (answer.status, type_of(answer)) == (409, "last-admin"), answer.text
    for words in (["set", "ann", "--disable"], ["set", "ann", "--role", "viewer"],
                  ["delete", "ann"]):
        result = ours.run(*words)
        assert result.returncode == 1 and "last enabled admin" in result.stderr, words
    assert ann.get(SESSION).status == 200
    ours.add("bob", "admin")
    assert ann.send("DELETE", users + "ann/").status == 204
    assert ann.get(SESSION).status == 401


def test_an_admin_makes_and_revokes_keys(admin):
    _ours, server, ann = admin()
    keys = "/admin/api/keys/"
    wish = {"name": "crm", "scopes": ["read"], "expires_at": "2090-01-01T00:00:00Z"}
    answer = ann.post(keys, wish)
    assert answer.status == 201 and set(answer.json) == {"key_id", "key"}
    again = ann.post(keys, wish)
    assert (again.status, type_of(again)) == (409, "name-taken")
    bearer = {"Authorization": f"Bearer {answer.json['key']}"}
    assert server.get(HISTORY, headers=bearer).status == 200
    (row,) = ann.get(keys).json["keys"]
    assert (row["name"], row["scopes"], row["created_by"]) == ("crm", ["read"], "ann")
    assert row["prefix"] == answer.json["key"][:12] and answer.json["key"] not in str(row)
    assert ann.send("DELETE", f"{keys}{row['key_id']}/").status == 204
    program.eventually(lambda: server.get(HISTORY, headers=bearer).status == 401, "it is refused")
    assert ann.send("DELETE", f"{keys}{row['key_id']}/").status == 404
    (row,) = ann.get(keys).json["keys"]
    assert row["revoked_at"]


def test_configuration_and_plugins_are_shown_without_secrets(admin, aicaller):
    ours, _server, ann = admin({
        "providers": {"talk": {"plugin": "groq.so", "api_key": "gsk_not_to_be_shown_1234"}},
        "security": {"session_idle": "20m"}})
    answer = ann.get("/admin/api/config/")
    assert answer.status == 200 and "gsk_not" not in answer.text
    assert answer.json["file"] == str(ours.conf[0])
    settings = answer.json["settings"]
    assert settings["providers"]["talk"]["api_key"] == "***"
    assert settings["security"]["session_idle"] == "20m"
    assert settings["server"]["port"] == ours.conf[1]
    assert answer.json["text"] == aicaller("config", "show", "-c", ours.conf[0]).stdout
    answer = ann.get("/admin/api/plugins/").json
    plugins = {row["id"]: row for row in answer["plugins"]}
    assert plugins["sqlite"]["roles"] == ["storage"] and plugins["sqlite"]["file"].endswith(".so")
    providers = {row["name"]: row for row in answer["providers"]}
    assert providers["flite"] == {"name": "flite", "plugin": "flite", "roles": ["tts"],
                                  "state": "ok"}


def test_what_was_done_is_in_the_audit(admin):
    _ours, server, ann = admin()
    ann.post("/admin/api/users/", {"name": "jo", "role": "viewer", "password": GOOD})
    Browser(server).log_in("jo", "a wrong password")
    ann.send("DELETE", "/admin/api/users/ann/")
    key = ann.post("/admin/api/keys/", {"name": "x", "scopes": ["read"]}).json["key_id"]

    def deeds():
        rows = ann.get("/admin/api/audit/").json["audit"]
        return {(row["actor"], row["action"], row["outcome"], row["reason"]) for row in rows}
    expected = {("ann", "login", "allowed", None), ("ann", "user.add", "done", None),
                ("jo", "login", "refused", "password"),
                ("ann", "user.delete", "refused", "last-admin"), ("ann", "key.add", "done", None)}
    program.eventually(lambda: expected <= deeds(), "all of it is written down")
    first = ann.get("/admin/api/audit/?limit=2").json
    assert len(first["audit"]) == 2 and first["next"] == first["audit"][-1]["audit_id"]
    rest = ann.get(f"/admin/api/audit/?after={first['next']}").json["audit"]
    assert not {row["audit_id"] for row in rest} & {row["audit_id"] for row in first["audit"]}
    (row,) = ann.get("/admin/api/audit/?action=key.add").json["audit"]
    assert row["object"] == key and row["detail"] == {"name": "x"}
    assert [row["detail"] for row in ann.get("/admin/api/audit/?action=user.add").json["audit"]] \
        == [{"name": "jo"}]
    answer = ann.get("/admin/api/audit/?limit=0")
    assert (answer.status, answer.json["field"]) == (400, "limit")


def test_a_key_with_the_scope_admin_looks_but_changes_nothing(admin, aicaller):
    ours, server, _ann = admin()
    made = {scope: aicaller("key", "add", scope, "--scope", scope, "-c", ours.conf[0])
            .stdout.strip() for scope in ("read", "admin")}
    bearer = {scope: {"Authorization": f"Bearer {key}"} for scope, key in made.items()}
    for part in ("users", "keys", "config", "audit"):
        path = f"/admin/api/{part}/"
        assert server.get(path, headers=bearer["admin"]).status == 200, path
        for headers in (bearer["read"], {}):
            answer = server.get(path, headers=headers)
            assert (answer.status, type_of(answer)) == (401, "session-needed"), path
    for method, path, body in [
            ("POST", "/admin/api/users/", {"name": "x", "role": "viewer", "password": GOOD}),
            ("PATCH", "/admin/api/users/ann/", {}), ("DELETE", "/admin/api/users/ann/", None),
            ("POST", "/admin/api/keys/", {"name": "x", "scopes": ["read"]}),
            ("POST", "/admin/api/logout/", {}),
            ("POST", "/admin/api/password/", {"old": GOOD, "new": GOOD + "2"})]:
        answer = server.request(method, path, body, {**bearer["admin"], "Origin": server.url})
        assert (answer.status, type_of(answer)) == (401, "session-needed"), path
    assert [row["name"] for row in ours.list()] == ["ann"]


def test_the_command_tells_what_is_wrong(people):
    ours = people()
    ours.add("ann", "admin")
    for words, text, status, says in [
            (["add"], None, 2, "expected"), (["sell", "x"], None, 2, "expected"),
            (["list", "x"], None, 2, "expected"), (["set", "ann"], None, 2, "expected"),
            (["add", "a b", "--generate"], None, 2, "letters"),
            (["add", "x" * 65, "--generate"], None, 2, "1 to 64"),
            (["add", "x", "--role", "root", "--generate"], None, 2, "--role"),
            (["add", "x", "--enable"], None, 2, "not for"),
            (["set", "x", "--enable", "--disable"], None, 2, "exclude"),
            (["add", "x", "--generate", "--password-file", "-"], None, 2, "exclude"),
            (["add", "x", "--password-file", "/nowhere/file"], None, 1, "/nowhere/file"),
            (["add", "x", "--password-file", "-"], "short\n", 1, "at least 12"),
            (["add", "x", "--password-file", "-"], "x" * 1001 + "\n", 1, "at most 1,000"),
            (["add", "x", "--password-file", "-"], "x" * 5000 + "\n", 1, "at most 1,000"),
            (["add", "x", "--password-file", "-"], "\n", 1, "at least 12"),
            (["add", "ann", "--generate"], None, 1, "already"),
            (["delete", "nobody"], None, 1, "no user"), (["set", "nobody", "--unlock"], None, 1,
                                                          "no user"),
            (["password", "nobody", "--generate"], None, 1, "no user")]:
        result = ours.run(*words, text=text)
        assert result.returncode == status and says in result.stderr, (words, result.stderr)
        assert result.stdout == ""
    assert [row["name"] for row in ours.list()] == ["ann"]


def test_a_password_is_made_for_who_wants_none(people, serve):
    ours = people()
    made = ours.run("add", "jo", "--generate")
    assert made.returncode == 0 and len(made.stdout.strip()) == 23
    again = ours.run("password", "jo", "--generate", "--json")
    assert again.returncode == 0
    assert set(json.loads(again.stdout)) == {"name", "password"}
    server = serve(conf=ours.conf)
    assert Browser(server).log_in("jo", made.stdout.strip()).status == 401
    assert Browser(server).log_in("jo", json.loads(again.stdout)["password"]).status == 200


def test_without_a_terminal_another_way_is_told(people, tmp_path, built):
    ours = people()
    result = subprocess.run([built, "user", "add", "jo", "-c", ours.conf[0]], text=True,
                            env=program.environment(tmp_path), stdin=subprocess.DEVNULL,
                            capture_output=True, start_new_session=True, timeout=30, check=False)
    assert result.returncode == 1 and "--password-file" in result.stderr


def type_on_a_terminal(command, env, lines):
    """Answers each prompt with a line; (exit status, what the terminal has shown)."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, env)
    shown = b""
    while True:
        ready, _, _ = select.select([terminal], [], [], 30)
        try:
            piece = os.read(terminal, 4096) if ready else b""
        except OSError:
            piece = b""
        if not piece:
            break
        shown += piece
        if shown.endswith(b": ") and lines:
            os.write(terminal, lines.pop(0).encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


@pytest.mark.parametrize("lines, status, says", [
    ([GOOD, GOOD], 0, "Again"), ([GOOD, GOOD + "x"], 1, "not the same"),
    (["too short"], 1, "at least 12")], ids=["same", "other", "short"])
def test_the_terminal_is_asked_twice_and_shows_nothing(people, tmp_path, built, lines, status,
                                                       says):
    ours = people()
    command = [str(word) for word in (built, "user", "add", "jo", "-c", ours.conf[0])]
    result, shown = type_on_a_terminal(command, program.environment(tmp_path), list(lines))
    assert (result, says in shown) == (status, True), shown
    assert not [line for line in lines if line in shown], "nobody reads it over a shoulder"
    assert [row["name"] for row in ours.list()] == (["jo"] if status == 0 else [])
