# SPDX-License-Identifier: ISC
"""Twilio: its endpoints and settings."""
from .. import carrier
from ..core.exchange import Endpoint, Vendor
from . import rest

CALL_QUIRKS = {"answer_lost": "the call is made, but the answer is lost"}


def _endpoint(name, method, path, action, quirks=None):
    return Endpoint("twilio", name, method, rest.BASE + path, rest.checked(action),
                    quirks=quirks or {})


ENDPOINTS = [
    _endpoint("create-call", "POST", "/Calls.json", rest.create_call, CALL_QUIRKS),
    _endpoint("list-calls", "GET", "/Calls.json", rest.list_calls),
    _endpoint("fetch-call", "GET", "/Calls/{call:CA[^./]*}.json", rest.fetch_call),
    _endpoint("update-call", "POST", "/Calls/{call:CA[^./]*}.json", rest.update_call),
    _endpoint("record-call", "POST", "/Calls/{call:CA[^./]*}/Recordings.json", rest.record_call),
    _endpoint("call-recordings", "GET", "/Calls/{call:CA[^./]*}/Recordings.json",
              rest.list_recordings),
    _endpoint("list-recordings", "GET", "/Recordings.json", rest.list_recordings),
    _endpoint("fetch-recording", "GET", "/Recordings/{recording:RE[^/]*}", rest.fetch_recording),
    _endpoint("list-numbers", "GET", "/IncomingPhoneNumbers.json", rest.list_numbers),
    _endpoint("fetch-number", "GET", "/IncomingPhoneNumbers/{number:PN[^./]*}.json",
              rest.fetch_number),
    _endpoint("update-number", "POST", "/IncomingPhoneNumbers/{number:PN[^./]*}.json",
              rest.update_number),
    _endpoint("balance", "GET", "/Balance.json", rest.fetch_balance),
    Endpoint("twilio", "account", "GET", rest.BASE + ".json", rest.checked(rest.fetch_account)),
]
VENDOR = Vendor("twilio", carrier.SETTINGS, ENDPOINTS, rest.error, rest.headers)
