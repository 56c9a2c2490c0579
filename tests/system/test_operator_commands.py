# SPDX-License-Identifier: ISC
"""
The commands by which an operator finds out what is wrong and sets things right: check --deep,
doctor, number, and those that only talk to a running server. Vendors are the simulators.
"""
import http.server
import json
import re
import threading

import pytest

import dialling
import program
from conf import merged

KEYS = {"DEEPGRAM_API_KEY": "dg_secret0123456789", "GROQ_API_KEY": "gsk_secret0123456789",
        "ELEVENLABS_API_KEY": "el_secret0123456789", "TWILIO_AUTH_TOKEN": dialling.TOKEN}
ROLES = {"twilio": "telephony", "deepgram": "stt", "groq": "llm", "elevenlabs": "tts"}
VENDORS = list(ROLES)


def all_vendors(vendors, **more):
    """The embedded default with all four vendors, their keys in the environment."""
    url = {name: vendors.url(name) for name in VENDORS} | more.pop("urls", {})
    for name in ("deepgram", "groq", "elevenlabs"):
        vendors.set(name, keys=[KEYS[f"{name.upper()}_API_KEY"]])
    return merged({
        "server": {"public_url": dialling.PUBLIC},
        "providers": {
            "twilio": {"plugin": "twilio.so", "account_sid": dialling.ACCOUNT,
                       "auth_token": "env:TWILIO_AUTH_TOKEN", "from": dialling.OURS,
                       "url": url["twilio"]},
            **{name: {"plugin": f"{name}.so", "api_key": f"env:{name.upper()}_API_KEY",
                      "url": url[name]} for name in VENDORS[1:]}},
        "agents": {"default": {"telephony": ["twilio"], "stt": ["deepgram"], "llm": ["groq"],
                               "tts": ["elevenlabs"], "prompt": "You book tables.",
                               "greeting": "Hello, this is an automated assistant."}},
        "outbound": {"allow": ["US"]},
    }, more)


def assert_no_secret(result):
    for secret in KEYS.values():
        assert secret not in result.stdout + result.stderr


# check --deep

def asked(result):
    """What `check --deep --json` found, by provider."""
    return {each["provider"]: each for each in json.loads(result.stdout)["providers"]}


def test_good_keys_are_found_good(aicaller, make_conf, vendors):
    path, _ = make_conf(all_vendors(vendors))
    result = aicaller("check", "--deep", "-c", path, **KEYS)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    for name, role in ROLES.items():
        assert ["ok", name, role] in [line[:3] for line in lines], result.stdout
    assert "balance 12.34 USD" in result.stdout
    assert ["unasked", "local", "storage"] in [line[:3] for line in lines]
    result = aicaller("check", "--deep", "--json", "-c", path, **KEYS)
    assert result.returncode == 0
    assert {name: each["role"] for name, each in asked(result).items()
            if each["state"] == "ok"} == ROLES
    assert json.loads(result.stdout)["problems"] == []
    assert_no_secret(result)
    assert vendors.violations() == []


def test_a_key_that_the_vendor_refuses_is_named_with_the_variable_it_came_from(aicaller, make_conf,
                                                                            vendors):
    path, _ = make_conf(all_vendors(vendors))
    wrong = {name: value[:-4] + "wxyz" for name, value in KEYS.items()}
    result = aicaller("check", "--deep", "--json", "-c", path, **wrong)
    assert result.returncode == 1, result.stdout
    found = asked(result)
    for name in VENDORS:
        variable = "TWILIO_AUTH_TOKEN" if name == "twilio" else f"{name.upper()}_API_KEY"
        assert (found[name]["state"], found[name]["category"]) == ("failed", "auth"), found[name]
        assert f"env:{variable}" in found[name]["advice"], found[name]
        assert found[name]["message"], found[name]
    for secret in wrong.values():
        assert secret not in result.stdout + result.stderr
    result = aicaller("check", "--deep", "-c", path, **{**KEYS, "GROQ_API_KEY": "gsk_wrong"})
    assert result.returncode == 1
    assert [line.split()[1] for line in result.stdout.splitlines()
            if line.startswith("failed")] == ["groq"]



def test_a_vendor_without_credit_is_told_from_one_with_a_wrong_key(aicaller, make_conf, vendors):
    path, _ = make_conf(all_vendors(vendors))
    vendors.fault("deepgram", "listen", "status", status=402, times=None)
    vendors.fault("groq", "models", "status", status=402, times=None)
    vendors.fault("elevenlabs", "voice", "status", status=402, times=None)
    vendors.fault("twilio", "balance", "bad_json", variant="null", times=None)
    result = aicaller("check", "--deep", "--json", "-c", path, **KEYS)
    assert result.returncode == 1
    found = asked(result)
    for name in ("deepgram", "groq", "elevenlabs"):
        assert found[name]["category"] == "quota", found[name]
        assert "pay in" in found[name]["advice"]
    # A balance that can not be read says nothing about the account.
    assert found["twilio"]["state"] == "ok" and "note" not in found["twilio"]


def test_an_account_without_a_balance_is_out_of_credit(aicaller, make_conf, vendors):
    path, _ = make_conf(all_vendors(vendors))
    vendors.fault("twilio", "balance", "status", status=200, times=None,
                  body=json.dumps({"balance": "0.00", "currency": "USD"}))
    result = aicaller("check", "--deep", "--json", "-c", path, **KEYS)
    assert result.returncode == 1
    twilio = asked(result)["twilio"]
    assert (twilio["state"], twilio["category"]) == ("failed", "quota"), twilio
    assert twilio["note"] == "balance 0.00 USD"


def test_vendors_that_can_not_be_reached_are_told_by_why(aicaller, make_conf, vendors):
    closed = f"http://127.0.0.1:{program.free_port()}"
    path, _ = make_conf(all_vendors(vendors, urls={name: closed for name in VENDORS}))
    result = aicaller("check", "--deep", "--json", "-c", path, **KEYS)
    assert result.returncode == 1
    for name, each in asked(result).items():
        if name in ROLES:
            assert each["state"] == "failed" and each["category"] in ("network", "timeout"), each
            assert "url" in each["advice"]


def test_a_vendor_that_keeps_silent_does_not_hold_up_the_answer(aicaller, make_conf, vendors):
    path, _ = make_conf(all_vendors(vendors))
    vendors.fault("groq", "models", "hang", times=None)
    vendors.fault("deepgram", "listen", "hang", times=None)
    result = aicaller("check", "--deep", "--json", "-c", path, seconds=50, **KEYS)
    assert result.returncode == 1
    found = asked(result)
    assert found["groq"]["category"] == found["deepgram"]["category"] == "timeout", found
    assert found["elevenlabs"]["state"] == found["twilio"]["state"] == "ok"


def test_a_configuration_with_errors_asks_nobody(aicaller, make_conf, vendors):
    path, _ = make_conf(all_vendors(vendors))
    result = aicaller("check", "--deep", "-c", path, **{**KEYS, "GROQ_API_KEY": ""})
    assert result.returncode == 78 or "failed   groq" in result.stdout, result.stdout
    result = aicaller("check", "--deep", "-c", path)
    assert result.returncode == 78
    assert "environment variable GROQ_API_KEY is not set" in result.stderr
    assert not vendors.received("deepgram")


def test_a_warning_is_given_once(aicaller, make_conf, vendors):
    changes = all_vendors(vendors)
    changes["providers"]["groq"]["api_key"] = KEYS["GROQ_API_KEY"]
    path, _ = make_conf(changes)
    path.chmod(0o644)
    for words in (["check"], ["check", "--deep"]):
        result = aicaller(*words, "-c", path, **KEYS)
        assert result.returncode == 0, result.stderr
        assert result.stderr.count("stands in a file that everybody can read") == 1, result.stderr


# Commands that only talk to the running server.

def test_commands_for_a_running_server_need_none_of_its_keys(serve, make_conf, aicaller, vendors):
    conf = make_conf({**all_vendors(vendors), "agents": {"default": {
        "telephony": ["callers"], "llm": ["script", "groq"]}}, "outbound": None}
        | {"providers": {**all_vendors(vendors)["providers"], "callers": {"plugin": "wav.so"}}})
    server = serve(conf=conf, **KEYS)
    file = program.ROOT / "tests/data/caller_rms.wav"
    made = aicaller("call", f"wav:{file}", "-c", conf[0])
    assert made.returncode == 0, made.stderr
    call = made.stdout.strip()
    live = aicaller("calls", "--json", "-c", conf[0])
    assert [each["call_id"] for each in json.loads(live.stdout)] == [call]
    ended = aicaller("hangup", call, "-c", conf[0])
    assert ended.returncode == 0, ended.stderr
    shown = program.eventually(
        lambda: "ended_at" in aicaller("show", call, "--json", "-c", conf[0]).stdout, "stored")
    assert shown
    server.stop()
    gone = aicaller("calls", "-c", conf[0])
    assert gone.returncode == 1 and "no server runs in" in gone.stderr
    # Without a server the records are read from the database, which takes the whole file.
    alone = aicaller("show", call, "-c", conf[0])
    assert alone.returncode == 78 and "GROQ_API_KEY" in alone.stderr
    assert aicaller("show", call, "-c", conf[0], **KEYS).returncode == 0


# doctor

def examine(aicaller, path, **environment):
    result = aicaller("doctor", "--json", "-c", path, seconds=90, **environment)
    found = json.loads(result.stdout)
    for state, count in (("fail", "failures"), ("warn", "warnings")):
        assert [each["state"] for each in found["findings"]].count(state) == found[count]
    for each in found["findings"]:
        assert bool(each.get("remedy")) == (each["state"] != "ok"), each
    assert_no_secret(result)
    return result.returncode, found["findings"]


def findings(found, what, state=None):
    return [each["seen"] for each in found
            if each["what"] == what and state in (None, each["state"])]


@pytest.fixture
def clean(vendors):
    yield vendors
    assert vendors.violations() == []


def served(serve, make_conf, vendors, number_leads_here=True):
    """A server with all vendors, which its public address really reaches."""
    path, port = make_conf(all_vendors(vendors))
    public = f"http://127.0.0.1:{port}"
    path.write_text(path.read_text().replace(dialling.PUBLIC, public))
    path.parent.joinpath("state0").chmod(0o700)
    if number_leads_here:
        vendors.set("twilio", numbers={dialling.OURS: {
            "voice_url": f"{public}/calls/inbound/", "voice_method": "POST",
            "status_callback": f"{public}/calls/call-status/"}})
    return serve(conf=(path, port), **KEYS), path, public


def test_doctor_notices_that_the_public_address_leads_to_another_server(serve, make_conf, aicaller,
                                                                        clean):
    first, _, public = served(serve, make_conf, clean)
    conf = make_conf({"server": {"workers": 2, "public_url": public}})
    second = serve(conf=conf)
    ours, theirs = ({server.get("/calls/health/").json["instance"] for _ in range(6)}
                    for server in (second, first))
    assert len(ours) == len(theirs) == 1 and ours != theirs
    _, found = examine(aicaller, conf[0])
    assert "another aicaller" in findings(found, "public_url", "fail")[0], found


def test_doctor_finds_nothing_where_nothing_is_wrong(serve, make_conf, aicaller, clean):
    _, path, public = served(serve, make_conf, clean)
    status, found = examine(aicaller, path, **KEYS)
    assert findings(found, "number", "ok") == [
        f"{dialling.OURS} rings at {public}/calls/inbound/"], found
    assert "by the very server that runs here" in findings(found, "public_url", "ok")[0]
    assert "the server listens" in findings(found, "port", "ok")[0]
    assert findings(found, "clock", "ok") and findings(found, "disk") and findings(found, "zones")
    assert "the server may open" in findings(found, "descriptors")[0]
    for name, role in ROLES.items():
        assert any(f"{name} ({role})" in each for each in findings(found, "vendor", "ok"))
    # The one thing that is: the address is not encrypted.
    assert [each["what"] for each in found if each["state"] == "warn"
            and each["what"] not in ("disk", "descriptors", "zones")] == ["public_url"]
    assert not [each for each in found if each["state"] == "fail"] and status == 0
    lines = aicaller("doctor", "-c", path, **KEYS)
    assert lines.returncode == 0 and "0 failures" in lines.stdout


def test_doctor_sees_that_the_number_rings_elsewhere(serve, make_conf, aicaller, clean):
    _, path, public = served(serve, make_conf, clean, number_leads_here=False)
    clean.set("twilio", numbers={dialling.OURS: {"voice_url": "https://old.example.com/voice"}})
    status, found = examine(aicaller, path, **KEYS)
    assert status == 1
    [seen] = findings(found, "number", "fail")
    assert "https://old.example.com/voice" in seen and f"{public}/calls/inbound/" in seen


def test_doctor_names_what_is_wrong_with_this_machine(make_conf, aicaller, clean, tmp_path):
    path, port = make_conf(all_vendors(clean, server={"public_url": ""}, outbound={"allow": []}))
    tmp_path.joinpath("state0").chmod(0o777)
    with program.socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        status, found = examine(aicaller, path, **KEYS)
    assert status == 1
    assert "anybody may write" in findings(found, "state_dir", "fail")[0]
    assert f"port {port}" in findings(found, "port", "fail")[0]
    assert "not set" in findings(found, "public_url", "fail")[0]
    assert "nobody can be dialled" in findings(found, "outbound", "warn")[0]


def test_doctor_compares_the_clock_and_asks_for_the_certificate(make_conf, aicaller, vendors,
                                                               tmp_path):
    cert = tmp_path / "cert.pem"
    program.subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", tmp_path / "key.pem", "-out", cert, "-days", "3", "-subj",
         "/CN=voice.example.com"], check=True, capture_output=True)

    class Past(http.server.BaseHTTPRequestHandler):
        def date_time_string(self, timestamp=None):
            return "Sun, 06 Nov 1994 08:49:37 GMT"

        def do_GET(self):  # pylint: disable=invalid-name
            self.send_error(404)

        def log_message(self, *_):  # pylint: disable=arguments-differ
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Past) as past:
        threading.Thread(target=past.serve_forever, daemon=True).start()
        old = f"http://127.0.0.1:{past.server_port}/openai/v1"
        path, _ = make_conf({
            "server": {"tls": {"cert": str(cert), "key": str(tmp_path / "key.pem")}},
            "providers": {"groq": {"plugin": "groq.so", "api_key": "env:GROQ_API_KEY",
                                   "url": old}},
            "agents": {"default": {"llm": ["groq"], "prompt": "You book tables."}}})
        status, found = examine(aicaller, path, **KEYS)
        past.shutdown()
    assert status == 1
    assert "ahead of that of" in findings(found, "clock", "fail")[0]
    assert re.search(r"expires in [23] days", findings(found, "certificate", "warn")[0])
    assert vendors.received("groq") == []


def test_doctor_without_a_network_says_so_for_each_name(make_conf, aicaller, can_isolate, vendors):
    """Alone in a network of its own, where no name is known."""
    assert can_isolate is None
    path, _ = make_conf(all_vendors(vendors, urls={
        "deepgram": "https://api.deepgram.com", "groq": "https://api.groq.com/openai/v1",
        "elevenlabs": "https://api.elevenlabs.io", "twilio": "https://api.twilio.com"}))
    result = aicaller("doctor", "--json", "-c", path, isolated=True, seconds=90, **KEYS)
    # 97: it was seen to ask a name server, as it should.
    assert result.returncode in (1, 97), result.stderr
    found = json.loads(result.stdout)["findings"]
    unknown = findings(found, "network", "fail")
    for host in ("api.deepgram.com", "api.groq.com", "api.elevenlabs.io", "api.twilio.com"):
        assert any(f"https://{host}/: the name is not known" in each for each in unknown), unknown
    assert "was not compared" in findings(found, "clock", "warn")[0]
    for name, role in ROLES.items():
        assert any(f"{name} ({role})" in each for each in findings(found, "vendor", "fail")), found
    assert findings(found, "public_url", "warn")


def test_doctor_contacts_nobody_whom_the_configuration_does_not_name(make_conf, aicaller,
                                                                    can_isolate, tmp_path):
    assert can_isolate is None
    path, _ = make_conf()
    tmp_path.joinpath("state0").chmod(0o700)
    result = aicaller("doctor", "-c", path, isolated=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 failures" in result.stdout


def test_doctor_with_a_wrong_configuration_looks_at_the_rest(make_conf, aicaller, vendors):
    path, _ = make_conf(all_vendors(vendors))
    status, found = examine(aicaller, path)
    assert status == 78
    assert any("environment variable GROQ_API_KEY is not set" in each
               for each in findings(found, "configuration", "fail"))
    assert findings(found, "port", "ok") and findings(found, "state_dir")
    assert not findings(found, "vendor") and not vendors.received("twilio")


# number

OTHERS = [f"+1500555{number:04}" for number in range(10, 55)]


def test_a_number_is_shown_and_pointed_at_this_server(make_conf, aicaller, clean):
    clean.set("twilio", numbers={dialling.OURS: {"voice_url": "https://old.example.com/voice"}})
    path, _ = make_conf(all_vendors(clean))
    voice = f"{dialling.PUBLIC}/calls/inbound/"
    shown = aicaller("number", "-c", path, **KEYS)
    assert shown.returncode == 0, shown.stderr
    assert "https://old.example.com/voice" in shown.stdout and voice in shown.stdout
    # Nobody is there to say yes.
    plan = aicaller("number", dialling.OURS, "-c", path, **KEYS)
    assert plan.returncode == 1 and "add --yes" in plan.stderr
    assert "https://old.example.com/voice" in plan.stdout and voice in plan.stdout
    assert not clean.received("twilio", "update-number")
    done = aicaller("number", "set", dialling.OURS, "--yes", "-c", path, **KEYS)
    assert done.returncode == 0 and "changed" in done.stdout, done.stderr
    now = json.loads(aicaller("number", "show", "--json", "-c", path, **KEYS).stdout)
    assert now["is_set"] and now["voice_url"] == voice and now["voice_method"] == "POST"
    again = aicaller("number", dialling.OURS, "-c", path, **KEYS)
    assert again.returncode == 0 and "leads to this server" in again.stdout
    assert len(clean.received("twilio", "update-number")) == 1


def test_numbers_are_listed_over_all_pages(make_conf, aicaller, clean):
    numbers = {number: {} for number in OTHERS}
    numbers[dialling.OURS] = {"voice_url": f"{dialling.PUBLIC}/calls/inbound/",
                              "voice_method": "POST",
                              "status_callback": f"{dialling.PUBLIC}/calls/call-status/"}
    clean.set("twilio", numbers=numbers)
    path, _ = make_conf(all_vendors(clean))
    listed = aicaller("number", "list", "--json", "-c", path, **KEYS)
    assert {each["number"]: each["is_set"] for each in json.loads(listed.stdout)} == {
        number: number == dialling.OURS for number in numbers}
    lines = aicaller("number", "list", "-c", path, **KEYS).stdout.splitlines()
    assert len(lines) == 46
    assert [line.split() for line in lines if "this server" in line] == [
        [dialling.OURS, "this", "server"]]


def test_a_number_is_taken_out_of_a_trunk_only_when_that_was_asked_for(make_conf, aicaller, clean):
    clean.set("twilio", numbers={dialling.OURS: {"trunk_sid": "TK" + 32 * "1"}})
    path, _ = make_conf(all_vendors(clean))
    refused = aicaller("number", "set", "--yes", "-c", path, **KEYS)
    assert refused.returncode == 1 and "trunk" in refused.stderr
    taken = aicaller("number", "set", "--yes", "--detach", "-c", path, **KEYS)
    assert taken.returncode == 0, taken.stderr


def test_what_is_wrong_with_a_number_is_said(make_conf, aicaller, clean):
    path, _ = make_conf(all_vendors(clean))
    strange = aicaller("number", "show", "+15005559999", "-c", path, **KEYS)
    assert strange.returncode == 1 and "no such number" in strange.stderr
    assert aicaller("number", "show", "5550100", "-c", path, **KEYS).returncode == 2
    assert aicaller("number", "list", dialling.OURS, "-c", path, **KEYS).returncode == 2
    refused = aicaller("number", "-c", path, **{**KEYS, "TWILIO_AUTH_TOKEN": 32 * "0"})
    assert refused.returncode == 1 and "account_sid and auth_token" in refused.stderr
    assert aicaller("number", "-c", path).returncode == 78
    other = aicaller("number", "--provider", "vonage", "-c", path, **KEYS)
    assert other.returncode == 1 and "no agent has a carrier of this name" in other.stderr
    plain, _ = make_conf()
    none = aicaller("number", "-c", plain)
    assert none.returncode == 1 and "no agent has a carrier with numbers" in none.stderr
    local, _ = make_conf(all_vendors(clean, server={"public_url": ""}))
    away = aicaller("number", "set", "--yes", "-c", local, **KEYS)
    assert away.returncode == 1 and "server.public_url is not set" in away.stderr
