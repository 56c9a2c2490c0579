# SPDX-License-Identifier: ISC
"""The official groq library against the simulator of Groq."""
import groq

from chat_checks import HELLO, Checks
from common import main, raises


def client(context, **options):
    """The library adds /openai/v1 itself."""
    return groq.Groq(api_key="gsk_test", base_url=context.base, **{"max_retries": 0, **options})


CHECKS = Checks(groq, "groq", "openai/gpt-oss-20b", client)


def streamed(context):
    chunks = CHECKS.streamed(context)
    assert chunks[0].x_groq.id.startswith("req_") and chunks[0].choices[0].delta.content == ""
    assert chunks[-1].x_groq.usage.total_time


def reasoning(context):
    context.control.set("groq", reasoning="The caller greets. ")
    _, _, _, usage, chunks = CHECKS.collect(context)
    thought = "".join(choice.delta.reasoning or "" for chunk in chunks for choice in chunk.choices)
    assert thought == "The caller greets. "
    assert usage.completion_tokens_details.reasoning_tokens == 4
    _, _, _, _, chunks = CHECKS.collect(context, include_reasoning=False)
    assert not any(choice.delta.reasoning for chunk in chunks for choice in chunk.choices)


def error_within_x_groq(context):
    context.control.fault("groq", "chat", "x_groq_error", after=2)
    _, _, finish, _, chunks = CHECKS.collect(context)
    assert chunks[-1].x_groq.error and finish is None


def rate_limits(context):
    answer = client(context).chat.completions.with_raw_response.create(
        model="openai/gpt-oss-20b", messages=HELLO)
    assert answer.headers["x-ratelimit-reset-requests"] == "2m59.56s"
    assert answer.headers["x-request-id"].startswith("req_")
    assert "retry-after" not in answer.headers


def requests_that_groq_refuses(context):
    create = client(context).chat.completions.create
    for wrong in ({"n": 2}, {"reasoning_effort": "none"}, {"extra_body": {"no_such_field": 1}},
                  {"reasoning_format": "parsed", "include_reasoning": True}, {"temperature": 3}):
        raises(groq.BadRequestError, lambda: create(
            model="openai/gpt-oss-20b", messages=HELLO, **wrong))
    problem = raises(groq.NotFoundError, lambda: create(
        model="llama-3.1-8b-instant", messages=HELLO))
    assert problem.body["error"]["code"] == "model_not_found", problem.body
    context.control.fault("groq", "chat", "status", status=498)
    problem = raises(groq.APIStatusError, lambda: client(
        context, max_retries=2).chat.completions.create(model="openai/gpt-oss-20b", messages=HELLO))
    assert problem.status_code == 498 and len(context.control.received("groq", "chat")) == 7
    context.control.ask("DELETE", "/received")


def transcription(context):
    CHECKS.transcription(context, "whisper-large-v3-turbo")


def speech(context):
    CHECKS.speech(context, "canopylabs/orpheus-v1-english", "hannah", "wav", 48000)
    raises(groq.BadRequestError, lambda: client(context).audio.speech.create(
        model="canopylabs/orpheus-v1-english", voice="hannah", input="x", response_format="mp3"))
    context.control.ask("DELETE", "/received")


main([streamed, reasoning, CHECKS.tool_calls, CHECKS.whole, CHECKS.forms_of_events,
      CHECKS.errors_in_streams, error_within_x_groq, CHECKS.errors_by_status, CHECKS.retries,
      rate_limits, requests_that_groq_refuses, transcription, speech, CHECKS.models], groq)
