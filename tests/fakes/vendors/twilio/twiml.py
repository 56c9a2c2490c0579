# SPDX-License-Identifier: ISC
"""
A strict reader of TwiML. Where Twilio would warn, guess or ignore, this refuses, so that a test
fails. Source: docs "TwiML for Programmable Voice", one page for each verb. Pure.
"""
import dataclasses
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

INLINE_CHARS = 4000
SAY_CHARS = 4096
PARAMETER_CHARS = 500


class Problem(Exception):
    """What is wrong with a document."""


@dataclasses.dataclass
class Verb:
    name: str
    attributes: dict
    text: str
    children: list

    def get(self, name, default=None):
        return self.attributes.get(name, default)


def _one_of(*values):
    def check(value):
        if value not in values:
            raise Problem(f"{value!r} is not one of {', '.join(values)}")
    return check


def _number(value):
    if not re.fullmatch(r"\d+", value):
        raise Problem(f"{value!r} is no number")


def _any(_):
    pass


def _url(value):
    if not value.strip() or re.search(r"[\s<>\"]", value):
        raise Problem(f"{value!r} is no URL")


def _absolute_url(value):
    _url(value)
    if not re.match(r"https?://[^/]", value):
        raise Problem(f"{value!r} must be an absolute URL")


def _stream_url(value):
    _url(value)
    parts = urllib.parse.urlsplit(value)
    if parts.scheme != "wss":
        raise Problem(f"31922: the scheme of {value!r} is not wss")
    if parts.query or parts.fragment:
        raise Problem(f"31920: {value!r} has a query; data goes into <Parameter>")


def _digits(value):
    if not re.fullmatch(r"[0-9A-D#*wW]+", value):
        raise Problem(f"{value!r} are no digits")


METHOD, BOOLEAN = _one_of("GET", "POST"), _one_of("true", "false")
EVENTS = {"initiated", "ringing", "answered", "completed"}
SSML = {"break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w",
        "amazon:effect", "amazon:domain"}


def _events(value):
    if not set(value.split()) <= EVENTS:
        raise Problem(f"{value!r} are not call progress events")


CALLBACK = {"statusCallback": _absolute_url, "statusCallbackMethod": METHOD,
            "statusCallbackEvent": _events}
LEG = {**CALLBACK, "url": _url, "method": METHOD, "machineDetection": _any,
       "machineDetectionTimeout": _number, "machineDetectionSpeechThreshold": _number,
       "machineDetectionSpeechEndThreshold": _number, "machineDetectionSilenceTimeout": _number,
       "amdStatusCallback": _absolute_url, "amdStatusCallbackMethod": METHOD}


@dataclasses.dataclass(frozen=True)
class Rule:
    """`text`: "none", "optional", "required" or "or children"."""

    attributes: dict = dataclasses.field(default_factory=dict)
    required: tuple = ()
    children: tuple = ()
    text: str = "none"


RULES = {
    "Response": Rule(children=("Connect", "Say", "Pause", "Play", "Dial", "Hangup", "Redirect",
                               "Reject", "Gather")),
    "Connect": Rule({"action": _url, "method": METHOD}, children=("Stream",)),
    "Stream": Rule({"url": _stream_url, "name": _any, "track": _one_of("inbound_track"),
                    "statusCallback": _absolute_url, "statusCallbackMethod": METHOD},
                   ("url",), ("Parameter",)),
    "Parameter": Rule({"name": _any, "value": _any}, ("name", "value")),
    "Say": Rule({"voice": _any, "language": _any, "loop": _number}, text="required"),
    "Pause": Rule({"length": _number}),
    "Play": Rule({"loop": _number, "digits": _digits}, text="optional"),
    "Dial": Rule({
        "action": _url, "method": METHOD, "timeout": _number, "callerId": _any,
        "answerOnBridge": BOOLEAN, "hangupOnStar": BOOLEAN, "timeLimit": _number,
        "record": _one_of("do-not-record", "record-from-answer", "record-from-ringing",
                          "record-from-answer-dual", "record-from-ringing-dual"),
        "recordingStatusCallback": _absolute_url, "recordingStatusCallbackMethod": METHOD,
        "recordingStatusCallbackEvent": _any, "recordingTrack": _one_of("inbound", "outbound",
                                                                        "both"),
        "trim": _one_of("trim-silence", "do-not-trim"), "ringTone": _any, "referUrl": _absolute_url,
        "referMethod": METHOD, "sequential": BOOLEAN},
        children=("Number", "Sip", "Client", "Conference", "Queue"), text="or children"),
    "Number": Rule({**LEG, "sendDigits": _digits, "byoc": _any}, text="required"),
    "Sip": Rule({**LEG, "username": _any, "password": _any}, text="required"),
    "Client": Rule(LEG, text="required"),
    "Conference": Rule({"beep": _any, "startConferenceOnEnter": BOOLEAN,
                        "endConferenceOnExit": BOOLEAN, "waitUrl": _any}, text="required"),
    "Queue": Rule({"url": _url, "method": METHOD}, text="required"),
    "Hangup": Rule(),
    "Redirect": Rule({"method": METHOD}, text="required"),
    "Reject": Rule({"reason": _one_of("rejected", "busy")}),
    "Gather": Rule({
        "input": _one_of("dtmf", "speech", "dtmf speech"), "action": _url, "method": METHOD,
        "timeout": _number, "speechTimeout": _any, "finishOnKey": _any, "numDigits": _number,
        "actionOnEmptyResult": BOOLEAN, "language": _any, "hints": _any, "speechModel": _any,
        "profanityFilter": BOOLEAN, "bargeIn": BOOLEAN, "partialResultCallback": _url,
        "maxSpeechTime": _number}, children=("Say", "Play", "Pause")),
}
LAST = ("Hangup", "Redirect", "Reject")


def parse(data, inline=False):
    """The verbs of a document. `inline` ones come by REST: bounded, and without a base URL."""
    if not data.startswith(b"<?xml"):
        raise Problem("12100: the XML declaration is not the first thing in the document")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Problem("12100: a document type has no place in TwiML")
    if inline and len(data.decode(errors="replace")) > INLINE_CHARS:
        raise Problem(f"inline TwiML has more than {INLINE_CHARS} characters")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError) as problem:
        raise Problem(f"12100: this is no XML: {problem}") from None
    if root.tag != "Response":
        raise Problem(f"12100: the root is <{root.tag}>, not <Response>")
    verbs = _read(root, inline).children
    _check_order(verbs)
    return verbs


def _read(element, inline):
    rule = RULES[element.tag]
    for name, value in element.attrib.items():
        if name not in rule.attributes:
            raise Problem(f"12200: <{element.tag}> has no attribute {name}")
        try:
            rule.attributes[name](value)
        except Problem as problem:
            raise Problem(f"<{element.tag} {name}>: {problem}") from None
    for name in rule.required:
        if name not in element.attrib:
            raise Problem(f"12200: <{element.tag}> needs the attribute {name}")
    if inline and "action" in element.attrib:
        _absolute_url(element.attrib["action"])
    children = []
    for child in element:
        if element.tag == "Say" and child.tag in SSML:
            continue
        if child.tag not in rule.children:
            raise Problem(f"12200: <{child.tag}> has no place in <{element.tag}>")
        children.append(_read(child, inline))
    verb = Verb(element.tag, dict(element.attrib), _text(element, rule, children), children)
    _check_meaning(verb, inline)
    return verb


def _text(element, rule, children):
    if rule.text == "none" or children:
        stray = [element.text, *(child.tail for child in element)]
        if any(piece and piece.strip() for piece in stray):
            raise Problem(f"12200: text has no place in <{element.tag}>")
        if rule.text == "or children" and not children:
            raise Problem(f"<{element.tag}> dials nobody")
        return ""
    text = "".join(element.itertext()).strip()
    if not text and rule.text != "optional":
        raise Problem(f"<{element.tag}> is empty")
    return text


def _check_meaning(verb, inline):
    if verb.name == "Connect" and len(verb.children) != 1:
        raise Problem("<Connect> holds one <Stream>")
    if verb.name == "Parameter":
        length = len(verb.get("name")) + len(verb.get("value"))
        if not verb.get("name") or length >= PARAMETER_CHARS:
            raise Problem(f"<Parameter>: name and value have {length} characters of "
                          f"{PARAMETER_CHARS - 1}")
    if verb.name == "Say" and len(verb.text) > SAY_CHARS:
        raise Problem(f"<Say> has more than {SAY_CHARS} characters")
    if verb.name == "Play" and bool(verb.get("digits")) == bool(verb.text):
        raise Problem("<Play> has either digits or a URL")
    if verb.name == "Redirect":
        _absolute_url(verb.text) if inline else _url(verb.text)
    names = [child.get("name") for child in verb.children if child.name == "Parameter"]
    if len(set(names)) != len(names):
        raise Problem("a <Parameter> is there twice")


def _check_order(verbs):
    for number, verb in enumerate(verbs):
        if verb.name == "Reject" and number > 0:
            raise Problem("<Reject> is not the first verb")
        if number + 1 < len(verbs) and (
                verb.name in LAST or verb.name == "Dial" and "action" in verb.attributes):
            raise Problem(f"<{verbs[number + 1].name}> after <{verb.name}> is never reached")
        if verb.name == "Dial" and verb.get("answerOnBridge") == "true" and number > 0:
            raise Problem("answerOnBridge works only where <Dial> is the first verb")
