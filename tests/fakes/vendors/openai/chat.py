# SPDX-License-Identifier: ISC
"""
POST .../chat/completions, whole and streamed, for Groq and all dialects. Sources: API references
"Create chat completion" and "The chat completion chunk object"; README.md for the dialects.
"""
import asyncio
import json
import re
import time
import uuid

from ..core import keys, wire
from . import brain, dialects, request

QUIRKS = {
    "no_done": "the stream ends without [DONE]",
    "crlf": "lines end in CR LF",
    "split_utf8": "segments end within a UTF-8 character",
    "split_data": 'segments end within "data:"',
    "split_lines": "segments end between the two line ends of an event",
    "bytewise": "every byte is a segment of its own",
    "no_space": '"data:" without the space after it',
    "comments": "comment lines and empty events come in between",
    "many_lines": "the JSON of an event is in several data lines",
    "no_last_line": "the line end after [DONE] is missing",
    "usage_missing": "there is no usage",
    "choices_empty": "chunks without choices come in between",
    "content_null": "chunks with content null come in between",
    "error_data": "an error object without an event name ends the stream, at chunk `after`",
    "x_groq_error": "x_groq.error ends the stream, at chunk `after`",
    "tool_json": "the arguments of tool calls are no JSON",
    "tool_whole": "a tool call comes in one piece",
    "tool_no_id": "tool calls have no id",
    "tool_interleaved": "fragments of several tool calls alternate",
    "finish_missing": "there is no finish_reason",
    "done_only": "nothing but [DONE] comes",
}
TIMINGS = {"cache_n": 0, "prompt_n": 10, "prompt_ms": 20.5, "predicted_n": 5, "predicted_ms": 50.5}


def authorise(exchange, dialect):
    """A refusal, or None."""
    key = keys.bearer(exchange.request)
    if exchange.settings["keys"] is None and not dialect.needs_key:
        return None
    return None if keys.is_good(exchange.settings, key) else exchange.refuse(401)


def known_model(exchange, dialect, model):
    models = exchange.settings["models"]
    return models is None or dialect.any_model or model in models


async def chat(exchange):
    dialect = dialects.of(exchange)
    data = await exchange.body()
    refusal = authorise(exchange, dialect)
    if refusal is not None:
        return refusal
    try:
        body = json.loads(data)
        request.check(body, dialect.strict)
        if dialect.name == "groq":
            request.check_groq(body)
        if dialect.name == "openai":
            request.check_openai(body)
    except request.Bad as problem:
        exchange.entry.violation(str(problem))
        return exchange.refuse(400, problem.code, str(problem))
    except ValueError:
        exchange.entry.violation("the body is not JSON")
        return exchange.refuse(400, None, "could not parse the body")
    if not known_model(exchange, dialect, body["model"]):
        return exchange.refuse(404, None, f"The model `{body['model']}` does not exist or you do "
                               "not have access to it.")
    completion = Completion(exchange, dialect, body)
    if body.get("stream"):
        return await completion.stream()
    return await completion.whole()


class Completion:
    """One answer of the model and the forms it is told in."""

    def __init__(self, exchange, dialect, body):
        self.exchange, self.dialect, self.body = exchange, dialect, body
        self.settings = exchange.settings
        place = exchange.simulator.state(exchange.vendor.name + " answers", brain.Answers)
        self.answer = brain.answer(body["messages"], self.settings, place)
        stops = body.get("stop") or []
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        self.tokens, cut = brain.cut_to(brain.tokens(self.answer.say), limit,
                                        [stops] if isinstance(stops, str) else stops)
        self.finish = self.answer.finish or (
            "tool_calls" if self.answer.tools else "length" if cut else "stop")
        hides = body.get("include_reasoning") is False or body.get("reasoning_format") == "hidden"
        self.reasoning = [] if hides else brain.tokens(self.answer.reasoning)
        self.head = {"id": "chatcmpl-" + uuid.uuid4().hex, "created": int(time.time()),
                     "model": body["model"]}
        self.request_id = "req_" + uuid.uuid4().hex[:24]

    def usage(self):
        prompt = sum(len(brain.text_of(message)) // 4 + 4 for message in self.body["messages"])
        thought, said = len(self.reasoning), len(self.tokens) + 8 * len(self.answer.tools)
        counts = {"prompt_tokens": prompt, "completion_tokens": said + thought,
                  "total_tokens": prompt + said + thought}
        if self.dialect.name in ("groq", "openai"):
            counts["prompt_tokens_details"] = {"cached_tokens": 0}
            counts["completion_tokens_details"] = {"reasoning_tokens": thought}
        if self.dialect.name == "groq":
            counts.update(queue_time=0.01, prompt_time=0.002, completion_time=0.05, total_time=0.06)
        return counts

    def tool_calls(self):
        calls = []
        for tool in self.answer.tools:
            text = brain.arguments(tool)
            if self.exchange.quirk("tool_json"):
                text = text[:-1] + ', "unfinished": '
            calls.append({"id": tool.get("id") or self.dialect.tool_id(), "type": "function",
                          "function": {"name": tool["name"], "arguments": text}})
        return calls

    async def whole(self):
        await self._wait(self.settings["first_token_ms"]
                         + self.settings["token_every_ms"] * len(self.tokens))
        message = {"role": "assistant", "content": "".join(self.tokens) or None}
        if self.reasoning:
            message[self.dialect.reasoning_field] = "".join(self.reasoning)
        if self.answer.tools:
            message["tool_calls"] = self.tool_calls()
        answer = {**self.head, "object": "chat.completion", **self.dialect.chunk_extra,
                  "choices": [{"index": 0, "message": message, "logprobs": None,
                               "finish_reason": self.finish}]}
        if not self.exchange.quirk("usage_missing"):
            answer["usage"] = self.usage()
        if self.dialect.name == "groq":
            answer["x_groq"] = {"id": self.request_id}
        return self.exchange.answer(answer)

    @staticmethod
    async def _wait(ms):
        if ms:
            await asyncio.sleep(ms / 1000)

    async def stream(self):
        events = await self.exchange.events()
        _shape(self.exchange, events)
        if not self.exchange.quirk("done_only"):
            await self._chunks(events)
        if self.exchange.quirk("no_done"):
            return await events.finish()
        end = events.form("[DONE]")
        await events.text(end.rstrip("\r\n") if self.exchange.quirk("no_last_line") else end)
        return await events.finish()

    async def _chunks(self, events):
        first = {"role": "assistant", "content": self.dialect.first_content}
        more = {"x_groq": {"id": self.request_id}} if self.dialect.name == "groq" else {}
        await self._wait(self.settings["first_token_ms"])
        if not self.dialect.role_in_all:
            await self._chunk(events, first, None, **more)
        count = 0
        for delta in self._deltas():
            for fault in self.exchange.faults:
                if fault.kind in ("error_data", "x_groq_error") and fault.after == count:
                    await self._error(events, fault)
            if count:
                await self._wait(self.settings["token_every_ms"])
            await self._between(events)
            await self._chunk(events, delta)
            count += 1
        await self._close(events)

    def _deltas(self):
        role = {"role": "assistant"} if self.dialect.role_in_all else {}
        for word in self.reasoning:
            yield {**role, self.dialect.reasoning_field: word}
        for word in self.tokens:
            yield {**role, "content": word}
        yield from (({**role, **delta}) for delta in self._tool_deltas())

    def _tool_deltas(self):
        calls = self.tool_calls()
        whole = self.dialect.whole_tools or self.exchange.quirk("tool_whole")
        rows = []
        for number, call in enumerate(calls):
            text = call["function"]["arguments"]
            if self.exchange.quirk("tool_no_id"):
                del call["id"]
            pieces = [text] if whole else ["", *re.findall(r"(?s).{1,6}", text)]
            call["function"]["arguments"] = pieces[0]
            rows.append([{"index": number, **call}] + [
                {"index": number, "function": {"arguments": piece}} for piece in pieces[1:]])
        if self.exchange.quirk("tool_interleaved"):
            longest = max(map(len, rows), default=0)
            order = [row[at] for at in range(longest) for row in rows if at < len(row)]
        else:
            order = [piece for row in rows for piece in row]
        for piece in order:
            yield {"tool_calls": [piece]}

    async def _between(self, events):
        if self.exchange.quirk("comments"):
            await events.text(f": keep-alive{events.newline}{events.newline}")
        if self.exchange.quirk("choices_empty"):
            await events.event({**self.head, "object": "chat.completion.chunk", "choices": []})
        if self.exchange.quirk("content_null"):
            await self._chunk(events, {"content": None})

    async def _chunk(self, events, delta, finish=None, **more):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        if self.dialect.name == "openai" and self.settings["obfuscation"]:
            more["obfuscation"] = "x" * 7
        if self._wants_usage() and self.dialect.name == "openai":
            more["usage"] = None
        await events.event({**self.head, "object": "chat.completion.chunk",
                            **self.dialect.chunk_extra, "choices": [choice], **more})

    def _wants_usage(self):
        if self.exchange.quirk("usage_missing"):
            return False
        return self.dialect.usage == "always" or (
            self.dialect.usage == "asked"
            and (self.body.get("stream_options") or {}).get("include_usage"))

    async def _close(self, events):
        more = {}
        if self.dialect.usage == "x_groq":
            more["x_groq"] = {"id": self.request_id}
            if not self.exchange.quirk("usage_missing"):
                more["x_groq"]["usage"] = self.usage()
        finish = None if self.exchange.quirk("finish_missing") else self.finish
        await self._chunk(events, {}, finish, **more)
        if self._wants_usage():
            last = {**self.head, "object": "chat.completion.chunk", **self.dialect.chunk_extra,
                    "choices": [], "usage": self.usage()}
            if self.dialect.name.startswith("llama.cpp"):
                last["timings"] = TIMINGS
            await events.event(last)

    async def _error(self, events, fault):
        """An error that the dialect tells within its stream."""
        error = self.dialect.error(fault.get("status", 500), fault.get("code"),
                                   fault.get("message"))
        if fault.kind == "x_groq_error":
            await self._chunk(events, {}, x_groq={"id": self.request_id,
                                                  "error": error["error"]["message"]})
        elif self.dialect.in_stream == "error-field":
            await events.text(f"error: {json.dumps(error['error'])}\n\n")
        else:
            await events.text(events.form(json.dumps(error)))
        if self.dialect.in_stream == "data+done":
            await events.text(events.form("[DONE]"))
        await events.finish()
        raise wire.Over()


def _shape(exchange, events):
    """The forms of server-sent events that a test asked for."""
    if exchange.quirk("crlf"):
        events.newline = "\r\n"
    if exchange.quirk("no_space"):
        events.space = ""
    if exchange.quirk("many_lines"):
        events.lines = _in_many_lines
    cuts = {"split_utf8": _cut_in_character, "split_data": lambda data: _cut(data, b"data:", 3),
            "split_lines": lambda data: _cut(data, events.newline.encode() * 2,
                                             len(events.newline)),
            "bytewise": lambda data: [data[at:at + 1] for at in range(len(data))]}
    for name, cut in cuts.items():
        if exchange.quirk(name):
            events.cut = cut


def _in_many_lines(data):
    try:
        return json.dumps(json.loads(data), indent=0, ensure_ascii=False).split("\n")
    except ValueError:
        return [data]


def _cut(data, where, offset):
    at = data.find(where)
    return [data] if at < 0 else [data[:at + offset], data[at + offset:]]


def _cut_in_character(data):
    """After the first byte of every character that has several."""
    parts, begin = [], 0
    for at, byte in enumerate(data):
        if byte >= 0xc0:
            parts.append(data[begin:at + 1])
            begin = at + 1
    return [*parts, data[begin:]]
