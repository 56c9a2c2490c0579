# SPDX-License-Identifier: ISC
"""
The commands by which an operator finds out what is wrong and sets things right: check --deep,
doctor, number, tunnel, and those that only talk to a running server. Vendors are the simulators;
the tunnel clients are stand-ins that this file writes, since the real ones need an account.
"""
import json

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
