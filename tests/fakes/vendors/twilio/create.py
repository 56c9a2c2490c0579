# SPDX-License-Identifier: ISC
"""
Would Twilio take this request for a call? Source: docs "Call Resource" and the vendor's OpenAPI
file; errors 212xx. Pure.
"""
import re
import urllib.parse

from . import twiml
from .errors import TEST_FROM, TEST_TO, Refusal

PARAMETERS = {
    "To", "From", "Url", "Twiml", "ApplicationSid", "Method", "FallbackUrl", "FallbackMethod",
    "StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod", "SendDigits", "Timeout",
    "TimeLimit", "Record", "RecordingChannels", "RecordingTrack", "RecordingStatusCallback",
    "RecordingStatusCallbackMethod", "RecordingStatusCallbackEvent", "Trim", "CallerId",
    "MachineDetection", "MachineDetectionTimeout", "MachineDetectionSpeechThreshold",
    "MachineDetectionSpeechEndThreshold", "MachineDetectionSilenceTimeout", "AsyncAmd",
    "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod", "SipAuthUsername", "SipAuthPassword",
    "Byoc", "CallReason", "CallToken", "ClientNotificationUrl"}
UPDATE = {"Status", "Url", "Method", "FallbackUrl", "FallbackMethod", "Twiml", "StatusCallback",
          "StatusCallbackMethod", "TimeLimit"}
E164 = re.compile(r"\+[1-9]\d{6,14}")
CHOICES = {
    "Method": ("GET", "POST"), "FallbackMethod": ("GET", "POST"),
    "StatusCallbackMethod": ("GET", "POST"), "AsyncAmdStatusCallbackMethod": ("GET", "POST"),
    "RecordingStatusCallbackMethod": ("GET", "POST"), "Record": ("true", "false"),
    "AsyncAmd": ("true", "false"), "RecordingChannels": ("mono", "dual"),
    "RecordingTrack": ("inbound", "outbound", "both"), "Trim": ("trim-silence", "do-not-trim"),
    "MachineDetection": ("Enable", "DetectMessageEnd")}
RANGES = {
    "MachineDetectionTimeout": (3, 59), "MachineDetectionSpeechThreshold": (1000, 6000),
    "MachineDetectionSpeechEndThreshold": (500, 5000), "Timeout": (1, 600),
    "MachineDetectionSilenceTimeout": (2000, 10000)}
CODE_OF = {"Method": 21209, "FallbackMethod": 21209, "StatusCallbackMethod": 21209,
           "Timeout": 21208}
EVENTS = {"initiated", "ringing", "answered", "completed"}
# The vendor's library for Python writes them with a capital.
BOOLEANS = ("Record", "AsyncAmd")
REPEATED = ("StatusCallbackEvent", "RecordingStatusCallbackEvent")


def _number(name, value, missing, wrong):
    if not value:
        raise Refusal(missing)
    if not E164.fullmatch(value) and not re.match(r"(sip|client):\S+$", value):
        raise Refusal(wrong, f"The phone number you are attempting to call, {value}, is not valid."
                      if name == "To" else None)


def check_url(name, value, code=21205):
    parts = urllib.parse.urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or "_" in parts.hostname:
        raise Refusal(code, f"{name} is not a valid URL: {value}")


def check(options, numbers):
    """
    `options` is {name: [value, ...]}, `numbers` those of the account. Raises Refusal; gives the
    warnings that Twilio would only log.
    """
    warnings = [f"the parameter {name} is not documented" for name in options
                if name not in PARAMETERS]
    warnings += [f"{name} is given {len(values)} times" for name, values in options.items()
                 if len(values) > 1 and name not in REPEATED]
    one = {name: values[-1] for name, values in options.items()}
    to, from_ = one.get("To", ""), one.get("From", "")
    _number("To", to, 21201, 21211)
    _number("From", from_, 21213, 21212)
    if from_ in TEST_FROM:
        raise Refusal(TEST_FROM[from_])
    if E164.fullmatch(to) and not E164.fullmatch(from_):
        raise Refusal(21212, "From must be a phone number when To is one")
    if E164.fullmatch(from_) and from_ not in numbers:
        raise Refusal(21210, f"The source phone number provided, {from_}, is not yet verified for "
                      "your account.")
    if to in TEST_TO:
        raise Refusal(TEST_TO[to])
    _check_document(one, warnings)
    _check_values(one, options)
    if one.get("MachineDetection") and one.get("SendDigits"):
        warnings.append("SendDigits disables MachineDetection")
    return warnings


def _check_document(one, warnings):
    if not any(one.get(name) for name in ("Url", "Twiml", "ApplicationSid")):
        raise Refusal(21205, "Url parameter is required.")
    if one.get("Url"):
        check_url("Url", one["Url"])
        if one.get("Twiml"):
            warnings.append("Twiml is ignored beside Url")
    elif one.get("Twiml"):
        check_twiml(one["Twiml"])


def check_twiml(text):
    if len(text) > twiml.INLINE_CHARS:
        raise Refusal(21200, f"Twiml must be no longer than {twiml.INLINE_CHARS} characters")


def _check_values(one, options):
    for name in ("StatusCallback", "FallbackUrl", "AsyncAmdStatusCallback",
                 "RecordingStatusCallback"):
        if one.get(name):
            check_url(name, one[name])
    for name, allowed in CHOICES.items():
        value = one.get(name)
        if name in BOOLEANS and value:
            value = value.lower()
        if value is not None and value not in allowed:
            raise Refusal(CODE_OF.get(name, 21200), f"{name} must be one of {', '.join(allowed)}")
    for name, (least, most) in RANGES.items():
        if name in one and not (one[name].isdigit() and least <= int(one[name]) <= most):
            raise Refusal(CODE_OF.get(name, 21200), f"{name} must be between {least} and {most}")
    if one.get("SendDigits") and not re.fullmatch(r"[0-9A-D#*wW]{1,32}", one["SendDigits"]):
        raise Refusal(21206)
    for event in options.get("StatusCallbackEvent", ()):
        if event not in EVENTS:
            raise Refusal(21200, f"StatusCallbackEvent has no {event!r}; repeat the parameter for "
                          "each event")


def check_update(options, call):
    """Raises Refusal if a call cannot be changed like this."""
    one = {name: values[-1] for name, values in options.items()}
    ways = [name for name in ("Status", "Url", "Twiml") if one.get(name)]
    if len(ways) > 1:
        raise Refusal(20001, f"{' and '.join(ways)} exclude each other")
    status = one.get("Status")
    if status not in (None, "completed", "canceled"):
        raise Refusal(20001, f"Status cannot be {status}")
    waiting = call.status in ("queued", "ringing")
    if status == "canceled" and not waiting or status == "completed" and call.is_over:
        raise Refusal(21220, "Call is not in-progress. Cannot redirect.")
    if (one.get("Url") or one.get("Twiml")) and call.status != "in-progress":
        raise Refusal(21220)
    if one.get("Url"):
        check_url("Url", one["Url"])
    if one.get("Twiml"):
        check_twiml(one["Twiml"])
    return [f"the parameter {name} is not documented" for name in options if name not in UPDATE]
