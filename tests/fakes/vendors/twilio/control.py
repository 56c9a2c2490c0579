# SPDX-License-Identifier: ISC
"""The carrier's part of the tests' interface, under /_control/twilio/."""
import base64
import pathlib

from aiohttp import web

from .. import carrier as carriers
from ..core.settings import Refused
from ..media import g711, sound


def _carrier(simulator):
    return simulator.state("twilio carrier",
                           lambda: carriers.Carrier(simulator.settings.of("twilio")))


def _call(simulator, request):
    return _carrier(simulator).find(request.match_info["call"])


async def _call_in(simulator, _, wish):
    stranger = set(wish) - {"to", "from", "url", "plan"}
    if stranger or not wish.get("from"):
        raise Refused("a call has: to, from, url, plan; from is required")
    call = _carrier(simulator).call_in(wish.get("to", "+15005550006"), wish["from"],
                                       wish.get("url"), wish.get("plan"))
    return {"sid": call.sid}


async def _list(simulator, _, __):
    return [{"sid": call.sid, "status": call.status, "direction": call.direction, "to": call.to,
             "from": call.from_, "violations": call.violations}
            for call in _carrier(simulator).calls.values()]


async def _show(simulator, request, _):
    return _call(simulator, request).show()


def mulaw(wish):
    """The sound that a wish names: tone_ms, silence_ms, audio (base64 mu-law), file (WAV)."""
    data = b""
    if "file" in wish:
        wav = sound.read_wav(pathlib.Path(wish["file"]).read_bytes())
        if not wav or wav[1] != 8000 or wav[2] != 1:
            raise Refused(f"{wish['file']} is no WAV of one channel and 8000 Hz")
        data = wav[3] if wav[0] == "mulaw" else g711.encode_mulaw(sound.samples(wav[0], wav[3]))
    elif "audio" in wish:
        data = base64.b64decode(wish["audio"], validate=True)
    elif "tone_ms" in wish:
        data = sound.Format("mulaw", 8000).tone(wish.get("hz", 300), 0, wish["tone_ms"])
    elif "silence_ms" not in wish:
        raise Refused("say one of: tone_ms (and hz), silence_ms, audio, file")
    return data + g711.SILENCE * (8 * wish.get("silence_ms", 0))


async def _say(simulator, request, wish):
    call, data = _call(simulator, request), mulaw(wish)
    call.log("say-queued", ms=len(data) // 8)
    call.line.say(data)
    if wish.get("wait", False):
        await call.line.said.wait()
        call.log("said")
    return {"bytes": len(data)}


async def _press(simulator, request, wish):
    _call(simulator, request).line.press(wish["digits"])
    return {}


async def _hang_up(simulator, request, _):
    carriers.hang_up(_call(simulator, request))
    return {}


async def _drop(simulator, request, _):
    call = _call(simulator, request)
    if not call.streams or not call.streams[-1].peer:
        raise Refused("the call has no stream")
    call.streams[-1].drop()
    return {}


async def _sound(simulator, request, _):
    call = _call(simulator, request)
    which = {"heard": "heard", "sent": "sent"}[request.match_info["which"]]
    data = b"".join(bytes(getattr(stream, which)) for stream in call.streams)
    return web.Response(body=data, content_type="application/octet-stream")


async def _raw(simulator, request, wish):
    """Sends a text as it is over the media stream: for what no carrier would send."""
    call = _call(simulator, request)
    if not call.streams or not call.streams[-1].peer:
        raise Refused("the call has no stream")
    call.streams[-1].peer.send(wish["text"].replace("{streamSid}", call.streams[-1].sid))
    return {}


ROUTES = [
    ("POST", "/twilio/calls", _call_in),
    ("GET", "/twilio/calls", _list),
    ("GET", "/twilio/calls/{call:CA[0-9a-f]+}", _show),
    ("POST", "/twilio/calls/{call:CA[0-9a-f]+}/say", _say),
    ("POST", "/twilio/calls/{call:CA[0-9a-f]+}/press", _press),
    ("POST", "/twilio/calls/{call:CA[0-9a-f]+}/hangup", _hang_up),
    ("POST", "/twilio/calls/{call:CA[0-9a-f]+}/drop", _drop),
    ("POST", "/twilio/calls/{call:CA[0-9a-f]+}/raw", _raw),
    ("GET", "/twilio/calls/{call:CA[0-9a-f]+}/{which:heard|sent}", _sound),
]
