# SPDX-License-Identifier: ISC
"""
The fake carrier against a small application: it signs, obeys TwiML, streams in real time and finds
what an application does wrong.
"""
import asyncio
import base64
import hashlib
import io
import json
import pathlib
import sys
import wave

import pytest
from aiohttp import WSMsgType, web

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fakes"))

from vendors.carrier import Carrier, hang_up  # noqa: E402
from vendors.core.settings import Refused  # noqa: E402
from vendors.media import g711, sound  # noqa: E402
from vendors.twilio import create, signature  # noqa: E402

OURS, THEIRS, PUBLIC = "+15005550006", "+15551230001", "https://voice.example.com"
TOKEN = "aicaller_test_token_0123456789ab"
STREAM = ('<Connect action="/resume"><Stream url="wss://voice.example.com/media/" '
          'statusCallback="https://voice.example.com/stream"><Parameter name="token" value="t1"/>'
          "</Stream></Connect>")
TONE = sound.Format("mulaw", 8000).tone(500, 0, 100)


def twiml(*verbs):
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verbs)}</Response>'


class Application:
    """An application that is called; `talk(socket, start)` is what it does with a stream."""

    def __init__(self, documents, talk=None):
        self.documents, self.talk = documents, talk
        self.webhooks, self.received, self.upgrade = [], [], None
        self.forged = 0

    async def start(self):
        app = web.Application()
        app.router.add_get("/media/", self._media)
        app.router.add_route("*", "/{path:.*}", self._webhook)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        return self.runner.addresses[0][1]

    def _is_forged(self, request, url, parameters):
        good = signature.sign(TOKEN, url, parameters)
        self.forged += request.headers.get("X-Twilio-Signature") != good
        return request.headers.get("X-Twilio-Signature") != good

    async def _webhook(self, request):
        form = list((await request.post()).items())
        if self._is_forged(request, PUBLIC + request.raw_path, form):
            return web.Response(status=403)
        self.webhooks.append((request.path, dict(form)))
        document = self.documents.get(request.path)
        if document is None:
            return web.Response(status=204)
        return web.Response(text=document, content_type="text/xml")

    async def _media(self, request):
        self.upgrade = list(request.headers.items())
        if self._is_forged(request, "wss://voice.example.com" + request.raw_path, ()) \
                or self.talk is None:
            return web.Response(status=403)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        socket["request"] = request
        connected, start = [json.loads((await socket.receive()).data) for _ in range(2)]
        self.received += [connected, start]
        await self.talk(socket, start["streamSid"])
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                self.received.append(json.loads(message.data))
        return socket

    def seen(self, path):
        return [form for found, form in self.webhooks if found == path]

    def events(self, name):
        return [message for message in self.received if message["event"] == name]


def play(documents, action, talk=None, plan=None, seconds=20):
    """Runs action(carrier, application) against an application."""
    async def run():
        application = Application(documents, talk)
        port = await application.start()
        carrier = Carrier(gateways={"voice.example.com": f"http://127.0.0.1:{port}"},
                          plan=plan or {})
        try:
            await asyncio.wait_for(action(carrier, application), seconds)
        finally:
            await carrier.close()
            await application.runner.cleanup()
    asyncio.run(run())


def called(carrier, **wish):
    return carrier.call_in(OURS, THEIRS, url=PUBLIC + "/voice", **wish)


def dialled(carrier, **options):
    wish = {"To": [THEIRS], "From": [OURS], "Url": [PUBLIC + "/voice"],
            "StatusCallback": [PUBLIC + "/status"],
            "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"], **options}
    assert create.check(wish, [OURS]) == []
    return carrier.create(wish)


async def over(call):
    await call.runner.over.wait()


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


def media(stream_sid, payload):
    return {"event": "media", "streamSid": stream_sid,
            "media": {"payload": base64.b64encode(payload).decode()}}


def mark(stream_sid, name):
    return {"event": "mark", "streamSid": stream_sid, "mark": {"name": name}}


async def speak_and_mark(socket, sid):
    await socket.send_json(media(sid, TONE))
    await socket.send_json(mark(sid, "1:1"))


def test_a_stream_is_what_twilio_sends():
    async def action(carrier, application):
        call = called(carrier)
        call.line.say(TONE)
        await until(lambda: len(application.events("media")) >= 12 and application.events("mark"))
        call.line.press("5#")
        await until(lambda: len(application.events("dtmf")) == 2)
        hang_up(call)
        await over(call)
        assert not call.violations and not application.forged, call.violations
        connected, start = application.received[:2]
        assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        sid = start["streamSid"]
        assert start == {"event": "start", "sequenceNumber": "1", "streamSid": sid, "start": {
            "accountSid": call.account_sid, "streamSid": sid, "callSid": call.sid,
            "tracks": ["inbound"], "customParameters": {"token": "t1"}, "mediaFormat": {
                "encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}}
        frames = application.events("media")
        assert [frame["media"]["chunk"] for frame in frames[:3]] == ["1", "2", "3"]
        assert [frame["media"]["timestamp"] for frame in frames[:3]] == ["0", "20", "40"]
        heard = b"".join(base64.b64decode(frame["media"]["payload"]) for frame in frames)
        assert heard[:800] == TONE and set(heard[800:]) == {0xff}
        numbers = [int(message["sequenceNumber"]) for message in application.received[1:]]
        assert numbers == list(range(1, len(numbers) + 1))
        assert [each["dtmf"] for each in application.events("dtmf")] == [
            {"track": "inbound_track", "digit": "5"}, {"track": "inbound_track", "digit": "#"}]
        assert application.events("stop")[0]["stop"] == {
            "accountSid": call.account_sid, "callSid": call.sid}
        names = [name for name, _ in application.upgrade]
        assert names == ["Host", "User-Agent", "Connection", "Upgrade", "Sec-WebSocket-Version",
                         "Sec-WebSocket-Key", "X-Twilio-Signature", "X-Forwarded-For",
                         "X-Forwarded-Proto", "Accept-Encoding"]
        assert [form["StreamEvent"] for form in application.seen("/stream")] == [
            "stream-started", "stream-stopped"]
        assert call.status == "completed"
    play({"/voice": twiml(STREAM)}, action, speak_and_mark)


def test_sound_is_heard_in_real_time_and_unchanged():
    async def action(carrier, application):
        call = called(carrier)
        await until(lambda: application.events("mark"))
        stream = call.streams[0]
        begin, end = stream.spans[0]
        assert end - begin == 100 and bytes(stream.heard[begin * 8:end * 8]) == TONE
        assert stream.show()["played_sha256"] == hashlib.sha256(TONE).hexdigest()
        returned = [each["at_ms"] for each in call.timeline if each["event"] == "mark-returned"]
        first = [each["at_ms"] for each in call.timeline if each["event"] == "first-media"]
        assert returned[0] - first[0] >= 75, "the mark waits until its sound was played"
    play({"/voice": twiml(STREAM)}, action, speak_and_mark)


def test_clear_drops_what_waits_and_returns_the_marks():
    async def talk(socket, sid):
        await socket.send_json(media(sid, TONE * 50))
        await socket.send_json(mark(sid, "never played"))
        await asyncio.sleep(0.1)
        await socket.send_json({"event": "clear", "streamSid": sid})

    async def action(carrier, application):
        call = called(carrier)
        await until(lambda: application.events("mark"))
        dropped = [each["dropped_ms"] for each in call.timeline if each["event"] == "clear"]
        assert 0 < dropped[0] < 5000 and call.streams[0].playback.buffered == 0
        assert not call.violations
    play({"/voice": twiml(STREAM)}, action, talk)


@pytest.mark.parametrize("wrong, code", [
    (lambda sid: json.dumps({**media(sid, TONE), "sequenceNumber": "1"}), "31951"),
    (lambda sid: json.dumps(media("MZ0", TONE)), "31951"),
    (lambda sid: json.dumps({"event": "dtmf", "streamSid": sid}), "31951"),
    (lambda sid: "this is no JSON", "31951"),
    (lambda sid: json.dumps(media(sid, b"RIFF" + TONE)), "header of a file"),
    (lambda sid: b"\xff" * 160, "31950"),
])
def test_what_the_application_sends_is_checked(wrong, code):
    async def talk(socket, sid):
        message = wrong(sid)
        await (socket.send_bytes if isinstance(message, bytes) else socket.send_str)(message)

    async def action(carrier, application):
        call = called(carrier)
        await until(lambda: call.violations)
        assert code in call.violations[0] and not call.streams[0].counts
    play({"/voice": twiml(STREAM)}, action, talk)


def test_the_call_goes_on_after_connect_when_the_application_closes():
    async def talk(socket, _):
        await socket.close()

    async def action(carrier, application):
        call = called(carrier)
        await over(call)
        assert [path for path, _ in application.webhooks if path != "/stream"] == [
            "/voice", "/resume"]
        assert [each["text"] for each in call.timeline if each["event"] == "say"] == ["Good bye"]
        assert call.streams[0].peer.close_code == 1000 and not call.violations
    play({"/voice": twiml(STREAM), "/resume": twiml("<Say>Good bye</Say><Hangup/>")}, action, talk)


def test_the_call_goes_on_after_connect_when_the_connection_is_lost():
    async def talk(socket, _):
        socket["request"].transport.abort()

    async def action(carrier, application):
        call = called(carrier)
        await over(call)
        assert application.seen("/resume")
        errors = [form.get("StreamError", "") for form in application.seen("/stream")]
        assert errors[0] == "" and errors[1].startswith("31903")
    play({"/voice": twiml(STREAM), "/resume": twiml()}, action, talk)


def test_a_refused_stream_is_told_by_callback_and_the_call_goes_on():
    async def action(carrier, application):
        call = called(carrier)
        await over(call)
        assert "31920" in application.seen("/stream")[0]["StreamError"]
        assert application.seen("/resume") and "31920" in call.violations[0]
    play({"/voice": twiml(STREAM), "/resume": twiml()}, action)


@pytest.mark.parametrize("how", ["missing", "wrong", "slash"])
def test_signatures_can_be_bad(how):
    async def action(carrier, application):
        call = called(carrier, plan={"signature": how})
        await over(call)
        assert application.forged == 1
        assert bool(application.webhooks) == (how == "slash")
    play({"/voice": twiml(STREAM), "/resume": twiml()}, action, speak_and_mark)


@pytest.mark.parametrize("how, sequence", [
    ("ordered", ["0", "1", "2", "3"]), ("reversed", ["3", "2", "1", "0"]),
    ("repeated", ["0", "0", "1", "1", "2", "2", "3", "3"]), ("none", [])])
def test_status_callbacks_come_in_the_order_that_the_test_wants(how, sequence):
    async def action(carrier, application):
        call = dialled(carrier)
        await over(call)
        told = application.seen("/status")
        assert [form["SequenceNumber"] for form in told] == sequence
        assert {form["CallStatus"] for form in told} <= {"initiated", "ringing", "in-progress",
                                                         "completed"}
        for form in told:
            assert form["CallbackSource"] == "call-progress-events" and form["Timestamp"]
            assert ("CallDuration" in form) == (form["CallStatus"] == "completed")
    play({"/voice": twiml("<Hangup/>")}, action, plan={"callbacks": how})


@pytest.mark.parametrize("answer", ["busy", "no-answer", "failed", "canceled"])
def test_a_call_that_is_not_answered_asks_for_no_twiml(answer):
    async def action(carrier, application):
        call = dialled(carrier)
        await over(call)
        assert call.status == answer and not application.seen("/voice")
        assert application.seen("/status")[-1]["CallStatus"] == answer
    play({"/voice": twiml()}, action, plan={"answer": answer})


def test_a_machine_is_detected_before_or_beside_the_call():
    async def action(carrier, application):
        await over(dialled(carrier, MachineDetection=["Enable"]))
        assert application.seen("/voice")[0]["AnsweredBy"] == "machine_start"
        call = dialled(carrier, MachineDetection=["DetectMessageEnd"], AsyncAmd=["true"],
                       AsyncAmdStatusCallback=[PUBLIC + "/amd"])
        await until(lambda: application.seen("/amd"))
        assert "AnsweredBy" not in application.seen("/voice")[1]
        assert application.seen("/amd")[0]["MachineDetectionDuration"] == "50"
        hang_up(call)
        await over(call)
    play({"/voice": twiml('<Pause length="1"/>')}, action,
         plan={"answered_by": "machine_start", "amd_ms": 50})


def test_a_live_call_is_transferred_by_rest():
    async def action(carrier, application):
        call = called(carrier)
        await until(lambda: application.events("media"))
        document = twiml(f'<Dial callerId="{OURS}" action="{PUBLIC}/after">'
                         '<Number url="/whisper">+15551230009</Number></Dial>')
        assert create.check_update({"Twiml": [document]}, call) == []
        carrier.update(call, {"Twiml": [document]})
        await over(call)
        assert application.events("stop"), "the stream ends"
        assert application.seen("/after")[0]["DialCallStatus"] == "completed"
        legs = [leg for leg in carrier.calls.values() if leg.parent is call]
        assert [(leg.to, leg.from_) for leg in legs] == [("+15551230009", OURS)]
    play({"/voice": twiml(STREAM), "/after": twiml()}, action, speak_and_mark)


def test_rest_hangs_up_a_live_call():
    async def action(carrier, application):
        call = called(carrier)
        await until(lambda: application.events("media"))
        carrier.update(call, {"Status": ["completed"]})
        await over(call)
        assert call.status == "completed" and not application.seen("/resume")
    play({"/voice": twiml(STREAM)}, action, speak_and_mark)


def test_both_sides_are_recorded():
    async def action(carrier, application):
        call = dialled(carrier, Record=["true"], RecordingChannels=["dual"],
                       RecordingStatusCallback=[PUBLIC + "/recorded"])
        await until(lambda: call.streams)
        call.line.say(sound.Format("mulaw", 8000).tone(300, 0, 200))
        await until(lambda: call.streams[0].position_ms() >= 400)
        hang_up(call)
        await over(call)
        told = application.seen("/recorded")[0]
        assert told["RecordingStatus"] == "completed" and told["RecordingChannels"] == "2"
        with wave.open(io.BytesIO(carrier.recordings[told["RecordingSid"]].wav)) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, 8000)
            pcm = sound.samples("pcm", file.readframes(file.getnframes()))
        assert sound.pitch(pcm[0::2], 8000, (300, 500)) == 300
        assert sound.pitch(pcm[1::2], 8000, (300, 500)) == 500
    play({"/voice": twiml(STREAM), "/resume": twiml()}, action, speak_and_mark)


def test_bad_twiml_fails_the_call():
    async def action(carrier, application):
        call = called(carrier)
        await over(call)
        assert "<Sing>" in call.violations[0] and carrier.violations
    play({"/voice": twiml("<Sing/>")}, action)


def test_a_webhook_that_cannot_be_reached_is_tried_twice_then_its_fallback():
    async def action(carrier, application):
        carrier.settings["gateways"]["gone.example.com"] = "http://127.0.0.1:1"
        call = dialled(carrier, Url=["https://gone.example.com/voice"],
                       FallbackUrl=[PUBLIC + "/fallback"])
        await over(call)
        attempts = [each["attempts"] for each in call.timeline if each["event"] == "webhook"
                    and "gone" in each["url"]]
        assert attempts == [2] and application.seen("/fallback")[0]["ErrorCode"] == "11205"
        assert call.status == "completed" and not call.violations
    play({"/fallback": twiml("<Hangup/>")}, action)


def test_media_messages_can_be_longer_and_get_lost():
    async def action(carrier, application):
        called(carrier, plan={"frame_ms": 60, "lose_every": 3})
        await until(lambda: len(application.events("media")) >= 6)
        frames = [frame["media"] for frame in application.events("media")]
        assert len(base64.b64decode(frames[0]["payload"])) == 480
        assert [frame["chunk"] for frame in frames[:4]] == ["1", "2", "4", "5"]
        assert [frame["timestamp"] for frame in frames[:4]] == ["0", "60", "180", "240"]
    play({"/voice": twiml(STREAM)}, action, speak_and_mark)


def test_silence_is_what_a_quiet_line_sends():
    async def action(carrier, application):
        called(carrier)
        await until(lambda: len(application.events("media")) >= 3)
        payload = application.events("media")[0]["media"]["payload"]
        assert len(payload) == 216 and payload.endswith("/w==")
        assert base64.b64decode(payload) == g711.SILENCE * 160
    play({"/voice": twiml(STREAM)}, action, speak_and_mark)


def test_a_plan_that_does_not_exist_is_refused():
    async def action(carrier, _):
        for wrong in ({"answers": "busy"}, {"answer": "maybe"}):
            with pytest.raises(Refused):
                called(carrier, plan=wrong)
    play({}, action)
