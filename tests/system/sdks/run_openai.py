# SPDX-License-Identifier: ISC
"""The official openai library against the simulator of OpenAI-compatible servers, all dialects."""
import base64

import openai

from chat_checks import HELLO, Checks, wav_file
from common import main, raises, tone_pcm
from conform import conforms


def client(context, **options):
    return openai.OpenAI(api_key="sk-test", base_url=context.base + "/v1",
                         **{"max_retries": 0, **options})


CHECKS = Checks(openai, "openai", "gpt-4.1-mini", client)
USAGE = {"stream_options": {"include_usage": True}}
DIALECTS = ("openai", "vllm", "llama.cpp", "llama.cpp-old", "ollama")


def streamed(context):
    chunks = CHECKS.streamed(context, **USAGE)
    assert chunks[-1].choices == [] and chunks[-1].usage
    _, _, _, usage, _ = CHECKS.collect(context)
    assert usage is None, "without include_usage there is none"


def tool_calls(context):
    CHECKS.tool_calls(context)


def every_dialect(context):
    for dialect in DIALECTS:
        context.control.reset()
        context.control.set("openai", dialect=dialect)
        more = ("timings",) if "llama" in dialect else ()
        CHECKS.streamed(context, more, **USAGE)
        CHECKS.tool_calls(context, more)
        CHECKS.whole(context)


def errors_of_dialects(context):
    expected = {"openai": "model_not_found", "vllm": 404, "llama.cpp": 404, "llama.cpp-old": 404,
                "ollama": None}
    for dialect in DIALECTS:
        context.control.set("openai", dialect=dialect)
        context.control.fault("openai", "chat", "status", status=404)
        problem = raises(openai.NotFoundError, lambda: CHECKS.collect(context))
        assert problem.body["code"] == expected[dialect], (dialect, problem.body)
    context.control.set("openai", dialect="llama.cpp")
    context.control.fault("openai", "chat", "status", status=503)
    problem = raises(openai.InternalServerError, lambda: CHECKS.collect(context))
    assert problem.body["message"] == "Loading model"


def keys(context):
    context.control.set("openai", keys=["another"])
    raises(openai.AuthenticationError, lambda: client(context).models.list())
    context.control.set("openai", keys=None, dialect="ollama")
    assert client(context).models.list().data


def requests_that_openai_refuses(context):
    create = client(context).chat.completions.create
    for wrong in ({"max_tokens": 5, "model": "gpt-5-mini"}, {"extra_body": {"no_such_field": 1}},
                  {"stream_options": {"include_usage": True}}, {"tools": []}):
        raises(openai.BadRequestError, lambda: create(
            **{"model": "gpt-4.1-mini", "messages": HELLO, **wrong}))
    context.control.set("openai", dialect="vllm")
    assert create(model="x", messages=HELLO, extra_body={"top_k": 5}).choices
    context.control.ask("DELETE", "/received")


def transcription(context):
    CHECKS.transcription(context, "whisper-1")
    context.control.set("openai", script=["Good morning."])
    events = list(client(context).audio.transcriptions.create(
        model="gpt-4o-mini-transcribe", stream=True,
        file=("call.wav", wav_file(tone_pcm(16000, 500)))))
    for event in events:
        conforms(event)
    assert "".join(event.delta for event in events[:-1]) == events[-1].text == "Good morning."


def speech(context):
    CHECKS.speech(context, "gpt-4o-mini-tts", "alloy", "pcm", 24000)
    CHECKS.speech(context, "gpt-4o-mini-tts", "alloy", "wav", 24000)
    speak = client(context).audio.speech.with_streaming_response
    with speak.create(model="gpt-4o-mini-tts", voice="alloy", input="Hello there.",
                      response_format="pcm", stream_format="sse") as answer:
        lines = [line for line in answer.iter_lines() if line.startswith("data: ")]
    assert '"speech.audio.done"' in lines[-1]
    first = lines[0].partition('"audio": "')[2].partition('"')[0]
    assert len(base64.b64decode(first)) == 200 // 60 * 60 * 48


main([streamed, tool_calls, every_dialect, CHECKS.whole, CHECKS.forms_of_events,
      CHECKS.errors_in_streams, errors_of_dialects, CHECKS.errors_by_status, CHECKS.retries, keys,
      requests_that_openai_refuses, transcription, speech, CHECKS.models], openai)
