# SPDX-License-Identifier: ISC
"""
The recorded callers of tests/data talk to the shipped demonstration, as packaging/quickstart lets
them: recogniser, dialogue and voice are the real ones, and the line runs at a telephone's pace.
"""
import concurrent.futures
import json

import pytest

import callers
import program
from callers import CALLERS

# What the agent says next shows what it made of an opening request.
OPENINGS = {"change": "Sure. ", "book": "Gladly. "}
# Further pauses of the callers, so that a machine with much else to do is not talked over.
PAUSE_S = 2
PATIENCE_S = 180

pytestmark = pytest.mark.slow


class Talk:
    """What `aicaller talk --json` told of one call."""

    def __init__(self, result):
        assert result.returncode == 0, result.stderr + result.stdout
        self.events = [json.loads(line) for line in result.stdout.splitlines()]

    def of(self, kind):
        return [event for event in self.events if event["type"] == kind]

    @property
    def answers(self):
        """What was heard of the agent, answer by answer, without the greeting."""
        return [event["text"] for event in self.of("heard") if event["turn"] > 0]


@pytest.fixture(scope="module")
def talks(tmp_path_factory, built):
    """All callers at once, each with a state folder of its own."""
    shipped = (program.ROOT / "conf/aicaller.conf").read_text(encoding="utf-8")

    def talk(voice):
        home = tmp_path_factory.mktemp(voice)
        conf = home / "aicaller.conf"
        conf.write_text(shipped.replace("server = {", f'server = {{\n    state_dir = "{home}";', 1),
                        encoding="utf-8")
        caller = callers.write(home / "caller.wav", callers.patient(voice, PAUSE_S))
        return program.run(["talk", caller, "-c", conf, "--json"], home, built,
                           seconds=PATIENCE_S)
    with concurrent.futures.ThreadPoolExecutor(len(CALLERS)) as pool:
        return dict(zip(CALLERS, map(Talk, pool.map(talk, CALLERS))))


@pytest.fixture(params=CALLERS)
def call(request, talks):
    """(what the caller meant, by intent; how the call went)"""
    meant = {sentence["intent"]: sentence["value"]
             for sentence in CALLERS[request.param]["sentences"]}
    return meant, talks[request.param]


def test_the_opening_request_is_understood(call):
    meant, talk = call
    assert talk.answers[0].startswith(next(OPENINGS[intent] for intent in meant
                                           if intent in OPENINGS))


@pytest.mark.parametrize("slot", ["day", "time", "name"])
def test_what_was_asked_for_is_understood(call, slot):
    """The agent reads back what it has noted before it asks whether that is right."""
    meant, talk = call
    read_back = [text for text in talk.answers if text.endswith("Is that right?")]
    assert len(read_back) == 1, talk.answers
    assert f"{meant[slot]}," in read_back[0] or f"{meant[slot]}." in read_back[0]


def test_the_confirmation_and_the_goodbye_are_understood(call):
    _, talk = call
    assert talk.answers[-2].endswith("is noted. Is there anything else I can do for you?")
    assert talk.answers[-1].endswith("Goodbye.")
    assert talk.of("ended") == [{"type": "ended", "reason": "completed"}]


def test_nothing_is_asked_twice_and_nobody_is_interrupted(call):
    _, talk = call
    assert len(talk.answers) == 6, talk.answers
    assert not [event for event in talk.of("heard") if event["interrupted"]]
    assert len(talk.of("turn")) == 6
