# SPDX-License-Identifier: ISC
"""
What a simulated language model answers: the next entry of the test's `answers`, else the first of
its `rules` that matches, else an echo. Pure.

An answer is a text or {"say", "reasoning", "tools": [{"name", "arguments"}], "finish"}; a rule is
an answer with "match" (a regular expression) and "when" ("user", or "tool" for tool results).
"""
import dataclasses
import json
import re

SETTINGS = {"answers": [], "rules": [], "prefix": "You said: ", "reasoning": ""}


@dataclasses.dataclass
class Answer:
    say: str = ""
    reasoning: str = ""
    tools: list = dataclasses.field(default_factory=list)
    finish: str | None = None


def text_of(message):
    """The words of a message whose content is a text, a list of parts, or missing."""
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content or ""


class Answers:
    """A place in the test's list; setting a new list starts it from the beginning."""

    def __init__(self):
        self.entries, self.position = None, 0

    def next(self, entries):
        if entries is not self.entries:
            self.entries, self.position = entries, 0
        if self.position >= len(entries):
            return None
        self.position += 1
        return entries[self.position - 1]


def answer(messages, settings, place):
    """The answer to a conversation. `place` is the Answers of the vendor."""
    last = messages[-1] if messages else {"role": "user"}
    role = "tool" if last.get("role") == "tool" else "user"
    words = text_of(last)
    chosen = place.next(settings["answers"])
    if chosen is None:
        chosen = next((rule for rule in settings["rules"] if rule.get("when", "user") == role
                       and re.search(rule.get("match", ""), words)), None)
    if chosen is None:
        chosen = f"Done: {words}" if role == "tool" else settings["prefix"] + words
    if isinstance(chosen, str):
        chosen = {"say": chosen}
    fields = {name: chosen[name] for name in ("say", "reasoning", "tools", "finish")
              if name in chosen}
    fields.setdefault("reasoning", settings["reasoning"])
    return Answer(**fields)


def tokens(text):
    """Words with the space before them, as models deliver them."""
    return re.findall(r"\s*\S+|\s+$", text)


def arguments(tool):
    """The arguments of a tool call as the text that a model would write."""
    given = tool.get("arguments", {})
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def cut_to(found, limit, stops):
    """(tokens, was it cut to length) after the limit and the stop texts of a request."""
    text = "".join(found)
    for stop in stops:
        at = text.find(stop)
        if at >= 0:
            text = text[:at]
    found = tokens(text)
    if limit is not None and len(found) > limit:
        return found[:limit], True
    return found, False
