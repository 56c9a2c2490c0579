# SPDX-License-Identifier: ISC
"""The configuration's documentation, and what the shipped file says."""
import program


def test_the_reference_is_what_the_program_declares(aicaller):
    made = aicaller("config", "reference")
    assert made.returncode == 0, made.stderr
    written = (program.ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert made.stdout == written, "make it again: aicaller config reference >docs/configuration.md"


def test_the_shipped_file_is_good(aicaller):
    result = aicaller("check", "-c", program.ROOT / "conf/aicaller.conf")
    assert result.returncode == 0, result.stderr


def test_what_is_shown_has_no_secrets(aicaller, make_conf):
    conf, _ = make_conf({
        "server": {"secret": "canary-of-the-server"},
        "providers": {"gateway": {"plugin": "openai.so", "url": "http://127.0.0.1:9/v1",
                                  "api_key": "canary-key", "model": "m",
                                  "headers": ["X-Org: canary-list", "X-From: env:CANARY"]}},
        "agents": {"default": {
            "llm": ["gateway"],
            "tools": [{"name": "look_up", "description": "Finds it.", "method": "GET",
                       "url": "https://api.example.com/",
                       "headers": {"X-Api-Key": "canary-group", "X-Ref": "env:CANARY"}}]}}})
    for options in ([], ["--resolved"]):
        shown = aicaller("config", "show", "-c", conf, *options, CANARY="canary-environment")
        assert shown.returncode == 0, shown.stderr
        assert "canary" not in shown.stdout, shown.stdout
        assert 'X-Api-Key = "***"' in shown.stdout and '"X-Org: ***"' in shown.stdout
    written = aicaller("config", "show", "-c", conf, CANARY="canary-environment").stdout
    assert 'X-Ref = "env:CANARY"' in written
