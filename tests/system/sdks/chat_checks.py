# SPDX-License-Identifier: ISC
"""Checks of chat, transcription and speech that the libraries of Groq and OpenAI pass alike."""
import io
import json
import time
import wave

from common import raises, tone_pcm
from conform import conforms

TOOLS = [{"type": "function", "function": {
    "name": "book", "description": "Book a table",
    "parameters": {"type": "object", "properties": {"seats": {"type": "integer"}}}}}]
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello, dear."}]


class Checks:
    """`library` is groq or openai; `make(context, **options)` a client of it."""

    def __init__(self, library, vendor, model, make):
        self.library, self.vendor, self.model, self.make = library, vendor, model, make

    def collect(self, context, **request):
        """(text, tool calls by index, last finish reason, usage, chunks) of a streamed answer."""
        stream = self.make(context).chat.completions.create(
            model=self.model, stream=True, **{"messages": HELLO, **request})
        text, tools, finish, usage, chunks = "", {}, None, None, []
        for chunk in stream:
            chunks.append(chunk)
            usage = chunk.usage or usage
            if getattr(chunk, "x_groq", None):
                usage = chunk.x_groq.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
                for call in choice.delta.tool_calls or ():
                    known = tools.setdefault(call.index, {"id": None, "name": "", "arguments": ""})
                    known["id"] = call.id or known["id"]
                    known["name"] += call.function.name or ""
                    known["arguments"] += call.function.arguments or ""
        return text, tools, finish, usage, chunks

    def streamed(self, context, strangers=(), **request):
        text, _, finish, usage, chunks = self.collect(context, **request)
        assert text == "You said: Hello, dear." and finish == "stop", (text, finish)
        assert usage.completion_tokens == 4 and usage.total_tokens > 4, usage
        for chunk in chunks:
            conforms(chunk, strangers)
        return chunks

    def tool_calls(self, context, strangers=(), **request):
        context.control.set(self.vendor, rules=[
            {"match": "table", "say": "One moment. ", "tools": [
                {"name": "book", "arguments": {"seats": 2, "name": "José"}}, {"name": "book"}]},
            {"when": "tool", "say": "It is booked."}])
        asked = [{"role": "user", "content": "A table, please"}]
        text, tools, finish, _, chunks = self.collect(context, messages=asked, tools=TOOLS,
                                                      **request)
        assert text == "One moment. " and finish == "tool_calls", (text, finish)
        assert [call["name"] for call in tools.values()] == ["book", "book"], tools
        assert json.loads(tools[0]["arguments"]) == {"seats": 2, "name": "José"}
        assert json.loads(tools[1]["arguments"]) == {}
        for chunk in chunks:
            conforms(chunk, strangers)
        calls = [{"id": call["id"], "type": "function", "function": {
            "name": call["name"], "arguments": call["arguments"]}} for call in tools.values()]
        told = [*asked, {"role": "assistant", "content": text, "tool_calls": calls},
                *({"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in calls)]
        text, *_ = self.collect(context, messages=told, tools=TOOLS, **request)
        assert text == "It is booked."

    def whole(self, context):
        context.control.set(self.vendor, answers=[
            "First.", {"say": "Two words", "finish": "length"}])
        create = self.make(context).chat.completions.create
        answer = create(model=self.model, messages=HELLO)
        conforms(answer)
        assert answer.choices[0].message.content == "First." and answer.usage.total_tokens
        assert create(model=self.model, messages=HELLO).choices[0].finish_reason == "length"

    def forms_of_events(self, context):
        """Everything that the standard of server-sent events allows comes through unharmed."""
        context.control.set(self.vendor, prefix="Größe → ")
        for quirk in ("crlf", "split_utf8", "split_data", "split_lines", "bytewise", "no_space",
                      "comments", "many_lines", "choices_empty", "content_null", "no_last_line",
                      "tool_whole", "usage_missing"):
            context.control.fault(self.vendor, "chat", quirk)
            text, _, finish, _, _ = self.collect(context)
            assert (text, finish) == ("Größe → Hello, dear.", "stop"), (quirk, text, finish)

    def errors_in_streams(self, context):
        for wish in ({"kind": "status", "at": "middle", "after": 3, "status": 500},
                     {"kind": "error_data", "after": 2}):
            context.control.fault(self.vendor, "chat", **wish)
            problem = raises(self.library.APIError, lambda: self.collect(context))
            assert not isinstance(problem, self.library.APIStatusError)
        context.control.fault(self.vendor, "chat", "short", at="middle", after=3)
        text, _, finish, _, _ = self.collect(context)
        assert text and finish is None, "a stream that was cut has no finish reason"
        context.control.fault(self.vendor, "chat", "reset", at="middle", after=3)
        raises(Exception, lambda: self.collect(context))

    def errors_by_status(self, context):
        kinds = {400: self.library.BadRequestError, 401: self.library.AuthenticationError,
                 403: self.library.PermissionDeniedError, 404: self.library.NotFoundError,
                 422: self.library.UnprocessableEntityError, 429: self.library.RateLimitError,
                 500: self.library.InternalServerError, 503: self.library.InternalServerError}
        for status, kind in kinds.items():
            context.control.fault(self.vendor, "chat", "status", status=status)
            problem = raises(kind, lambda: self.collect(context))
            body = problem.body.get("error", problem.body)
            assert problem.status_code == status and body["message"], problem
        context.control.fault(self.vendor, "chat", "refuse")
        raises(self.library.APIConnectionError, lambda: self.collect(context))
        context.control.fault(self.vendor, "chat", "hang")
        client = self.make(context, timeout=0.5)
        raises(self.library.APITimeoutError, lambda: client.chat.completions.create(
            model=self.model, messages=HELLO))

    def retries(self, context):
        """The library waits as the header says, and tries a lost connection again."""
        context.control.fault(self.vendor, "chat", "status", status=429, retry_after=1)
        context.control.fault(self.vendor, "chat", "refuse", skip=1)
        begun = time.monotonic()
        answer = self.make(context, max_retries=2).chat.completions.create(
            model=self.model, messages=HELLO)
        assert answer.choices[0].message.content and time.monotonic() - begun >= 1
        statuses = [entry["status"] for entry in context.control.received(self.vendor, "chat")]
        assert statuses == [429, None, 200], statuses

    def transcription(self, context, model):
        context.control.set(self.vendor, script=["Good morning."])
        transcribe = self.make(context).audio.transcriptions.create
        wav = wav_file(tone_pcm(16000, 700) + bytes(16000))
        assert transcribe(model=model, file=("call.wav", wav)).text == "Good morning."
        told = transcribe(model=model, file=("call.wav", wav), language="en",
                          response_format="verbose_json", timestamp_granularities=["word"])
        assert told.text == "Good morning." and abs(told.duration - 1.2) < 0.01
        quiet = wav_file(bytes(32000))
        assert transcribe(model=model, file=("call.wav", quiet)).text == ""
        problem = raises(self.library.BadRequestError, lambda: transcribe(
            model=model, file=("call.wav", b"this is no sound")))
        assert "media file" in str(problem)

    def speech(self, context, model, voice, form, rate):
        speak = self.make(context).audio.speech
        with speak.with_streaming_response.create(
                model=model, voice=voice, input="Hello there.", response_format=form) as answer:
            audio = b"".join(answer.iter_bytes())
        header = 44 if form == "wav" else 0
        assert len(audio) - header == 12 * 60 * rate * 2 // 1000, len(audio)

    def models(self, context):
        client = self.make(context)
        names = [model.id for model in client.models.list().data]
        assert names, "no models"
        raises(self.library.NotFoundError, lambda: client.models.retrieve("gone"))


def wav_file(pcm):
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(pcm)
    return data.getvalue()
