# SPDX-License-Identifier: ISC
"""The simulators' own parts, without a network: what they hear, sign, read, play and refuse."""
import array
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fakes"))

from vendors import all_vendors  # noqa: E402
from vendors.core import journal, settings  # noqa: E402
from vendors.media import g711, hearing, sound, voice  # noqa: E402
from vendors.openai import brain, request  # noqa: E402
from vendors.twilio import create, errors, media, signature, twiml, webhooks  # noqa: E402

KEY = "aicaller_test_token_0123456789ab"
HOST = "https://voice.example.com"
ACCOUNT = ("AccountSid", "AC00000000000000000000000000000001")
CALL = ("CallSid", "CA00000000000000000000000000000002")
FORM = [("CallSid", "CA1234567890ABCDE"), ("Caller", "+14158675309"), ("Digits", "1234"),
        ("From", "+14158675309"), ("To", "+18005551212")]
STATUS = [CALL, ("CallStatus", "completed"), ("CallDuration", "42"), ("SequenceNumber", "3")]
STREAM = "MZ00000000000000000000000000000003"
JSON_BODY = b'{"event":"call.ended","id":"CA00000000000000000000000000000002"}'
SIGNATURES = {
    1: ("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", FORM,
        "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    2: ("12345", "https://example.com/myapp.php?foo=1&bar=2",
        [(name, value.replace("5309", "5310")) for name, value in FORM],
        "L/OH5YylLD5NRKLltdqwSvS0BnU="),
    3: (KEY, HOST + "/twilio/voice", [
        ACCOUNT, ("ApiVersion", "2010-04-01"), CALL, ("CallStatus", "ringing"),
        ("Called", "+15005550006"), ("Caller", "+15551230001"), ("Direction", "inbound"),
        ("From", "+15551230001"), ("To", "+15005550006")], "VfkocZg3uS390KWcoQaHKGN45kw="),
    4: (KEY, HOST + "/twilio/voice?call=7f3a&x=%20y", [
        CALL, ("CallerName", "José Ñandú"), ("FromCity", ""), ("SpeechResult", "a b&c=d")],
        "F+WsZJWY8P+zFHu1AS4mFdcxnWw="),
    5: (KEY, HOST + "/twilio/status", STATUS, "Bs5U43g3MtRZoax37y/dOsYkVco="),
    6: (KEY, HOST + ":443/twilio/status", STATUS, "HEBBlF39bdKJa9IOxCtpFar70BE="),
    7: (KEY, HOST + ":8443/twilio/status", STATUS, "h/9+QtFUpoLNwkt1A1fn2syuT/Q="),
    8: (KEY, HOST + f"/twilio/voice?CallSid={CALL[1]}&From=%2B15551230001", [],
        "jeeEatSrOu8wl/ORFdGO/Q1onkw="),
    9: (KEY, HOST + "/twilio/voice", [], "oE7BBZMB8DOWuBfbWyAonGqpJfE="),
    10: (KEY, HOST + "/twilio/voice", [("a", "1"), ("A", "2"), ("Aa", "3"), ("AB", "4"),
                                       ("a_b", "5"), ("a-b", "6")],
         "raqw8n5EoS/AsV+nFj5AWKQ0bsE="),
    11: (KEY, HOST + "/twilio/voice", [("Body", " leading and trailing "), ("X", "+1 2")],
         "XeV5clBqt2/LHUbQ3At2v7N+z6Y="),
    12: (KEY, HOST + "/twilio/voice", [("A", "b"), ("A", "a"), ("A", "b"), ("Z", "1"), ("a", "2")],
         "Qma/VbDvQFvOPKhPfNtoMlueo/k="),
    13: (KEY, HOST + "/twilio/stream-status", [
        ACCOUNT, CALL, ("StreamEvent", "stream-error"),
        ("StreamError", "31920 - Stream - WebSocket - Handshake Error"), ("StreamName", STREAM),
        ("StreamSid", STREAM), ("Timestamp", "2026-11-22T10:00:00.000Z")],
        "/rNtUUV5c3jhTmqowXoYJ10QpbY="),
    14: (KEY, "wss://voice.example.com/twilio/media", [], "tvYoKiuXPVbqoHD5F+umKxFWn20="),
    15: (KEY, "wss://voice.example.com/twilio/media/", [], "0PxQNfW38BFZtgrfCOk4XRjx5xY="),
    16: (KEY, "wss://voice.example.com:443/twilio/media", [], "er6FlvvlHOl361x7FWwRLa7MJ7o="),
    17: (KEY, "wss://voice.example.com:8443/twilio/media", [], "FD+Qld36t+ZGRkmM7zi4OZ/YWEQ="),
    18: (KEY, "https://voice.example.com/twilio/media", [], "jIbIrsqhi6UspqNIKk1HSaz6U1s="),
    19: (KEY, signature.with_body_hash(HOST + "/twilio/json", JSON_BODY), [],
         "bNga0yDokScDmP6wdB6HRpsVB9Y="),
}


@pytest.mark.parametrize("number", SIGNATURES)
def test_a_signature_is_that_of_the_published_vector(number):
    key, url, parameters, expected = SIGNATURES[number]
    assert signature.sign(key, url, parameters) == expected
    assert signature.sign(key, url, parameters[::-1]) == expected
    assert signature.sign(key + " ", url, parameters) != expected


def test_the_scheme_and_the_body_are_signed():
    assert SIGNATURES[14][3] != SIGNATURES[18][3]
    assert signature.with_body_hash(HOST, JSON_BODY) != signature.with_body_hash(
        HOST, JSON_BODY + b" ")
    body = b'{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}'
    assert signature.with_body_hash("https://a.b/c?d=1", body).endswith(
        "&bodySHA256=5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9")


@pytest.mark.parametrize("url, signed", [
    ("https://user:pass@Voice.Example.com:8443/a?b=%20#rc=2", "https://Voice.Example.com/a?b=%20"),
    ("http://voice.example.com:8000/a", "http://voice.example.com:8000/a"),
    ("wss://voice.example.com/media", "wss://voice.example.com/media"),
])
def test_a_url_is_signed_as_it_was_configured_without_user_fragment_and_https_port(url, signed):
    assert signature.as_signed(url) == signed


def test_g711_is_that_of_the_published_vectors():
    pcm = (0, -1, 4, -4, 100, -100, 1000, -1000, 8031, 16000, -16000, 32767, -32768)
    mulaw = bytes.fromhex("ff7ffe7ef272ce4ea090108000")
    assert g711.encode_mulaw(pcm) == mulaw
    assert list(g711.decode_mulaw(mulaw)) == [0, 0, 8, -8, 104, -104, 988, -988, 7932, 15996,
                                              -15996, 32124, -32124]
    pcm = (0, -1, 100, -100, 1000, -1000, 8031, 16000, -16000, 32767, -32768)
    alaw = bytes.fromhex("d555d353fa7a8aba3aaa2a")
    assert g711.encode_alaw(pcm) == alaw
    assert list(g711.decode_alaw(alaw)) == [8, -8, 104, -104, 1008, -1008, 8064, 16128, -16128,
                                            32256, -32256]


@pytest.mark.parametrize("codec, rate", [("mulaw", 8000), ("alaw", 8000), ("pcm", 8000),
                                         ("pcm", 16000), ("pcm", 48000)])
def test_speech_is_heard_where_it_is(codec, rate):
    form = sound.Format(codec, rate)
    quiet = {"mulaw": b"\xff", "alaw": b"\xd5", "pcm": b"\0\0"}[codec] * rate
    recording = quiet + form.tone(300, 0, 600) + quiet + form.tone(300, 0, 400) + quiet
    found = hearing.spans(codec, rate, recording)
    assert [(round(begin, -2), round(end, -2)) for begin, end in found] == [(1000, 1600),
                                                                            (2600, 3000)]


def test_short_noises_and_quiet_ones_are_no_speech():
    loud, quiet = sound.Format("mulaw", 8000).tone(300, 0, 40), g711.SILENCE * 4000
    assert not hearing.spans("mulaw", 8000, quiet + loud + quiet)
    hum = g711.encode_mulaw(array.array("h", [150, -150] * 8000))
    assert not hearing.spans("mulaw", 8000, hum)


def test_hearing_does_not_depend_on_how_the_sound_is_cut():
    recording = g711.SILENCE * 3000 + sound.Format("mulaw", 8000).tone(300, 0, 500) \
        + g711.SILENCE * 3000
    whole = list(hearing.Hearing("mulaw", 8000).feed(recording))
    cut, ear = [], hearing.Hearing("mulaw", 8000)
    for at in range(0, len(recording), 37):
        cut += ear.feed(recording[at:at + 37])
    assert cut == whole and "start" in dict(whole)


def test_a_voice_speaks_as_long_as_its_text_and_says_what_when():
    pieces = voice.Voice({**voice.SETTINGS, "tone_hz": 440}, sound.Format("mulaw", 8000)).speak(
        "Hello, I am a voice.")
    audio = b"".join(piece.audio for piece in pieces)
    assert len(audio) == 20 * 60 * 8
    assert "".join(char for piece in pieces for char in piece.chars) == "Hello, I am a voice."
    assert all(piece.starts_ms[0] == 0 for piece in pieces)
    assert audio == sound.Format("mulaw", 8000).tone(440, 0, 1200), "the pieces join smoothly"
    assert sound.pitch(g711.decode_mulaw(audio), 8000, (400, 440, 500)) == 440


def test_wav_files_are_written_and_read():
    audio = sound.Format("pcm", 16000).tone(300, 0, 100)
    wav = sound.pcm_file(audio, 16000, 1)
    assert sound.read_wav(wav) == ("pcm", 16000, 1, audio)
    assert sound.read_wav(sound.wav_header("mulaw", 8000, 3) + b"abc") == ("mulaw", 8000, 1, b"abc")
    for bad in (b"", b"RIFF", wav[:30], b"ID3" + wav, wav.replace(b"WAVE", b"AVI ")):
        assert sound.read_wav(bad) is None


DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
GOOD = [
    "<Response/>",
    '<Response><Connect action="/calls/resume/"><Stream url="wss://a.example/media-stream/">'
    '<Parameter name="token" value="a&amp;b"/></Stream></Connect><Say>Bye</Say></Response>',
    '<Response><Say voice="Polly.Joanna">Hi <break time="1s"/> you</Say><Hangup/></Response>',
    '<Response><Dial callerId="+1555" action="/after"><Number url="/w">+1</Number></Dial>'
    "</Response>",
    "<Response><Dial>+15551230001</Dial><Say>Nobody is there</Say></Response>",
    '<Response><Reject reason="busy"/></Response>',
    '<Response><Gather input="dtmf" numDigits="1"><Say>Press</Say></Gather></Response>',
    '<Response><Play digits="1w2"/><Redirect method="POST">/next</Redirect></Response>',
]
STREAM_OF = '<Response><Connect><Stream url="{}">{}</Stream></Connect></Response>'
BAD = {
    "no XML declaration": ("<Response/>", "12100"),
    "space before it": (" " + DECLARATION + "<Response/>", "12100"),
    "not XML": (DECLARATION + "<Response><Say>a & b</Say></Response>", "12100"),
    "a control character": (DECLARATION + "<Response><Say>a\x01</Say></Response>", "12100"),
    "a document type": (DECLARATION + "<!DOCTYPE x><Response/>", "document type"),
    "another root": (DECLARATION + "<response/>", "not <Response>"),
    "an unknown verb": (DECLARATION + "<Response><Sing/></Response>", "<Sing> has no place"),
    "a noun outside of its verb": (DECLARATION + "<Response><Stream url='wss://a.b/c'/></Response>",
                                   "<Stream> has no place"),
    "an unknown attribute": (DECLARATION + "<Response><Hangup why='x'/></Response>", "why"),
    "an attribute in another case": (DECLARATION + "<Response><Say Voice='x'>a</Say></Response>",
                                     "Voice"),
    "ws": (DECLARATION + STREAM_OF.format("ws://a.b/c", ""), "31922"),
    "a query": (DECLARATION + STREAM_OF.format("wss://a.b/c?d=1", ""), "31920"),
    "a parameter without value": (DECLARATION + STREAM_OF.format(
        "wss://a.b/c", "<Parameter name='a'/>"), "value"),
    "a long parameter": (DECLARATION + STREAM_OF.format(
        "wss://a.b/c", f"<Parameter name='ab' value='{'x' * 498}'/>"), "500 characters"),
    "an outbound track": (DECLARATION + STREAM_OF.format("wss://a.b/c", "").replace(
        "url", "track='both_tracks' url"), "track"),
    "two streams": (DECLARATION + "<Response><Connect><Stream url='wss://a.b/c'/>"
                    "<Stream url='wss://a.b/d'/></Connect></Response>", "one <Stream>"),
    "verbs after Hangup": (DECLARATION + "<Response><Hangup/><Say>a</Say></Response>", "never"),
    "verbs after Dial with action": (DECLARATION + "<Response><Dial action='/a'>+1</Dial>"
                                     "<Say>a</Say></Response>", "never"),
    "Reject not first": (DECLARATION + "<Response><Say>a</Say><Reject/></Response>", "first"),
    "text between verbs": (DECLARATION + "<Response>hello</Response>", "text has no place"),
    "an empty Say": (DECLARATION + "<Response><Say> </Say></Response>", "empty"),
    "a long Say": (DECLARATION + f"<Response><Say>{'a' * 4097}</Say></Response>", "4096"),
    "a relative callback": (DECLARATION + STREAM_OF.format("wss://a.b/c", "").replace(
        "url", "statusCallback='/x' url"), "absolute"),
    "Play of nothing": (DECLARATION + "<Response><Play/></Response>", "digits or a URL"),
}


@pytest.mark.parametrize("document", GOOD)
def test_good_twiml_is_read(document):
    assert isinstance(twiml.parse((DECLARATION + document).encode()), list)


@pytest.mark.parametrize("what", BAD)
def test_bad_twiml_is_refused_with_its_reason(what):
    document, reason = BAD[what]
    with pytest.raises(twiml.Problem, match=reason):
        twiml.parse(document.encode())


def test_inline_twiml_is_bounded_and_has_no_base():
    with pytest.raises(twiml.Problem, match="4000"):
        twiml.parse((DECLARATION + f"<Response><Say>{'a' * 4000}</Say></Response>").encode(), True)
    with pytest.raises(twiml.Problem, match="absolute"):
        twiml.parse((DECLARATION + GOOD[1]).encode(), True)


def message(event, **fields):
    return json.dumps({"event": event, "streamSid": STREAM, **fields})


def test_the_three_messages_to_the_carrier_are_read():
    assert media.read(message("media", media={"payload": "/////w=="}), STREAM) == (
        "media", b"\xff\xff\xff\xff")
    assert media.read(message("mark", mark={"name": "1:2"}), STREAM) == ("mark", "1:2")
    assert media.read(message("clear"), STREAM) == ("clear", None)


@pytest.mark.parametrize("text", [
    "", "[]", "null", "{", '{"event":"media"}', message("stop"), message("mark", mark={"name": ""}),
    message("mark", mark={"name": 7}), message("mark", mark={"name": "a", "more": 1}),
    message("clear", more=1), message("media", media={"payload": ""}),
    message("media", media={"payload": "/w"}), message("media", media={"payload": "/w==\n"}),
    message("media", media={"payload": "_w=="}), message("media", media={"payload": "/x=="}),
    message("media", media={"payload": "/w==", "track": "outbound"}),
    message("media", media={"payload": "UklGRgAA"}), message("media", media="x"),
    message("media", media={"payload": "/w=="}, sequenceNumber="1"),
    message("clear").replace(STREAM, "MZ" + "0" * 32), '{"event":"clear","event":"clear"}',
])
def test_every_other_message_is_a_schema_error(text):
    with pytest.raises(media.Problem):
        media.read(text, STREAM)


def test_marks_come_back_when_their_sound_was_played():
    playback = media.Playback()
    assert playback.mark("idle") == ["idle"]
    playback.push(b"a" * 200)
    assert playback.mark("first") == []
    playback.push(b"b" * 100)
    assert playback.mark("second") == []
    assert playback.advance(160) == (b"a" * 160, 160, [])
    assert playback.advance(160) == (b"a" * 40 + b"b" * 100 + b"\xff" * 20, 140,
                                     ["first", "second"])
    assert playback.advance(160) == (b"\xff" * 160, 0, [])


def test_clear_drops_the_sound_and_returns_all_marks():
    playback = media.Playback()
    playback.push(b"a" * 8000)
    playback.mark("one")
    playback.mark("two")
    playback.advance(160)
    assert playback.clear() == (["one", "two"], 7840)
    playback.push(b"b" * 160)
    assert playback.mark("three") == []
    assert playback.advance(160) == (b"b" * 160, 160, ["three"])


def test_ten_minutes_are_buffered_and_no_more():
    playback = media.Playback()
    minute = bytes(60 * 8000)
    assert all(playback.push(minute) for _ in range(10))
    assert not playback.push(b"x") and playback.overflowed == 1


@pytest.mark.parametrize("options, code", [
    ({}, 21201), ({"To": "+15551230001"}, 21213), ({"To": "five", "From": "+15005550006"}, 21211),
    ({"To": "+15551230001", "From": "five"}, 21212),
    ({"To": "+15551230001", "From": "client:me"}, 21212),
    ({"To": "+15551230001", "From": "+15005550007", "Url": "http://a.b"}, 21210),
    ({"To": "+15551230001", "From": "+15005550006"}, 21205),
    ({"To": "+15551230001", "From": "+15005550006", "Url": "a.b/c"}, 21205),
    ({"To": "+15551230001", "From": "+15005550006", "Url": "http://a_b.c"}, 21205),
    ({"To": "+15551230001", "From": "+15005550006", "Url": "http://a.b", "Method": "PUT"}, 21209),
    ({"To": "+15551230001", "From": "+15005550006", "Url": "http://a.b", "SendDigits": "x"}, 21206),
    ({"To": "+15551230001", "From": "+15005550006", "Url": "http://a.b", "Timeout": "0"}, 21208),
    ({"To": "+15551230001", "From": "+15005550006", "Twiml": "x" * 4001}, 21200),
    ({"To": "+15551230001", "From": "+15005550006", "Url": "http://a.b",
      "StatusCallbackEvent": "ringing answered"}, 21200),
])
def test_a_call_that_cannot_be_made_is_refused_by_its_code(options, code):
    with pytest.raises(errors.Refusal) as refused:
        create.check({name: [value] for name, value in options.items()}, ["+15005550006"])
    assert refused.value.code == code


def test_tests_stay_on_this_machine():
    with pytest.raises(webhooks.Unreachable):
        webhooks.find_route("https://voice.example.com/a", {})
    route = webhooks.find_route("wss://voice.example.com/a?b=1",
                                {"voice.example.com": "http://127.0.0.1:8000"})
    assert (route.scheme, route.address, route.host, route.path, route.forwarded) == (
        "http", ("127.0.0.1", 8000), "voice.example.com", "/a?b=1", "https")


def test_answers_come_from_the_list_then_the_rules_then_the_echo():
    place = brain.Answers()
    values = {**brain.SETTINGS, "answers": ["first"],
              "rules": [{"match": "(?i)bye", "say": "Good bye."}]}
    said = [brain.answer([{"role": "user", "content": text}], values, place).say
            for text in ("x", "Bye now", "Bonjour")]
    assert said == ["first", "Good bye.", "You said: Bonjour"]
    assert "".join(brain.tokens("Größe → 1, 2 ")) == "Größe → 1, 2 "


@pytest.mark.parametrize("change", [
    {"messages": []}, {"messages": [{"role": "robot", "content": "x"}]}, {"model": None},
    {"messages": [{"role": "tool", "tool_call_id": "never", "content": "x"}]},
    {"messages": [{"role": "user"}]}, {"temperature": 2.5}, {"stream_options": {}},
    {"tools": [{"type": "function", "function": {"name": "no spaces"}}]}, {"surprise": 1},
])
def test_a_chat_request_that_no_service_takes_is_refused(change):
    good = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    request.check(good, request.GROQ)
    with pytest.raises(request.Bad):
        request.check({**good, **change}, request.GROQ)


def test_settings_and_faults_that_do_not_exist_are_refused():
    simulator = all_vendors.make()
    for wrong in ({"vendor": "nobody", "kind": "slow"}, {"vendor": "groq", "kind": "sneeze"},
                  {"vendor": "groq", "endpoint": "listen", "kind": "slow"},
                  {"vendor": "groq", "endpoint": "chat", "kind": "close", "at": "middle"},
                  {"vendor": "groq", "endpoint": "chat", "kind": "refuse", "at": "middle"},
                  {"vendor": "groq", "endpoint": "chat", "kind": "slow", "delay": 5},
                  {"vendor": "groq", "endpoint": "chat", "kind": "bad_json", "variant": "odd"},
                  {"vendor": "groq", "endpoint": "chat", "kind": "slow", "at": "end"}):
        with pytest.raises(settings.Refused):
            simulator.faults.add(wrong)
    for vendor, change in (("groq", {"scripts": []}), ("groq", {"script": "hello"}),
                           ("openai", {"dialect": "klingon"}), ("x", {})):
        with pytest.raises(settings.Refused):
            simulator.settings.change(vendor, change)


def test_faults_are_used_up_in_order():
    faults = all_vendors.make().faults
    chat, models = (faults.endpoints["groq", name] for name in ("chat", "models"))
    faults.add({"vendor": "groq", "endpoint": "chat", "kind": "html", "skip": 1})
    faults.add({"vendor": "groq", "kind": "slow", "times": None})
    assert [fault.kind for fault in faults.claim(chat)] == ["slow"]
    assert [fault.kind for fault in faults.claim(models)] == ["slow"]
    assert [fault.kind for fault in faults.claim(chat)] == ["html", "slow"]
    assert [fault.kind for fault in faults.claim(chat)] == ["slow"]
    faults.remove()
    assert faults.claim(chat) == []


def test_the_journal_keeps_no_secrets():
    shown = journal.masked("Authorization", "Token very-secret")
    assert shown.startswith("Token sha256:") and "very-secret" not in shown
    assert "very-secret" not in journal.masked("XI-API-Key", "very-secret")
    assert journal.masked("Accept", "text/html") == "text/html"
