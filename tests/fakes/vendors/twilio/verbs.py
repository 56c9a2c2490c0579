# SPDX-License-Identifier: ISC
"""
What the carrier does for each verb of TwiML but <Dial>. A function returns None to go on with the
next verb, HANG_UP, or the source of the document that comes instead. Source: docs "TwiML", one page
for each.
"""
import asyncio
import dataclasses
import urllib.parse

from .stream import Stream

HANG_UP = object()
GATHER_TIMEOUT_S = 5


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a document comes from: a URL, or the text itself. `extra` goes with the request."""

    url: str = ""
    method: str = "POST"
    fallback: str | None = None
    text: str | None = None
    extra: tuple = ()

    def join(self, verb, attribute, extra=()):
        """The source that an attribute of a verb names, relative to this document."""
        where = verb.get(attribute) if attribute else verb.text
        return Source(urllib.parse.urljoin(self.url, where), verb.get("method", "POST"),
                      extra=tuple(extra))


async def connect(call, verb, source):
    stream = Stream(call, verb.children[0])
    call.streams.append(stream)
    await stream.run()
    return source.join(verb, "action") if verb.get("action") else None


async def say(call, verb, _):
    call.log("say", text=verb.text, voice=verb.get("voice"), language=verb.get("language"))
    await asyncio.sleep(len(verb.text) * call.plan.say_ms_per_char / 1000)


async def play(call, verb, _):
    call.log("play", url=verb.text, digits=verb.get("digits"))
    await asyncio.sleep(call.plan.say_ms_per_char / 100)


async def pause(_, verb, __):
    await asyncio.sleep(int(verb.get("length", "1")))


async def hang_up(call, _, __):
    call.log("hangup-verb")
    return HANG_UP


async def redirect(_, verb, source):
    return source.join(verb, None)


async def reject(call, verb, _):
    call.log("reject", reason=verb.get("reason", "rejected"))
    call.rejected = verb.get("reason", "rejected")
    return HANG_UP


async def gather(call, verb, source):
    """Keys, or a text that the test says was spoken."""
    for child in verb.children:
        await VERBS[child.name](call, child, source)
    stop_key = verb.get("finishOnKey", "#")
    most = int(verb.get("numDigits", "0")) or None
    timeout = int(verb.get("timeout", GATHER_TIMEOUT_S))
    digits = ""
    while most is None or len(digits) < most:
        key = await _next_key(call, timeout)
        if key is None or key == stop_key:
            break
        digits += key
    call.log("gathered", digits=digits)
    if not digits and verb.get("actionOnEmptyResult") != "true":
        return None
    if verb.get("action"):
        return source.join(verb, "action", (("Digits", digits),))
    return dataclasses.replace(source, extra=(("Digits", digits),))


async def _next_key(call, timeout_s):
    if not call.line.keys:
        call.line.pressed.clear()
        try:
            await asyncio.wait_for(call.line.pressed.wait(), timeout_s)
        except asyncio.TimeoutError:
            return None
    return call.line.keys.pop(0)


VERBS = {"Connect": connect, "Say": say, "Play": play, "Pause": pause, "Hangup": hang_up,
         "Redirect": redirect, "Reject": reject, "Gather": gather}
