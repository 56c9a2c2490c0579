# SPDX-License-Identifier: ISC
"""
The people who log in to the admin pages: made by a command, checked by the server, with sessions
that end when they should.
"""
import concurrent.futures
import contextlib
import re
import sqlite3
import urllib.parse

import psycopg2
import pytest

import program
from people import GOOD, Browser, type_of

HISTORY = "/calls/call-history/"
SESSION = "/admin/api/session/"


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


def test_five_wrong_passwords_lock_a_name_whether_there_is_one_or_not(people, serve):
    ours = people()
    ours.add("ann", "admin")
    server = serve(conf=ours.conf)

    def attempts(name):
        answers = [Browser(server).log_in(name, "a wrong password") for _ in range(7)]
        return [(answer.status, type_of(answer)) for answer in answers], \
            int(answers[-1].headers["Retry-After"]), answers[0].text, answers[-1].text
    known, unknown = attempts("ann"), attempts("nobody")
    assert known[0] == [(401, "login-failed")] * 5 + [(429, "locked")] * 2
    assert 880 <= known[1] <= 900 and abs(known[1] - unknown[1]) <= 5
    assert (known[0], *known[2:]) == (unknown[0], *unknown[2:]), "nothing tells them apart"
    assert Browser(server).log_in("ann").status == 429, "the right password comes too late"
    counted = server.get("/calls/health/").json["counters"]["requests"]
    assert (counted["login-failed"], counted["locked"]) == (10, 5)
    (row,) = ours.list()
    assert row["locked_until"]
    assert ours.run("set", "ann", "--unlock").returncode == 0
    assert Browser(server).log_in("ann").status == 200


def test_a_good_password_forgives_the_wrong_ones_before(people, serve):
    ours = people()
    ours.add("ann")
    server = serve(conf=ours.conf)
    for wrong in (4, 1):
        statuses = [Browser(server).log_in("ann", "a wrong password").status for _ in range(wrong)]
        assert statuses == [401] * wrong
        assert Browser(server).log_in("ann").status == 200


def test_an_address_has_few_attempts(people, serve):
    ours = people({"limits": {"logins_per_address": 3}})
    ours.add("ann")
    server = serve(conf=ours.conf)
    answers = [Browser(server).log_in(f"somebody{n}") for n in range(4)]
    assert [answer.status for answer in answers] == [401, 401, 401, 429]
    assert type_of(answers[-1]) == "too-many-requests"
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_a_session_ends_by_the_clock(people, serve):
    ours = people({"security": {"session_lifetime": "2s"}})
    ours.add("ann")
    server = serve(conf=ours.conf)
    ann = Browser(server)
    answer = ann.log_in("ann")
    assert "Max-Age=2" in answer.headers["Set-Cookie"].split("; ")
    assert ann.get(HISTORY).status == 200
    cookie = ann.cookie

    def has_ended():
        ann.cookie = cookie
        return ann.get(HISTORY).status == 401
    program.eventually(has_ended, "the session has ended")
    assert ann.log_in("ann").status == 200 and ann.cookie != cookie


def test_a_session_that_was_not_used_or_is_gone_from_the_database_ends(people, serve):
    ours = people()
    server = serve(conf=ours.conf)
    names = ["expired", "idle", "deleted", "disabled", "kept"]
    browsers = {}
    for name in names:
        ours.add(name)
        browsers[name] = Browser(server)
        assert browsers[name].log_in(name).status == 200
        assert browsers[name].get(HISTORY).status == 200
    path = ours.conf[0].parent / "state0/aicaller.db"
    one = "(SELECT user_id FROM users WHERE name = ?)"
    long_ago = "2026-01-05T10:00:00.000Z"
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as database, database:
        database.execute(f"UPDATE sessions SET expires_at = ? WHERE user_id = {one}",
                         (long_ago, "expired"))
        database.execute(f"UPDATE sessions SET seen_at = ? WHERE user_id = {one}",
                         (long_ago, "idle"))
        database.execute(f"DELETE FROM sessions WHERE user_id = {one}", ("deleted",))
        database.execute("UPDATE users SET disabled = 1 WHERE name = ?", ("disabled",))
    for name in names[:-1]:
        program.eventually(lambda b=browsers[name]: b.get(SESSION).status == 401,
                           f"{name} is not known any more")
    assert browsers["kept"].get(SESSION).status == 200


MUTATING = re.compile(r"(?:web|admin)_route\(\s*web, AIC_METHOD_(POST|PUT|PATCH|DELETE), "
                      r"(\"[^\"]+\"|\w+)")
ID = "01a203c4-5150-7038-b7cb-7a34a8e1fa27"
# Who is signed in may do these in any role; the first two are for strangers, too.
FOR_ALL = {"/admin/api/login/", "/calls/key/", "/admin/api/logout/", "/admin/api/password/"}


def mutating_endpoints():
    """(method, path) of all that changes something, out of the program itself."""
    found = set()
    for source in (program.ROOT / "host/web").glob("*.c"):
        code = source.read_text(encoding="utf-8")
        for method, path in MUTATING.findall(code):
            if not path.startswith('"'):
                path = re.search(rf'{path}\[\] = ("[^"]+")', code).group(1)
            path = path.strip('"')
            if path == "/calls/*":
                found.update((method, f"/calls/{ID}/{deed}/")
                             for deed in ("hangup", "transfer", "recording/pause",
                                          "recording/resume"))
            else:
                found.add((method, path.replace("*", ID + "/")))
    assert len(found) >= 14
    return sorted(found - {("POST", path) for path in FOR_ALL})


def test_a_role_without_the_right_is_refused_everywhere(people, serve):
    ours = people()
    server = serve(conf=ours.conf)
    refused = {}
    for role in ("viewer", "operator", "admin"):
        ours.add(role, role)
        browser = Browser(server)
        assert browser.log_in(role).status == 200
        refused[role] = set()
        for method, path in mutating_endpoints():
            answer = browser.send(method, path, {})
            assert answer.status >= 400 or path.startswith("/calls/"), (role, path, answer.text)
            if answer.status == 403 and type_of(answer) == "scope":
                refused[role].add(path)
    there = {path for _, path in mutating_endpoints()}
    missing = {path for path in there if path.startswith(f"/calls/{ID}/")} - refused["viewer"]
    assert refused["viewer"] == there - missing
    assert refused["operator"] == {path for path in there if path.startswith("/admin/api/")}
    assert refused["admin"] == set()
    viewer = Browser(server)
    viewer.log_in("viewer")
    statuses = {path: viewer.get(f"/admin/api/{path}/").status
                for path in ("users", "keys", "config", "audit", "plugins")}
    assert statuses == {"users": 403, "keys": 403, "config": 403, "audit": 403, "plugins": 200}


def test_a_change_needs_the_token_of_its_session_and_our_page(people, serve):
    ours = people()
    for name in ("ann", "bob"):
        ours.add(name, "admin")
    server = serve(conf=ours.conf)
    ann, bob = Browser(server), Browser(server)
    assert ann.log_in("ann").status == bob.log_in("bob").status == 200
    assert ann.csrf != bob.csrf
    good = {"Origin": server.url, "X-CSRF-Token": ann.csrf}
    bad = [{"X-CSRF-Token": None}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": bob.csrf},
           {"X-CSRF-Token": ann.csrf[:-1]}, {"X-CSRF-Token": ann.csrf.upper()},
           {"X-CSRF-Token": ann.csrf + "0"}, {"X-CSRF-Token": "0" * 64}, {"Origin": None},
           {"Origin": "null"}, {"Origin": "https://example.com"},
           {"Origin": server.url.replace("http:", "https:")}, {"Origin": "http://127.0.0.1:1"}]
    for headers in bad:
        for method, path in mutating_endpoints() + [("POST", "/admin/api/logout/"),
                                                    ("POST", "/admin/api/password/")]:
            answer = ann.send(method, path, {}, {**good, **headers})
            is_there = answer.status != 404 or not path.startswith(f"/calls/{ID}/")
            assert not is_there or (answer.status, type_of(answer)) == (403, "csrf"), \
                (headers, path, answer.text)
    assert ann.get(SESSION).status == 200
    for headers in bad[7:]:
        answer = Browser(server).log_in("ann", headers=headers)
        assert (answer.status, type_of(answer)) == (403, "csrf"), headers
    answer = ann.get(SESSION, {"Origin": "https://example.com"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_two_browsers_of_one_user_do_not_disturb_each_other(people, serve):
    ours = people()
    ours.add("ann", "admin")
    server = serve(conf=ours.conf)
    browsers = [Browser(server) for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda browser: browser.log_in("ann"), browsers))
    assert [answer.status for answer in answers] == [200, 200]
    first, second = browsers
    assert first.cookie != second.cookie
    assert first.post("/admin/api/logout/").status == 204
    assert second.get(SESSION).status == 200
    before = second.cookie
    assert second.log_in("ann").status == 200, "another log-in makes a fresh session"
    after, second.cookie = second.cookie, before
    assert after != before
    program.eventually(lambda: second.get(SESSION).status == 401, "and ends the one before")


def test_a_new_password_ends_the_other_sessions(people, serve):
    ours = people()
    ours.add("ann")
    server = serve(conf=ours.conf)
    here, there = Browser(server), Browser(server)
    assert here.log_in("ann").status == there.log_in("ann").status == 200
    new = "\u00c5ngstr\u00f6m \u5bc6\u7801 \U0001f511 x"

    def change(old, wanted):
        return here.post("/admin/api/password/", {"old": old, "new": wanted})
    for old, wanted, status, kind in ((GOOD, "too short", 422, "bad-field"),
                                      (GOOD, "x" * 1001, 422, "bad-field"),
                                      (GOOD, "null\0byte is here", 422, "bad-field"),
                                      ("a wrong password", new, 403, "wrong-password")):
        answer = change(old, wanted)
        assert (answer.status, type_of(answer)) == (status, kind), wanted
    assert change(GOOD, new).status == 204
    assert there.get(HISTORY).status == 401
    session = here.get(SESSION)
    assert session.status == 200 and session.json["csrf"] != here.csrf
    assert Browser(server).log_in("ann").status == 401
    composed = Browser(server).log_in("ann", new)
    assert composed.status == 200
    apart = "A\u030angstro\u0308m \u5bc6\u7801 \U0001f511 x"
    assert Browser(server).log_in("ann", apart).status == 200, "the same letters, typed apart"


HOSTILE = ["' OR 1=1 --", "<script>alert(1)</script>", "ann'; DROP TABLE users; --", "", " ",
           "ann ", "\u0430nn", "ann\0", "a" * 65, "a" * 100_000, "../ann", "%61nn", "ann\r\nX: y"]


def test_names_of_all_kinds_let_nobody_in(people, serve):
    ours = people()
    ours.add("ann", "admin")
    server = serve(conf=ours.conf)
    ann = Browser(server)
    for name in HOSTILE:
        answer = ann.log_in(name)
        assert (answer.status, type_of(answer)) == (401, "login-failed"), name[:40]
        assert ann.cookie is None
    for body in ({"name": ["ann"], "password": {}}, {}, {"name": None, "password": None},
                 {"name": "ann", "password": "x" * 200_000}, {"name": "ann", "password": ""},
                 {"name": "ann", "password": GOOD + "\0"}, {"name": "ann"}):
        assert ann.post("/admin/api/login/", body).status == 401, str(body)[:60]
    assert ann.log_in("ann", "' OR 1=1 --").status == 401
    assert ann.log_in("ann").status == 200
    for name in HOSTILE:
        answer = ann.post("/admin/api/users/", {"name": name, "role": "viewer", "password": GOOD})
        assert (answer.status, answer.json["field"]) == (422, "name"), name[:40]
        path = "/admin/api/users/" + urllib.parse.quote(name[:3000], safe="")
        assert ann.send("DELETE", path + "/").status in (404, 405), name[:40]
    for body in ({"name": "x", "role": "root", "password": GOOD},
                 {"name": "x", "role": ["admin"], "password": GOOD},
                 {"name": "x", "role": "viewer", "password": "x" * 100_000},
                 {"name": "x", "role": "viewer"},
                 {"name": "x", "role": "viewer", "password": GOOD, "disabled": "no"},
                 {"name": "x", "role": "viewer", "password": GOOD, "user_id": "1"}):
        assert ann.post("/admin/api/users/", body).status == 422, str(body)[:60]
    (row,) = ours.list()
    assert (row["name"], row["role"]) == ("ann", "admin")


def test_what_is_no_session_is_none(people, serve):
    ours = people()
    ours.add("ann", "admin")
    server = serve(conf=ours.conf)
    ann = Browser(server)
    assert ann.log_in("ann").status == 200
    for cookie in ("x", "0" * 64, ann.cookie[:-1], ann.cookie.upper(), ann.cookie + "0",
                   "' OR 1=1 --", "a" * 5000):
        stranger = Browser(server)
        stranger.cookie = cookie
        answer = stranger.get(HISTORY)
        assert answer.status == 401, cookie
        assert server.get(SESSION, headers={"Cookie": f"aicaller_session={cookie}"}
                          ).json["has_users"] is True
    kept = b"".join(path.read_bytes() for path in ours.conf[0].parent.rglob("*") if path.is_file())
    assert ann.cookie.encode() not in kept and GOOD.encode() not in kept
    assert ann.cookie not in server.log and GOOD not in server.log


def test_the_log_out_counts_in_all_workers(people, serve):
    ours = people({"server": {"workers": 2}})
    ours.add("ann")
    server = serve(conf=ours.conf)
    ann = Browser(server)
    assert ann.log_in("ann").status == 200
    cookie = ann.cookie
    assert {ann.get(HISTORY).status for _ in range(12)} == {200}
    assert ann.post("/admin/api/logout/").status == 204
    ann.cookie = cookie

    def answers():
        ann.cookie = cookie
        return ann.get(HISTORY).status
    program.eventually(lambda: {answers() for _ in range(6)} == {401}, "all workers know it", 3)


def test_people_log_in_with_postgresql_and_not_without_it(people, serve, postgres):
    ours = people({"storage": "db", "providers": {"db": {"plugin": "pgsql.so",
                                                         "url": postgres.url}}})
    ours.add("ann", "admin")
    ours.add("jo")
    server = serve(conf=ours.conf)
    ann, jo = Browser(server), Browser(server)
    assert ann.log_in("ann").status == jo.log_in("jo").status == 200
    assert [Browser(server).log_in("jo", "a wrong password").status for _ in range(6)] == \
        [401] * 5 + [429]
    for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
        answer = ann.send(method, "/admin/api/users/ann/", body)
        assert (answer.status, type_of(answer)) == (409, "last-admin")
    assert ann.send("PATCH", "/admin/api/users/jo/", {"disabled": True}).status == 204
    assert jo.get(HISTORY).status == 401
    assert {row["name"] for row in ann.get("/admin/api/users/").json["users"]} == {"ann", "jo"}
    with contextlib.closing(psycopg2.connect(postgres.url)) as database, database, \
            database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sessions")
        assert cursor.fetchone() == (1,)
    postgres.ask("down")
    for path in (SESSION, HISTORY, "/admin/api/users/"):
        program.eventually(lambda p=path: ann.get(p).status == 503, f"{path} says so")
    answer = Browser(server).log_in("ann")
    assert (answer.status, type_of(answer)) == (503, "storage")
    postgres.ask("up")
    program.eventually(lambda: ann.get(SESSION).status == 200, "the session goes on", 20)
