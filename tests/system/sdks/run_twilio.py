# SPDX-License-Identifier: ISC
"""
The official twilio library (Debian's package) against the simulator: its client for the REST API,
its validator for what the fake carrier signs, its TwiML for what the carrier reads.
"""
import datetime
import http.server
import os
import threading
import time
import urllib.parse

import twilio
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import Connect, Dial, Gather, VoiceResponse

from common import main, raises

ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "aicaller_test_token_0123456789ab"
OURS, THEIRS = "+15005550006", "+15551230001"
PUBLIC = "https://voice.example.com"


class Redirected(TwilioHttpClient):
    """The library has no setting for the address; a client of one's own is its documented way."""

    def __init__(self, base):
        super().__init__(timeout=20)
        self.session.verify = os.environ["REQUESTS_CA_BUNDLE"]
        self.base = base

    def request(self, method, url, *arguments, **named):
        assert url.startswith("https://api.twilio.com/"), url
        return super().request(method, url.replace("https://api.twilio.com", self.base),
                               *arguments, **named)


def client(context, token=TOKEN, user=ACCOUNT):
    return Client(user, token, ACCOUNT, http_client=Redirected(context.base))


class Application(http.server.ThreadingHTTPServer):
    """Answers webhooks; every request has to be signed."""

    def __init__(self, answers):
        self.answers, self.requests, self.bad = answers, [], []
        super().__init__(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def gateway(self):
        return {"voice.example.com": f"http://127.0.0.1:{self.server_port}"}

    def seen(self, path):
        return [parameters for found, parameters in self.requests if found == path]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        self._answer(form)

    def do_GET(self):
        self._answer({})

    def _answer(self, form):
        application = self.server
        url, path = PUBLIC + self.path, self.path.partition("?")[0]
        if self.headers["Upgrade"]:
            url = url.replace("https", "wss", 1)
        good = RequestValidator(TOKEN).validate(url, form, self.headers["X-Twilio-Signature"])
        (application.requests if good else application.bad).append((path, form))
        answer = application.answers.get(path, "")
        self.send_response(200 if answer else 204)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(answer.encode())))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_):
        pass


def wait_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def create_and_follow(context):
    said = VoiceResponse()
    said.say("Hello <there> & welcome", voice="Polly.Joanna")
    said.pause(length=1)
    events = ["initiated", "ringing", "answered", "completed"]
    with Application({"/twiml": str(said)}) as application:
        context.control.set("twilio", gateways=application.gateway())
        calls = client(context).calls
        call = calls.create(to=THEIRS, from_=OURS, url=PUBLIC + "/twiml", method="POST",
                            status_callback=PUBLIC + "/status", status_callback_event=events,
                            timeout=20, record=True, machine_detection="Enable", async_amd="true",
                            async_amd_status_callback=PUBLIC + "/amd")
        assert call.sid.startswith("CA") and call.status == "queued" and call.duration is None
        assert isinstance(call.date_created, datetime.datetime) and call.start_time is None
        assert call.direction == "outbound-api" and call.to == THEIRS and call.from_ == OURS
        wait_until(lambda: len(application.seen("/status")) == 4)
        assert not application.bad, "the library refuses the carrier's signatures"
        told = application.seen("/status")
    assert [each["CallStatus"] for each in told] == ["initiated", "ringing", "in-progress",
                                                     "completed"]
    assert [each["SequenceNumber"] for each in told] == ["0", "1", "2", "3"]
    assert application.seen("/amd")[0]["AnsweredBy"] == "human"
    fetched = calls(call.sid).fetch()
    assert fetched.status == "completed" and int(fetched.duration) >= 1 and fetched.end_time
    recordings = client(context).recordings.list(call_sid=call.sid)
    assert recordings[0].status == "completed" and recordings[0].channels == 1


def update_a_live_call(context):
    waits = VoiceResponse()
    waits.pause(length=30)
    with Application({"/twiml": str(waits), "/after": str(VoiceResponse())}) as application:
        context.control.set("twilio", gateways=application.gateway())
        calls = client(context).calls
        call = calls.create(to=THEIRS, from_=OURS, url=PUBLIC + "/twiml")
        wait_until(lambda: calls(call.sid).fetch().status == "in-progress")
        transfer = VoiceResponse()
        dial = Dial(caller_id=OURS, action=PUBLIC + "/after")
        dial.number("+15551230009")
        transfer.append(dial)
        assert calls(call.sid).update(twiml=str(transfer)).sid == call.sid
        wait_until(lambda: application.seen("/after"))
        after = application.seen("/after")[0]
        assert after["DialCallStatus"] == "completed" and after["DialBridged"] == "true"
        wait_until(lambda: calls(call.sid).fetch().status == "completed")
        problem = raises(TwilioRestException, lambda: calls(call.sid).update(status="completed"))
        assert (problem.status, problem.code) == (400, 21220)
        again = calls.create(to=THEIRS, from_=OURS, url=PUBLIC + "/twiml")
        wait_until(lambda: calls(again.sid).fetch().status == "in-progress")
        calls(again.sid).update(status="completed")
        wait_until(lambda: calls(again.sid).fetch().status == "completed")
        assert not application.bad
    legs = calls.list(parent_call_sid=call.sid)
    assert [leg.to for leg in legs] == ["+15551230009"]


def inbound_with_keys(context):
    menu = VoiceResponse()
    gather = Gather(num_digits=1, action="/chosen", timeout=3)
    gather.say("Press one")
    menu.append(gather)
    bye = VoiceResponse()
    bye.hangup()
    with Application({"/voice": str(menu), "/chosen": str(bye)}) as application:
        context.control.set("twilio", gateways=application.gateway())
        call = context.control.call_in(url=PUBLIC + "/voice")
        call.press("1")
        call.wait_end()
        assert application.seen("/chosen")[0]["Digits"] == "1"
        assert application.seen("/voice")[0]["Direction"] == "inbound"
        assert not application.bad


def twiml_of_the_library_is_read(context):
    connect = Connect(action=PUBLIC + "/resume")
    stream = connect.stream(url="wss://voice.example.com/media-stream/",
                            status_callback=PUBLIC + "/stream")
    stream.parameter(name="token", value='a "quoted" <value> & more')
    answer = VoiceResponse()
    answer.append(connect)
    with Application({"/voice": str(answer), "/resume": str(VoiceResponse())}) as application:
        context.control.set("twilio", gateways=application.gateway())
        call = context.control.call_in(url=PUBLIC + "/voice")
        state = call.wait_end()
        assert state["streams"][0]["parameters"] == {"token": 'a "quoted" <value> & more'}
        assert application.seen("/resume"), "the call goes on after </Connect>"
        failed = application.seen("/stream")[0]
        assert failed["StreamEvent"] == "stream-error" and "31920" in failed["StreamError"]
        assert not application.bad, application.bad
    context.control.reset()


def signatures_that_are_none(context):
    with Application({"/voice": str(VoiceResponse())}) as application:
        context.control.set("twilio", gateways=application.gateway())
        call = context.control.call_in(url=PUBLIC + "/voice?a=%20b", plan={"signature": "wrong"})
        call.wait_end()
        assert len(application.bad) == 1 and not application.requests
        call = context.control.call_in(url=PUBLIC + "/voice?a=%20b")
        call.wait_end()
        assert len(application.requests) == 1


def lists_in_pages(context):
    context.control.set("twilio", dial_created_calls=False)
    calls = client(context).calls
    made = [calls.create(to=f"+1555123{number:04}", from_=OURS, twiml="<?xml?><Response/>").sid
            for number in range(7)]
    assert [call.sid for call in calls.list(page_size=3)] == made[::-1]
    assert [call.to for call in calls.list(to="+15551230003")] == ["+15551230003"]
    assert calls.list(status="completed") == []
    calls(made[0]).update(status="canceled")
    assert calls(made[0]).fetch().status == "canceled"


def numbers_with_a_meaning(context):
    create = client(context).calls.create
    for to, from_, code in (("+15005550001", OURS, 21217), ("+15005550002", OURS, 21214),
                            ("+15005550003", OURS, 21215), ("+15005550004", OURS, 21216),
                            (THEIRS, "+15005550001", 21212), (THEIRS, THEIRS, 21210),
                            ("12", OURS, 21211)):
        problem = raises(TwilioRestException, lambda: create(to=to, from_=from_,
                                                             url=PUBLIC + "/twiml"))
        assert (problem.status, problem.code) == (400, code), (to, problem.code)
    problem = raises(TwilioRestException, lambda: create(to=THEIRS, from_=OURS, url="nonsense"))
    assert problem.code == 21205
    problem = raises(TwilioRestException, lambda: create(
        to=THEIRS, from_=OURS, url=PUBLIC, timeout=601))
    assert problem.code == 21208


def credentials_and_errors(context):
    good = client(context)
    assert good.api.v2010.accounts(ACCOUNT).fetch().status == "active"
    problem = raises(TwilioRestException, lambda: client(
        context, "wrong").calls.create(to=THEIRS, from_=OURS, url=PUBLIC))
    assert (problem.status, problem.code) == (401, 20003)
    context.control.set("twilio", api_keys={"SK1": "secret"})
    assert client(context, "secret", "SK1").calls.list() == []
    problem = raises(TwilioRestException, lambda: good.calls("CA" + "0" * 32).fetch())
    assert (problem.status, problem.code) == (404, 20404)
    for status, code in ((429, 20429), (500, 20500), (503, 20503)):
        context.control.fault("twilio", "create-call", "status", status=status)
        problem = raises(TwilioRestException, lambda: good.calls.create(
            to=THEIRS, from_=OURS, url=PUBLIC))
        assert (problem.status, problem.code) == (status, code)


def numbers(context):
    found = client(context).incoming_phone_numbers.list(phone_number=OURS)
    assert len(found) == 1 and found[0].capabilities["voice"]
    changed = found[0].update(voice_url=PUBLIC + "/voice", voice_method="POST",
                              status_callback=PUBLIC + "/status")
    assert changed.voice_url == PUBLIC + "/voice"
    again = client(context).incoming_phone_numbers(found[0].sid).fetch()
    assert again.status_callback == PUBLIC + "/status" and again.trunk_sid is None


main([create_and_follow, update_a_live_call, inbound_with_keys, twiml_of_the_library_is_read,
      signatures_that_are_none, lists_in_pages, numbers_with_a_meaning, credentials_and_errors,
      numbers], twilio)
