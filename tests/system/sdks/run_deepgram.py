# SPDX-License-Identifier: ISC
"""The official deepgram-sdk against the simulator of Deepgram."""
import deepgram
from deepgram import DeepgramClient, DeepgramClientEnvironment
from deepgram.core.api_error import ApiError
from deepgram.listen.v1 import types as listen_v1
from deepgram.listen.v2 import types as listen_v2
from deepgram.speak.v1 import types as speak_v1
from websockets.exceptions import InvalidStatus

from common import main, pieces, raises, silence_mulaw, tone_mulaw
from conform import conforms, sent_conforms


def client(context, **options):
    environment = DeepgramClientEnvironment(
        base=context.base, production=context.socket, agent=context.socket, agent_rest=context.base)
    return DeepgramClient(api_key="dg-test-key", environment=environment, max_retries=0, **options)


LIVE = {"model": "nova-3", "encoding": "mulaw", "sample_rate": 8000, "channels": 1,
        "language": "en", "interim_results": True, "smart_format": True, "endpointing": 300,
        "utterance_end_ms": 1000, "vad_events": True}
FLUX = {"model": "flux-general-en", "encoding": "mulaw", "sample_rate": 8000,
        "eot_threshold": 0.7, "eager_eot_threshold": 0.5}


def spoken():
    """Two utterances with silence around them."""
    return (silence_mulaw(200) + tone_mulaw(1500) + silence_mulaw(1500) + tone_mulaw(800)
            + silence_mulaw(1500))


KINDS = {
    "listen": {"Results": listen_v1.ListenV1Results, "Metadata": listen_v1.ListenV1Metadata,
               "SpeechStarted": listen_v1.ListenV1SpeechStarted,
               "UtteranceEnd": listen_v1.ListenV1UtteranceEnd,
               "ConfigureSuccess": listen_v1.ListenV1ConfigureSuccess,
               "ConfigureFailure": listen_v1.ListenV1ConfigureFailure},
    "flux": {"Connected": listen_v2.ListenV2Connected, "TurnInfo": listen_v2.ListenV2TurnInfo,
             "ConfigureSuccess": listen_v2.ListenV2ConfigureSuccess,
             "ConfigureFailure": listen_v2.ListenV2ConfigureFailure},
    "speak-socket": {"Metadata": speak_v1.SpeakV1Metadata, "Flushed": speak_v1.SpeakV1Flushed,
                     "Cleared": speak_v1.SpeakV1Cleared},
}


def frames_conform(context, endpoint):
    """What went over the wire, checked without the conversions that the library makes."""
    entry = context.control.received("deepgram", endpoint, frames=True)[-1]
    sent = [frame["data"] for frame in entry["frames"]
            if frame["from"] == "server" and frame["type"] == "text"]
    for message in sent:
        sent_conforms(KINDS[endpoint][message["type"]], message)
    assert sent


def refused_upgrade(connect, status):
    """The library lets its WebSocket library's exception through, in its latest version."""
    problem = raises((ApiError, InvalidStatus), lambda: connect().__enter__())
    if isinstance(problem, ApiError):
        assert problem.status_code == status
    else:
        assert problem.response.status_code == status
        assert problem.response.headers["dg-error"] and problem.response.headers["dg-request-id"]


def listen_nova(context):
    context.control.set("deepgram", script=["Hello there.", "Good bye."])
    with client(context).listen.v1.connect(**LIVE, keyterm=["Example", "two words"]) as socket:
        for piece in pieces(spoken(), 400):
            socket.send_media(piece)
        socket.send_keep_alive()
        socket.send_close_stream()
        messages = list(socket)
    for message in messages:
        conforms(message)
    kinds = [message.type for message in messages]
    finals = [message.channel.alternatives[0].transcript for message in messages
              if message.type == "Results" and message.speech_final]
    assert finals == ["Hello there.", "Good bye."], finals
    assert kinds.count("SpeechStarted") == 2 and kinds.count("UtteranceEnd") == 2, kinds
    assert kinds[-1] == "Metadata" and messages[-1].duration == 5.5
    interims = [message for message in messages if message.type == "Results"
                and not message.is_final and message.channel.alternatives[0].transcript]
    assert interims and interims[0].channel.alternatives[0].transcript == "Hello there."
    words = [message.channel.alternatives[0].words for message in messages
             if message.type == "Results" and message.speech_final][0]
    assert [word.punctuated_word for word in words] == ["Hello", "there."]
    assert words[0].start == 0.2 and abs(words[-1].end - 1.7) < 0.03
    assert socket._websocket.close_code == 1000
    frames_conform(context, "listen")


def finalize_and_configure(context):
    context.control.set("deepgram", script=["unfinished"])
    with client(context).listen.v1.connect(**LIVE) as socket:
        socket.send_configure(listen_v1.ListenV1Configure(
            keyterms=["Example"], features={"numerals": True}))
        answer = socket.recv()
        conforms(answer)
        assert answer.type == "ConfigureSuccess" and answer.keyterms == ["Example"]
        socket.send_media(tone_mulaw(500))
        socket.send_finalize()
        while True:
            message = socket.recv()
            conforms(message)
            if getattr(message, "from_finalize", None):
                break
        assert message.channel.alternatives[0].transcript == "unfinished" and message.is_final
        too_many = " ".join(["word"] * 501)
        socket.send_configure(listen_v1.ListenV1Configure(keyterms=[too_many]))
        answer = socket.recv()
        conforms(answer)
        assert answer.code == "CONFIGURE_KEYTERM_LIMIT_EXCEEDED"
        socket.send_close_stream()
        list(socket)
    frames_conform(context, "listen")


def listen_flux(context):
    context.control.set("deepgram", script=["book a table", "for two"])
    with client(context).listen.v2.connect(**FLUX) as socket:
        for piece in pieces(spoken(), 640):
            socket.send_media(piece)
        socket.send_close_stream()
        messages = list(socket)
    for message in messages:
        conforms(message)
    assert messages[0].type == "Connected"
    assert [message.sequence_id for message in messages] == list(range(len(messages)))
    events = [message.event for message in messages[1:] if message.event != "Update"]
    assert events == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"] * 2, events
    ends = [message for message in messages[1:] if message.event == "EndOfTurn"]
    assert [end.transcript for end in ends] == ["book a table", "for two"]
    assert [end.turn_index for end in ends] == [0, 1] and ends[0].trigger == "model"
    assert messages[-1].event == "Update"
    assert socket._websocket.close_code == 1005, socket._websocket.close_code
    frames_conform(context, "flux")


def flux_configured_and_forced(context):
    with client(context).listen.v2.connect(**FLUX) as socket:
        socket.recv()
        socket.send_configure({"type": "Configure", "thresholds": {"eot_threshold": 1.0}})
        answer = socket.recv()
        conforms(answer)
        assert answer.type == "ConfigureSuccess" and answer.thresholds.eot_threshold == 1.0
        socket.send_configure({"type": "Configure", "thresholds": {"eot_timeout_ms": 1}})
        answer = socket.recv()
        conforms(answer)
        assert answer.type == "ConfigureFailure"
        socket.send_media(tone_mulaw(400))
        socket.send_force_end_turn()
        while True:
            message = socket.recv()
            conforms(message)
            if message.event == "EndOfTurn":
                break
        assert message.trigger == "manual" and message.transcript == "hello"
    frames_conform(context, "flux")


def speak_rest(context):
    answer = client(context).speak.v1.audio.with_raw_response.generate(
        text="Hello, this is a test.", model="aura-2-thalia-en", encoding="mulaw",
        sample_rate=8000, container="none")
    with answer as response:
        audio = b"".join(response.data)
        headers = response.headers
    assert len(audio) == len("Hello, this is a test.") * 60 * 8
    assert headers["content-type"] == "audio/mulaw;rate=8000"
    assert headers["dg-char-count"] == "22" and headers["dg-request-id"]
    assert headers["x-simulator"] == "aicaller-tests"


def speak_socket(context):
    text = "Hello, this is a test."
    with client(context).speak.v1.connect(model="aura-2-thalia-en", encoding="mulaw",
                                          sample_rate=8000) as socket:
        first = socket.recv()
        conforms(first)
        assert first.type == "Metadata" and first.model_name == "aura-2-thalia-en"
        socket.send_text(speak_v1.SpeakV1Text(text=text))
        socket.send_flush()
        audio = b""
        while isinstance(message := socket.recv(), bytes):
            audio += message
        conforms(message)
        assert message.type == "Flushed" and len(audio) == len(text) * 480
        socket.send_text(speak_v1.SpeakV1Text(text="never heard"))
        socket.send_clear()
        message = socket.recv()
        conforms(message)
        assert message.type == "Cleared"
        socket.send_close()
        assert list(socket) == [] and socket._websocket.close_code == 1000
    frames_conform(context, "speak-socket")


def keys_and_projects(context):
    context.control.set("deepgram", keys=["dg-test-key"])
    good = client(context)
    assert good.manage.v1.projects.list().projects[0].name == "simulated project"
    token = good.auth.v1.tokens.grant()
    assert token.expires_in == 30
    environment = good._client_wrapper.get_environment()
    by_token = DeepgramClient(access_token=token.access_token, environment=environment)
    with by_token.listen.v1.connect(**LIVE) as socket:
        socket.send_close_stream()
        assert [message.type for message in socket] == ["Metadata"]
    bad = DeepgramClient(api_key="another", environment=environment, max_retries=0)
    problem = raises(ApiError, lambda: bad.manage.v1.projects.list())
    assert problem.status_code == 401 and problem.body["err_code"] == "INVALID_AUTH"
    refused_upgrade(lambda: bad.listen.v1.connect(**LIVE), 401)


def errors_by_status(context):
    for status, code in ((400, "Bad Request"), (402, "ASR_PAYMENT_REQUIRED"),
                         (403, "INSUFFICIENT_PERMISSIONS"), (429, "TOO_MANY_REQUESTS"),
                         (500, "INTERNAL_SERVER_ERROR"), (503, "SERVICE_UNAVAILABLE")):
        context.control.fault("deepgram", "speak", "status", status=status)
        problem = raises(ApiError, lambda: client(context).speak.v1.audio.with_raw_response
                         .generate(text="x").__enter__())
        assert problem.status_code == status and problem.body["err_code"] == code, problem
        context.control.fault("deepgram", "flux", "status", status=status)
        refused_upgrade(lambda: client(context).listen.v2.connect(**FLUX), status)
    refused_upgrade(lambda: client(context).listen.v1.connect(**{**LIVE, "model": "nope"}), 400)


def closes_by_code(context):
    for code, reason in ((1008, "DATA-0000"), (1011, "NET-0000"), (1011, "NET-0001")):
        context.control.fault("deepgram", "listen", "close", at="middle", code=code, reason=reason)
        with client(context).listen.v1.connect(**LIVE) as socket:
            socket.send_media(tone_mulaw(400))
            raises(Exception, lambda: [socket.recv() for _ in range(100)])
            assert (socket._websocket.close_code, socket._websocket.close_reason) == (code, reason)


main([listen_nova, finalize_and_configure, listen_flux, flux_configured_and_forced, speak_rest,
      speak_socket, keys_and_projects, errors_by_status, closes_by_code], deepgram)
