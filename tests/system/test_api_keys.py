# SPDX-License-Identifier: ISC
"""
API keys: made and removed by a command, shown in a header or by a browser's cookie, and counted. A
request from elsewhere is one that came through a proxy (X-Forwarded-For).
"""
import json
import re
import urllib.parse

import pytest

import program

KEY = re.compile(r"aic_[0-9a-f]{64}")
ELSEWHERE = {"X-Forwarded-For": "203.0.113.5", "Host": "voice.example.com"}
HTML = {"Accept": "text/html,*/*"}
HISTORY = "/calls/call-history/"
PAGE = "/calls/test/"


def bearer(key, headers=ELSEWHERE):
    return {**headers, "Authorization": f"Bearer {key}"}


@pytest.fixture
def keys(aicaller, make_conf):
    """keys.add(name, ...) -> the key; keys.conf is (file, port) for a server that knows them."""
    class Keys:
        def __init__(self, changes=None):
            self.conf = make_conf(changes)

        def run(self, *words):
            return aicaller("key", *words, "-c", self.conf[0])

        def add(self, name, *options):
            result = self.run("add", name, *options)
            assert result.returncode == 0, result.stderr
            assert KEY.fullmatch(result.stdout.strip()), result.stdout
            return result.stdout.strip()

        def remove(self, name):
            result = self.run("remove", name)
            assert result.returncode == 0, result.stderr

        def list(self):
            return json.loads(self.run("list", "--json").stdout)
    return Keys


def test_a_key_is_shown_once_and_only_its_hash_is_kept(keys, tmp_path):
    ours = keys()
    key = ours.add("crm")
    (row,) = ours.list()
    assert row["name"] == "crm"
    assert key.startswith(row["prefix"]) and len(row["prefix"]) == 12
    assert row["scopes"] == ["read", "call"]
    assert "key_hash" not in row
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert row["prefix"].encode() in kept
    assert key[12:].encode() not in kept


def test_the_command_tells_what_is_wrong(keys):
    ours = keys()
    ours.add("crm")
    for words, status, says in [
            (["add", "crm"], 1, "already"), (["remove", "nobody"], 1, "no key"),
            (["add"], 2, "expected"), (["list", "x"], 2, "expected"),
            (["sell", "x"], 2, "expected"),
            (["add", "x", "--scope", "read,fly"], 2, "--scope"), (["add", "x" * 101], 2, "name"),
            (["add", "x", "--expires", "soon"], 2, "--expires"),
            (["add", "x", "--per-minute", "0"], 2, "--per-minute")]:
        result = ours.run(*words)
        assert result.returncode == status, (words, result.stderr)
        assert says in result.stderr, (words, result.stderr)
    assert [row["name"] for row in ours.list()] == ["crm"]


def test_a_key_opens_the_api_from_elsewhere(keys, serve):
    ours = keys()
    key = ours.add("crm")
    server = serve(conf=ours.conf)
    assert server.get(HISTORY, headers=bearer(key)).status == 200
    answer = server.post("/calls/test-chat/", {"message": "hello"}, headers=bearer(key))
    assert answer.status == 200, answer.text
    health = server.get("/calls/health/", headers=bearer(key))
    assert health.json["version"] and "providers" in health.json
    assert server.get(HISTORY).status == 200, "this machine itself needs none"


@pytest.mark.parametrize("credential", [
    None, "Bearer", "Bearer x", "Bearer aic_" + "0" * 64, "Bearer " + "a" * 5000, "Basic eDp5",
    "Bearer aic_" + "0" * 63], ids=["none", "scheme", "short", "unknown", "long", "basic", "cut"])
def test_without_a_good_key_everybody_else_is_refused(keys, serve, credential):
    ours = keys()
    ours.add("crm")
    server = serve(conf=ours.conf)
    headers = {**ELSEWHERE, **({"Authorization": credential} if credential else {})}
    for method, path, body in [("GET", HISTORY, None), ("GET", "/static/style.css", None),
                               ("POST", "/calls/test-chat/", b'{"message":"hello"}')]:
        answer = server.request(method, path, body, {**headers, "Content-Type": "application/json"})
        assert answer.status == 401, (path, answer.text)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Content-Type"] == "application/problem+json"
    health = server.get("/calls/health/", headers=headers)
    assert (health.status, set(health.json)) == (200, {"status", "instance"})


def test_a_wrong_key_is_wrong_on_this_machine_too(keys, serve):
    server = serve(conf=keys().conf)
    answer = server.get(HISTORY, headers={"Authorization": "Bearer aic_" + "0" * 64})
    assert answer.status == 401
    assert answer.json["type"].endswith("#key-unknown")


def test_a_key_that_is_added_or_removed_counts_at_once(keys, serve):
    ours = keys()
    server = serve({}, conf=ours.conf)
    assert server.get(HISTORY, headers=ELSEWHERE).status == 403
    key = ours.add("crm")
    assert server.get(HISTORY, headers=bearer(key)).status == 200
    assert server.get(HISTORY, headers=ELSEWHERE).status == 401
    ours.remove("crm")
    program.eventually(lambda: server.get(HISTORY, headers=bearer(key)).status == 401,
                       "the key is refused", 5)
    assert ours.list() == []
    assert ours.add("crm") != key, "the name may be used again"


def test_a_scope_bounds_what_a_key_does(keys, serve):
    ours = keys()
    reader, caller = ours.add("reader", "--scope", "read"), ours.add("caller", "--scope", "call")
    server = serve(conf=ours.conf)
    assert server.get(HISTORY, headers=bearer(reader)).status == 200
    chat = server.post("/calls/test-chat/", {"message": "hello"}, headers=bearer(reader))
    assert chat.status == 403
    assert '"call"' in chat.json["detail"]
    assert server.post("/calls/test-chat/", {"message": "hello"},
                       headers=bearer(caller)).status == 200
    assert server.get(HISTORY, headers=bearer(caller)).status == 403
    assert set(server.get("/calls/health/", headers=bearer(caller)).json) == {"status",
                                                                              "instance"}


def test_a_key_ends_at_its_time(keys, serve):
    ours = keys()
    key = ours.add("crm", "--expires", "2s")
    server = serve(conf=ours.conf)
    program.eventually(lambda: server.get(HISTORY, headers=bearer(key)).status == 401,
                       "the key has ended", 10)


def test_a_key_is_counted_by_itself(keys, serve):
    ours = keys()
    few, many = ours.add("few", "--per-minute", "3"), ours.add("many")
    server = serve(conf=ours.conf)
    statuses = [server.get(HISTORY, headers=bearer(few)).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    answer = server.get(HISTORY, headers=bearer(few))
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.json["type"].endswith("#too-many-requests")
    assert server.get(HISTORY, headers=bearer(many)).status == 200


def test_an_address_is_counted_as_the_trusted_proxy_says(keys, serve):
    ours = keys({"limits": {"requests_per_address": 3},
                 "security": {"trusted_proxies": ["127.0.0.0/8"]}})
    server = serve(conf=ours.conf)

    def ask(address):
        headers = {"X-Forwarded-For": address}
        return server.get("/calls/health/", headers=headers)
    assert [ask("198.51.100.1").status for _ in range(4)] == [200, 200, 200, 429]
    assert int(ask("198.51.100.1").headers["Retry-After"]) >= 1
    assert ask("198.51.100.2").status == 200
    # What the client itself wrote stands left of what the proxy has added.
    assert ask("198.51.100.9, 198.51.100.1").status == 429
    # One customer has a whole /64.
    assert [ask(f"2001:db8::{n}").status for n in range(1, 5)] == [200, 200, 200, 429]
    assert ask("2001:db8:0:1::1").status == 200
    assert [server.get("/calls/health/").status for _ in range(5)] == [200] * 5


def test_nobody_else_says_where_a_request_comes_from(keys, serve):
    ours = keys({"limits": {"requests_per_address": 3}})
    server = serve(conf=ours.conf)
    statuses = [server.get("/calls/health/", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status
                for n in range(4)]
    assert statuses == [200, 200, 200, 429]


def sign_in(server, key, where="", headers=ELSEWHERE, origin="http://voice.example.com"):
    return server.request("POST", f"/calls/key/{where}",
                          urllib.parse.urlencode({"key": key}).encode(),
                          {**headers, "Origin": origin,
                           "Content-Type": "application/x-www-form-urlencoded"})


def cookie_of(answer):
    return answer.headers["Set-Cookie"].partition(";")[0]


def test_a_browser_is_led_to_the_page_that_takes_a_key(keys, serve):
    ours = keys()
    key = ours.add("crm")
    server = serve(conf=ours.conf)
    answer = server.get(PAGE, headers={**ELSEWHERE, **HTML})
    assert (answer.status, answer.headers["Location"]) == (303, f"/calls/key/?next={PAGE}")
    page = server.get(answer.headers["Location"], headers={**ELSEWHERE, **HTML})
    assert page.status == 200 and "<form" in page.text
    for path in re.findall(r'href="(/[^"]*)"', page.text):
        assert server.get(path, headers=ELSEWHERE).status == 200, path
    answer = sign_in(server, key, f"?next={PAGE}")
    assert (answer.status, answer.headers["Location"]) == (303, PAGE)
    attributes = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert "Secure" not in attributes
    assert key not in answer.headers["Set-Cookie"]
    with_cookie = {**ELSEWHERE, "Cookie": cookie_of(answer)}
    assert server.get(PAGE, headers={**with_cookie, **HTML}).status == 200
    assert server.get(HISTORY, headers=with_cookie).status == 200


def test_a_browser_signs_in_and_out(keys, serve, browser):
    ours = keys()
    key = ours.add("crm")
    server = serve(conf=ours.conf)
    driver = browser(f"{server.url}/calls/key/?next={PAGE}")

    def submit(text):
        field = driver.find_element("id", "key")
        field.clear()
        field.send_keys(text)
        field.submit()
    assert not driver.find_element("id", "wrong").is_displayed()
    submit("aic_" + "0" * 64)
    program.eventually(lambda: driver.find_element("id", "wrong").is_displayed(), "it says so")
    driver.get(f"{server.url}/calls/key/?next={PAGE}")
    submit(key)
    program.eventually(lambda: driver.current_url == server.url + PAGE, "the page is shown")
    (cookie,) = driver.get_cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == \
        ("aicaller_key", True, "Strict")
    driver.get(f"{server.url}/calls/key/")
    driver.find_element("name", "forget").click()
    program.eventually(lambda: driver.get_cookies() == [], "the cookie is gone")


def test_a_cookie_ends_with_its_key_and_can_not_be_changed(keys, serve):
    ours = keys()
    server = serve(conf=ours.conf)
    key = ours.add("crm")
    ours.add("other")
    cookie = cookie_of(sign_in(server, key))
    assert server.get(HISTORY, headers={**ELSEWHERE, "Cookie": cookie}).status == 200
    forged = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
    assert server.get(HISTORY, headers={**ELSEWHERE, "Cookie": forged}).status == 401
    ours.remove("crm")
    program.eventually(
        lambda: server.get(HISTORY, headers={**ELSEWHERE, "Cookie": cookie}).status == 401,
        "the cookie is refused", 5)


def test_a_wrong_key_makes_no_cookie(keys, serve):
    ours = keys()
    ours.add("crm")
    server = serve(conf=ours.conf)
    for key in ("", "x", "aic_" + "0" * 64):
        answer = sign_in(server, key)
        assert (answer.status, answer.headers["Location"]) == (303, "/calls/key/#wrong")
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("where", ["//example.com", "https://example.com/", "\\\\example.com", "x",
                                   "/a%0d%0ab", "/%09/example.com", "/\\example.com"],
                         ids=range(7))
def test_the_page_leads_nowhere_else(keys, serve, where):
    ours = keys()
    key = ours.add("crm")
    server = serve(conf=ours.conf)
    answer = sign_in(server, key, "?next=" + urllib.parse.quote(where, safe="%"))
    assert answer.status == 303
    assert answer.headers["Location"] == "/calls/voice-test/"


def test_foreign_pages_can_not_use_the_cookie(keys, serve):
    ours = keys()
    key = ours.add("crm")
    server = serve(conf=ours.conf)
    with_cookie = {**ELSEWHERE, "Cookie": cookie_of(sign_in(server, key))}
    hang_up = "/calls/01a203c4-5150-7038-b7cb-7a34a8e1fa27/hangup/"
    for origin in (None, "null", "http://example.com", "https://voice.example.com",
                   "http://voice.example.com:81", "http://voice.example.com.example.net"):
        headers = {**with_cookie, **({"Origin": origin} if origin else {})}
        assert server.request("POST", hang_up, b"", headers).status == 403, origin
        assert sign_in(server, key, origin=origin or "").status in (400, 403), origin
    ours_too = {**with_cookie, "Origin": "http://voice.example.com"}
    assert server.request("POST", hang_up, b"", ours_too).status == 404
    # A header no foreign page can send: there the origin says nothing.
    foreign = {**bearer(key), "Origin": "http://example.com"}
    assert server.request("POST", hang_up, b"", foreign).status == 404


def test_behind_tls_the_cookie_is_sent_over_tls_only(keys, serve):
    ours = keys({"security": {"trusted_proxies": ["127.0.0.1"]}})
    key = ours.add("crm")
    server = serve(conf=ours.conf)
    over_tls = {**ELSEWHERE, "X-Forwarded-Proto": "https"}
    answer = sign_in(server, key, headers=over_tls, origin="https://voice.example.com")
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")
    assert sign_in(server, key, headers=over_tls).status == 403, "the origin is another"
    assert "Secure" not in sign_in(server, key).headers["Set-Cookie"].split("; ")


def test_nobody_else_says_that_it_was_tls(keys, serve):
    ours = keys()
    key = ours.add("crm")
    server = serve(conf=ours.conf)
    headers = {**ELSEWHERE, "X-Forwarded-Proto": "https"}
    assert sign_in(server, key, headers=headers, origin="https://voice.example.com").status == 403
    answer = sign_in(server, key, headers=headers)
    assert "Secure" not in answer.headers["Set-Cookie"].split("; ")


def test_the_key_is_forgotten_when_the_browser_asks(keys, serve):
    ours = keys()
    ours.add("crm")
    server = serve(conf=ours.conf)
    answer = server.request("POST", "/calls/key/", b"forget=1",
                            {**ELSEWHERE, "Origin": "http://voice.example.com"})
    assert answer.status == 303
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


def test_keys_hold_in_all_workers(keys, serve):
    ours = keys({"server": {"workers": 2}})
    key = ours.add("crm", "--per-minute", "10")
    server = serve(conf=ours.conf)
    statuses = [server.get(HISTORY, headers=bearer(key)).status for _ in range(14)]
    assert statuses.count(429) >= 3 and statuses[:10] == [200] * 10
    ours.remove("crm")
    program.eventually(lambda: server.get(HISTORY, headers=bearer(key)).status == 401,
                       "the key is refused", 5)
    assert {server.get(HISTORY, headers=bearer(key)).status for _ in range(10)} == {401}


def test_a_key_never_reaches_the_log(keys, serve):
    ours = keys({"log": {"level": "debug"}})
    key = ours.add("crm")
    server = serve(conf=ours.conf)
    cookie = cookie_of(sign_in(server, key))
    server.get(HISTORY, headers=bearer(key))
    server.get(HISTORY, headers={**ELSEWHERE, "Cookie": cookie})
    server.get(HISTORY, headers=bearer(key[:-1] + "x"))
    assert key not in server.log and key[4:30] not in server.log
    assert cookie.partition("=")[2][-40:] not in server.log


def test_without_a_storage_there_are_no_keys(keys, serve):
    ours = keys({"storage": None})
    server = serve(conf=ours.conf)
    assert server.get(HISTORY, headers=bearer("aic_" + "0" * 64)).status == 403
    assert ours.run("add", "crm").returncode == 1
