# SPDX-License-Identifier: ISC
"""
schema/openapi.yaml is the truth: what is made from it is up to date, its examples are good, and
each path answers as it says, to good and to bad input.
"""
import gzip
import json
import os
import re
import subprocess

import pytest
import yaml

import dialling
import people
import program
from openapi import CheckedBrowser, Description, whole_server

API = Description()
YAML = program.ROOT / "schema/openapi.yaml"
POSTMAN = program.ROOT / "schema/aicaller.postman_collection.json"
OPERATIONS = list(API.operations())
ORIGINAL = ["/calls/health/", "/calls/make-call/", "/calls/inbound/", "/calls/twiml/",
            "/calls/call-status/", "/calls/call-history/", "/calls/call-detail/{id}/",
            "/calls/voice-test/", "/calls/test/", "/calls/test-chat/", "/calls/test-voice/"]


def make(*arguments, script=program.ROOT / "packaging/make_api_files"):
    return subprocess.run([script, *arguments], capture_output=True, text=True, check=False)


# The files

def test_what_is_made_from_the_description_is_up_to_date(tmp_path):
    done = make("--check")
    assert done.returncode == 0, done.stdout
    (tmp_path / "packaging").mkdir()
    (tmp_path / "schema").mkdir()
    script = tmp_path / "packaging/make_api_files"
    script.write_bytes((program.ROOT / "packaging/make_api_files").read_bytes())
    script.chmod(0o755)
    text = YAML.read_text(encoding="utf-8").replace("Places a call", "Places a telephone call")
    (tmp_path / "schema/openapi.yaml").write_text(text, encoding="utf-8")
    stale = make("--check", script=script)
    assert stale.returncode == 1 and "openapi.json" in stale.stdout
    assert make(script=script).returncode == 0
    assert make("--check", script=script).returncode == 0


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_description_hangs_together():
    document = API.document
    assert document["openapi"].startswith("3.1.")
    assert yaml.safe_load(YAML.read_text(encoding="utf-8")) == document
    used = set(references(document))
    for reference in used:
        API.resolver.resolve(reference)
    for kind, parts in document["components"].items():
        unused = [name for name in parts if f"#/components/{kind}/{name}" not in used]
        assert kind == "securitySchemes" or not unused, (kind, unused)
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in document["tags"]}
    for _, path, operation in OPERATIONS:
        assert operation["tags"][0] in tags and operation["summary"]
        placed = [one["name"] for one in API.parameters(operation) if one["in"] == "path"]
        assert re.findall(r"\{(\w+)\}", path) == placed, path
        for way in operation.get("security", []):
            assert set(way) <= set(document["components"]["securitySchemes"])


def test_the_paths_of_the_original_application_are_described():
    assert [path for path in ORIGINAL if path not in API.document["paths"]] == []


def media_of(operation):
    body = API.resolved(operation.get("requestBody", {}))
    yield from body.get("content", {}).items()
    for response in operation["responses"].values():
        yield from API.resolved(response).get("content", {}).items()


def test_every_example_is_as_described():
    seen = 0
    for _, path, operation in OPERATIONS:
        for _, media in media_of(operation):
            examples = [media["example"]] if "example" in media else []
            examples += [one["value"] for one in media.get("examples", {}).values()]
            for example in examples:
                assert API.errors(media["schema"], example) == [], path
                seen += 1
        for parameter in API.parameters(operation):
            if "example" in parameter:
                assert API.errors(parameter["schema"], parameter["example"]) == [], path
                seen += 1
    assert seen > 30


def test_the_collection_has_a_request_for_every_operation():
    collection = json.loads(POSTMAN.read_text(encoding="utf-8"))
    requests = [item["request"] for folder in collection["item"] for item in folder["item"]]
    assert len(requests) == len(OPERATIONS)
    found = {(one["method"].lower(), one["url"]["raw"].removeprefix("{{address}}"))
             for one in requests}
    wanted = {(method, re.sub(r"\{(\w+)\}", r":\1", path)) for method, path, _ in OPERATIONS}
    assert found == wanted
    call = next(one for one in requests if one["url"]["raw"].endswith("/make-call/"))
    assert json.loads(call["body"]["raw"])["to"].startswith("+")
    assert collection["auth"]["type"] == "bearer"


# The program

@pytest.fixture(scope="module")
def running(tmp_path_factory, built):
    with whole_server(tmp_path_factory.mktemp("api"), built) as server:
        yield server


@pytest.fixture
def ask(running):
    """ask("GET", path, ...) -> the answer, which is as described."""
    def send(method, path, body=None, **options):
        return API.check(method, path, running.request(method, path, body, **options))
    return send


def test_the_server_gives_its_description_to_anybody(running):
    answer = running.get("/openapi.json", headers={"X-Forwarded-For": "203.0.113.5"})
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.json == API.document
    small = running.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(small.body) == answer.body
    tag = answer.headers["ETag"]
    assert running.get("/openapi.json", headers={"If-None-Match": tag}).status == 304


def test_good_requests_are_answered_as_described(ask):
    talk = ask("POST", "/calls/test-chat/", {"message": "I would like an appointment"})
    assert talk.status == 200
    call_id = talk.json["session"]
    assert call_id in [call["call_id"] for call in ask("GET", "/calls/live/").json["calls"]]
    assert ask("POST", "/calls/test-voice/", {"message": "Hello"}).status == 200
    placed = ask("POST", dialling.MAKE_CALL, {"to": dialling.THEIRS, "metadata": {"a": [1]}},
                 headers={"Idempotency-Key": "one", "Content-Type": "application/json"})
    assert placed.status == 201
    program.eventually(
        lambda: ask("GET", "/calls/call-history/?direction=outbound").json["calls"],
        "the call is recorded")
    program.eventually(
        lambda: ask("GET", f"/calls/call-detail/{call_id}/").status == 200 and
        ask("GET", f"/calls/call-detail/{call_id}/").json["turns"], "the turn is recorded")
    for path in ("/calls/health/", "/calls/health", "/calls/agents/", "/calls/call-history/",
                 "/calls/call-history/?last=true&per_page=1", "/calls/call-history/?format=csv",
                 "/calls/stats/", "/calls/stats/?by=hour", "/metrics", "/openapi.json",
                 "/calls/voice-test/", "/calls/test/", "/calls/key/", "/admin/",
                 "/static/style.css", "/static/call.js", "/calls/live/", "/static/favicon.svg",
                 f"/calls/call-detail/{placed.json['call_id']}/"):
        assert ask("GET", path).status == 200, path
        assert ask("HEAD", path).status == 200, path
    token = ask("POST", "/calls/voice-test/token/", {"agent": "default"})
    assert token.status == 201
    assert ask("POST", f"/calls/{call_id}/hangup/").status == 202
    assert ask("GET", f"/calls/{call_id}/recording/").status in (200, 404)


@pytest.fixture
def person(running):
    """person("ann") -> that one's browser, whose answers are as described."""
    def log_in(name):
        browser = CheckedBrowser(running, API)
        assert browser.log_in(name).status == 200
        return browser
    return log_in


def test_what_the_admin_pages_ask_is_answered_as_described(ask, person):
    ann = person("ann")
    user, key = "/admin/api/users/", "/admin/api/keys/"
    assert ann.get("/admin/api/session/").json["user"] == {"name": "ann", "role": "admin"}
    assert ann.post(user, {"name": "jo", "role": "viewer",
                           "password": people.GOOD}).status == 201
    assert ann.post(user, {"name": "jo", "role": "viewer",
                           "password": people.GOOD}).status == 409
    assert ann.send("PATCH", f"{user}jo/", {"role": "operator"}).status == 204
    assert ann.send("PATCH", f"{user}jo/", {"role": "king"}).status == 422
    assert ann.send("DELETE", f"{user}jo/").status == 204
    assert ann.send("DELETE", f"{user}jo/").status == 404
    made = ann.post(key, {"name": "x", "scopes": ["read"], "expires_at": "2040-01-01T00:00:00Z"})
    assert made.status == 201
    assert ann.send("DELETE", f"{key}{made.json['key_id']}/").status == 204
    assert ann.send("DELETE", f"{key}x/").status == 404
    for path in (user, key, "/admin/api/audit/", "/admin/api/audit/?limit=1",
                 "/admin/api/config/", "/admin/api/plugins/"):
        assert ann.get(path).status == 200, path
        assert ask("GET", path).status == 401, path
    val = person("val")
    assert val.get(user).status == 403
    assert val.get("/admin/api/plugins/").status == 200
    assert val.post("/admin/api/password/",
                    {"old": "wrong", "new": "another good one"}).status == 403
    assert val.send("POST", "/admin/api/logout/", {}, {"X-CSRF-Token": None}).status == 403
    assert val.post("/admin/api/logout/").status == 204
    assert ask("GET", "/admin/api/session/").json["has_users"] is True


def test_a_viewer_sees_the_last_digits_of_a_number(ask, person):
    placed = ask("POST", dialling.MAKE_CALL,
                 {"to": dialling.THEIRS, "metadata": {"other": "+442079460123"}})
    path = f"/calls/call-detail/{placed.json['call_id']}/"
    program.eventually(lambda: ask("GET", path).status == 200, "the call is recorded")
    whole = program.eventually(lambda: ask("GET", path).json["call"]["metadata"] and
                               ask("GET", path).text, "all of it is recorded")
    assert dialling.THEIRS in whole and "+442079460123" in whole
    val, ann = person("val"), person("ann")
    assert dialling.THEIRS in ann.get(path).text
    history = f"/calls/call-history/?number=%2B{dialling.THEIRS[1:]}"
    for place in (path, history, f"{history}&format=csv"):
        text = val.get(place).text
        assert "*******0123" in text and dialling.THEIRS not in text, place
    assert "+********0123" in val.get(path).text and "+442079460123" not in val.get(path).text


def test_carriers_are_refused_without_a_signature(ask):
    for method, path, operation in OPERATIONS:
        if operation["tags"] == ["Carriers"] and path != "/media-stream/":
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = ask(method.upper(), path, b"CallSid=CA1" if method == "post" else None,
                         headers=form)
            assert answer.status == 403, path


def path_of(template):
    """A path that there is, for a template."""
    return re.sub(r"\{(\w+)\}", lambda name: {"file": "style.css", "name": "ada"}.get(
        name[1], "01a203c4-5150-7038-b7cb-7a34a8e1fa27"), template)


def test_a_method_that_is_not_described_is_refused_with_those_that_are(ask):
    for template, item in API.document["paths"].items():
        if template == "/media-stream/":
            continue
        described = {method.upper() for method in item} & {"GET", "POST", "PUT", "PATCH", "DELETE"}
        allowed = described | ({"HEAD"} if "GET" in described else set())
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - described:
            answer = ask(method, path_of(template), b"{}" if method != "GET" else None)
            assert answer.status == 405, (method, template)
            assert set(answer.headers["Allow"].split(", ")) == allowed, (method, template)


# Whatever can be said within the description, and beside it

SCHEMATHESIS = program.ROOT / ".venv/bin/schemathesis"
CHECKS = ["not_a_server_error", "content_type_conformance", "response_schema_conformance",
          "response_headers_conformance", "unsupported_method", "allow_header_conformance",
          "described_or_refused_by_the_port", "tells_nothing_of_its_inside"]


def explore(running, tmp_path, *arguments):
    if not SCHEMATHESIS.exists():
        pytest.skip("schemathesis is not installed")
    done = subprocess.run(
        [SCHEMATHESIS, "run", f"{running.url}/openapi.json", "--phases", "coverage,fuzzing",
         "--max-examples", "3", "--seed", "1", "--generation-database", "none",
         "--suppress-health-check", "all", "--warnings", "off", "--no-color",
         "--request-timeout", "30", "--max-failures", "20", *arguments],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "openapi_checks",
             "PYTHONPATH": str(program.ROOT / "tests/system")})
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_nothing_that_is_tried_breaks_the_api(running, tmp_path):
    told = explore(running, tmp_path, "--exclude-tag", "Administration",
                   # Streams do not end, and sockets are not HTTP.
                   "--exclude-operation-id", "followCalls",
                   "--exclude-operation-id", "carrierMedia",
                   "--checks", ",".join([*CHECKS, "negative_data_rejection"]))
    assert int(re.search(r"(\d+) generated", told)[1]) > 200


@pytest.mark.slow
def test_nothing_that_is_tried_breaks_the_administration(running, tmp_path, person):
    ann = person("ann")
    told = explore(running, tmp_path, "--include-tag", "Administration",
                   "--exclude-operation-id", "logOut", "--checks", ",".join(CHECKS),
                   "--header", f"Cookie: aicaller_session={ann.cookie}",
                   "--header", f"X-CSRF-Token: {ann.csrf}", "--header", f"Origin: {running.url}")
    assert int(re.search(r"(\d+) generated", told)[1]) > 50
