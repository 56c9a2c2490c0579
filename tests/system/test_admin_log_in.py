# SPDX-License-Identifier: ISC
"""
The people who log in to the admin pages: made by a command, checked by the server, with sessions
that end when they should.
"""
import pytest

import program
from people import GOOD, Browser, People

HISTORY = "/calls/call-history/"
SESSION = "/admin/api/session/"


@pytest.fixture
def people(aicaller, make_conf):
    """people(changes) -> People with a configuration of its own."""
    return lambda changes=None: People(aicaller, make_conf(changes))


def test_who_logs_in_has_a_session_that_ends_with_the_log_out(people, serve):
    ours = people()
    ours.add("jo", "operator")
    server = serve(conf=ours.conf)
    jo = Browser(server)
    assert (jo.get(SESSION).status, jo.get(SESSION).json["has_users"]) == (401, True)
    answer = jo.log_in("jo")
    assert answer.status == 200, answer.text
    assert answer.json["user"] == {"name": "jo", "role": "operator"}
    attributes = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(attributes)
    assert "Secure" not in attributes
    assert answer.headers["Cache-Control"] == "no-store"
    session = jo.get(SESSION)
    assert session.status == 200 and session.json == answer.json
    assert jo.get(HISTORY).status == 200
    assert jo.post("/calls/test-chat/", {"message": "hello"}).status == 200
    cookie = jo.cookie
    assert jo.post("/admin/api/logout/").status == 204
    assert jo.cookie == ""
    jo.cookie = cookie
    answer = jo.get(HISTORY)
    assert (answer.status, answer.json["type"].rpartition("#")[2]) == (401, "session-ended")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


def type_of(answer):
    return answer.json["type"].rpartition("#")[2]


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
    assert row["object"] == key
    answer = ann.get("/admin/api/audit/?limit=0")
    assert (answer.status, answer.json["field"]) == (400, "limit")


ELSEWHERE = {"Host": "voice.example.com", "X-Forwarded-For": "203.0.113.5"}
OVER_TLS = {**ELSEWHERE, "X-Forwarded-Proto": "https"}


def test_a_password_is_taken_over_https_or_on_this_machine_only(people, serve):
    ours = people({"security": {"trusted_proxies": ["127.0.0.1"]}})
    ours.add("ann", "admin")
    server = serve(conf=ours.conf)
    ann = Browser(server)
    plain = ann.log_in("ann", headers={**ELSEWHERE, "Origin": "http://voice.example.com"})
    assert (plain.status, type_of(plain)) == (403, "https-needed")
    answer = ann.log_in("ann", headers={**OVER_TLS, "Origin": "https://voice.example.com"})
    assert answer.status == 200 and "Secure" in answer.headers["Set-Cookie"].split("; ")
    assert ann.get(HISTORY, {**OVER_TLS, "Origin": None}).status == 200
    assert server.get(HISTORY, headers=OVER_TLS).status == 403, "without the cookie"


def test_names_of_the_server_and_https_are_insisted_on(people, serve):
    ours = people({"server": {"public_url": "https://voice.example.com"},
                   "security": {"trusted_proxies": ["127.0.0.1"],
                                "allowed_hosts": ["calls.example.com"]}})
    server = serve(conf=ours.conf)
    for host, status in (("voice.example.com", 200), ("calls.example.com:443", 200),
                         ("example.com", 400), ("voice.example.com.example.net", 400)):
        answer = server.get("/calls/health/", headers={**OVER_TLS, "Host": host})
        assert answer.status == status, host
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        if status == 400:
            assert type_of(answer) == "host"
    assert "Strict-Transport-Security" not in server.get("/calls/health/").headers
    plain = server.get("/calls/health/", headers=ELSEWHERE)
    assert plain.status == 200 and "Strict-Transport-Security" not in plain.headers


@pytest.mark.parametrize("name", ["voice.example.com:8000", "https://voice.example.com", ""])
def test_what_is_no_name_is_refused_in_the_configuration(people, name, aicaller):
    ours = people({"security": {"allowed_hosts": [name]}})
    result = aicaller("check", "-c", ours.conf[0])
    assert result.returncode == 78 and "without a port" in result.stderr
