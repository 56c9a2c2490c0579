# SPDX-License-Identifier: ISC
"""A call as a trace: its spans reach a collector, and other systems are told where they belong."""
import signal

import pytest

import dialling
import program
from receivers import ALLOW, SECRET, Receiver

GROQ_KEY = "gsk_secret0123456789"
GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = GIVEN[:-1] + "0"


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def traced(receiver, **more):
    return {**ALLOW, "traces": {"url": receiver.url, "service": "telephone",
                                "headers": {"X-Scope": "team 7"}, **more}}


def value(attribute):
    (kind, found), = attribute["value"].items()
    return int(found) if kind == "intValue" else found


class Span:
    def __init__(self, span, resource):
        self.name, self.kind = span["name"], span["kind"]
        self.trace, self.id, self.parent = (span["traceId"], span["spanId"],
                                            span.get("parentSpanId"))
        self.start, self.end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        self.of = {each["key"]: value(each) for each in span["attributes"]}
        self.status, self.resource = span.get("status", {}), resource
        assert len(self.trace) == 32 and len(self.id) == 16 and self.start <= self.end


def spans(receiver):
    """All that the collector was sent, in order of their beginning."""
    found = []
    for one in receiver.of("v1"):
        assert one.path == "/v1/traces" and one.headers["content-type"] == "application/json"
        for each in one.json["resourceSpans"]:
            resource = {entry["key"]: value(entry) for entry in each["resource"]["attributes"]}
            found += [Span(span, resource) for scope in each["scopeSpans"]
                      for span in scope["spans"]]
    return sorted(found, key=lambda span: span.start)


def wait_for(receiver, name, count=1):
    def look():
        found = [span for span in spans(receiver) if span.name.startswith(name)]
        return found if len(found) >= count else None
    return program.eventually(look, f"{count} spans {name}")


def test_a_conversation_with_a_tool_is_one_trace(serve, receiver, vendors):
    vendors.set("groq", keys=[GROQ_KEY], answers=[
        {"tools": [{"name": "balance", "arguments": {"account": "12"}}]}, "It is marzipan."])
    tool = {"name": "balance", "description": "Looks it up.", "method": "POST",
            "url": f"{receiver.url}/tool", "parameters": '{"type":"object"}'}
    server = serve({
        **traced(receiver),
        "providers": {"groq": {"plugin": "groq.so", "api_key": GROQ_KEY,
                               "url": vendors.url("groq")}},
        "agents": {"default": {"llm": ["groq"], "tools": [tool]}},
        "webhooks": {"crm": {"url": f"{receiver.url}/crm", "secret": SECRET,
                             "events": ["call.ended"]}}})
    answer = server.post("/calls/test-chat/", {"message": "What of account 4155550123?"}).json
    assert answer["reply"] == "It is marzipan."
    server.post(f"/calls/{answer['session']}/hangup/")
    root, = wait_for(receiver, "call inbound")
    turn, = wait_for(receiver, "turn")
    model, = wait_for(receiver, "chat openai/gpt-oss-20b")
    asked, = wait_for(receiver, "execute_tool balance")
    hook = program.eventually(lambda: receiver.of("crm"), "the webhook came")[0]
    # The ids follow from the call's.
    trace = answer["session"].replace("-", "")
    assert {span.trace for span in (root, turn, model, asked)} == {trace}
    assert root.parent is None and root.id == trace[16:]
    assert turn.parent == root.id and model.parent == asked.parent == turn.id
    assert len({span.id for span in spans(receiver)}) == len(spans(receiver))
    assert root.start <= turn.start <= asked.start and asked.end <= turn.end <= root.end
    assert (root.kind, turn.kind, model.kind, asked.kind) == (2, 1, 3, 3)
    assert root.resource["service.name"] == "telephone" and root.resource["host.name"]
    assert root.of["aicaller.call.status"] == "completed" and root.of["aicaller.call.turns"] == 1
    assert root.of["gen_ai.agent.name"] == "default"
    assert model.of["gen_ai.provider.name"] == "groq"
    assert model.of["gen_ai.request.model"] == "openai/gpt-oss-20b"
    assert model.of["gen_ai.operation.name"] == "chat"
    assert model.of["gen_ai.usage.input_tokens"] > 0 < model.of["gen_ai.usage.output_tokens"]
    assert asked.of["gen_ai.tool.name"] == "balance"
    assert asked.of["http.response.status_code"] == 200 and not asked.status
    # What others get leads to the span that asked them.
    request, = receiver.of("tool")
    assert request.headers["traceparent"] == f"00-{trace}-{asked.id}-01"
    assert hook.headers["traceparent"] == f"00-{trace}-{root.id}-01"
    # Nobody's words or numbers.
    for one in receiver.of("v1"):
        assert b"marzipan" not in one.body and b"4155550123" not in one.body
        assert one.headers["x-scope"] == "team 7"
    program.eventually(lambda: f'outcome="sent"}} {len(spans(receiver))}'
                       in server.get("/metrics").text, "they are counted")


def place(server, receiver, given=None, **more):
    return server.request("POST", dialling.MAKE_CALL,
                          {"to": dialling.THEIRS, "context_url": f"{receiver.url}/crm", **more},
                          {"traceparent": given} if given else {})


def test_a_placed_call_continues_the_trace_of_its_client(serve, receiver, vendors):
    server = serve(dialling.changes(vendors, **traced(receiver, sample=0.0)))
    dialling.reach(server, vendors, plan={"answer": "busy"})
    assert place(server, receiver, NOT_SAMPLED).status == 201
    call_id = place(server, receiver, GIVEN).json["call_id"]
    request, = wait_for(receiver, "POST /calls/make-call/")
    fetched, = wait_for(receiver, "context fetch")
    root, = wait_for(receiver, "call outbound")
    assert {span.trace for span in (request, fetched, root)} == {GIVEN[3:35]}
    assert request.parent == GIVEN[36:52]
    assert fetched.parent == root.parent == request.id
    assert (request.kind, fetched.kind, root.kind) == (2, 3, 3)
    assert root.of["aicaller.call.status"] == "busy"
    assert root.of["gen_ai.conversation.id"] == request.of["gen_ai.conversation.id"] == call_id
    # The one that is not to be recorded is passed on all the same.
    parents = [one.headers["traceparent"] for one in receiver.of("GET crm")]
    assert parents[0].startswith(GIVEN[:36]) and parents[0].endswith("-00")
    assert parents[1] == f"00-{GIVEN[3:35]}-{fetched.id}-01"
    assert {span.trace for span in spans(receiver)} == {GIVEN[3:35]}
    assert len(spans(receiver)) == 3
    shown = program.eventually(
        lambda: [event["detail"] for event in
                 server.get(f"/calls/call-detail/{call_id}/").json["events"]
                 if event["type"] == "trace"], "the record knows its trace")
    assert shown == [{"trace_id": GIVEN[3:35]}]


@pytest.mark.parametrize("given", ["nonsense", GIVEN.upper(), "00-" + "0" * 32 + GIVEN[35:],
                                   GIVEN + "-more", "x" * 5000],
                         ids=["word", "capitals", "zeroes", "more", "long"])
def test_a_traceparent_that_is_none_is_ignored(serve, receiver, vendors, given):
    server = serve(dialling.changes(vendors, **ALLOW))
    dialling.reach(server, vendors, plan={"answer": "busy"})
    assert place(server, receiver, given).status == 201
    request, = receiver.of("GET crm")
    assert "traceparent" not in request.headers


def test_without_a_collector_a_trace_is_passed_on(serve, receiver, vendors):
    server = serve(dialling.changes(vendors, **ALLOW))
    dialling.reach(server, vendors, plan={"answer": "busy"})
    assert place(server, receiver, GIVEN).status == 201
    assert place(server, receiver, GIVEN,
                 context_headers={"Traceparent": NOT_SAMPLED}).status == 201
    parents = [one.headers["traceparent"] for one in receiver.of("GET crm")]
    assert parents == [GIVEN, NOT_SAMPLED], "a client's own is not doubled"


def test_a_collector_that_is_away_or_refuses_disturbs_no_call(serve, receiver):
    receiver.plans["v1"] = [503, 400]
    server = serve(traced(receiver))
    say = {"message": "I need an appointment"}
    first = server.post("/calls/test-chat/", say).json
    # 503 is asked again, and says 400 then, which is final.
    program.eventually(lambda: 'outcome="not_taken"} 2' in server.get("/metrics").text, "dropped")
    assert len(receiver.of("v1")) == 2 and receiver.of("v1")[0].body == receiver.of("v1")[1].body
    receiver.plans["v1"] = ["hang"]
    for _ in range(10):
        assert server.post("/calls/test-chat/", say).status == 200
    server.post(f"/calls/{first['session']}/hangup/")
    assert "the collector does not take spans" in server.log
    assert server.stop(signal.SIGINT) == 0


def test_the_last_spans_leave_with_the_server(serve, receiver):
    server = serve(traced(receiver))
    server.post("/calls/test-chat/", {"message": "I need an appointment"})
    assert server.stop(signal.SIGINT) == 0
    assert [span.name for span in spans(receiver)][0] == "call inbound"


@pytest.mark.parametrize(("change", "reason"), [
    ({"url": "127.0.0.1:4318"}, "http or https"),
    ({"sample": 2.0}, "sample"),
    ({"headers": {"Host": "x"}}, "Host"),
    ({"endpoint": "x"}, "endpoint"),
])
def test_a_mistake_is_told_with_its_place(aicaller, make_conf, change, reason):
    conf, _ = make_conf({"traces": {"url": "http://127.0.0.1:4318", **change}})
    result = aicaller("check", "-c", conf)
    assert result.returncode == 78
    assert reason in result.stderr and f"{conf}:" in result.stderr
