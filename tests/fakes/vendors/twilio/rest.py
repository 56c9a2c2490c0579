# SPDX-License-Identifier: ISC
"""
The REST API, version 2010-04-01. Sources: docs "Call Resource", "Recordings Resource",
"IncomingPhoneNumber Resource", "Account Resource", and the vendor's OpenAPI file.
"""
import base64
import hmac
import urllib.parse

from .. import carrier as carriers
from . import create, errors
from .call import API_VERSION, rfc2822

BASE = f"/{API_VERSION}/Accounts/{{account}}"
NUMBER_FIELDS = {
    "VoiceUrl": "voice_url", "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url", "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallback": "status_callback", "StatusCallbackMethod": "status_callback_method",
    "VoiceCallerIdLookup": "voice_caller_id_lookup", "FriendlyName": "friendly_name",
    "VoiceApplicationSid": "voice_application_sid", "TrunkSid": "trunk_sid"}


def of(exchange):
    """The carrier of this simulator."""
    return exchange.simulator.state("twilio carrier", lambda: carriers.Carrier(exchange.settings))


def error(exchange, status, code, message):
    del exchange
    return {}, errors.body(status, code, message)


def headers(_):
    return {"twilio-concurrent-requests": "1", "twilio-request-id": carriers.make_sid("RQ")}


def checked(action):
    """A handler: credentials, the form, and refusals as Twilio words them."""
    async def handle(exchange):
        data = await exchange.body()
        try:
            _authorise(exchange)
            options = urllib.parse.parse_qs(data.decode(), keep_blank_values=True)
            if options:
                exchange.entry.data["body"] = options
            return await action(exchange, options)
        except errors.Refusal as refusal:
            return exchange.refuse(refusal.status, refusal.code, str(refusal))
    return handle


def _authorise(exchange):
    settings = exchange.settings
    scheme, _, secret = exchange.request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(secret).decode().partition(":")
    except ValueError:
        user = password = ""
    known = {settings["account_sid"]: settings["auth_token"], **settings["api_keys"]}
    if scheme.lower() != "basic" or not hmac.compare_digest(
            known.get(user, "").encode(), password.encode()) or not password:
        raise errors.Refusal(20003)
    if exchange.request.match_info["account"] != settings["account_sid"]:
        raise errors.Refusal(20404)


def _find_call(exchange):
    call = of(exchange).calls.get(exchange.request.match_info["call"])
    if call is None:
        path = exchange.request.path
        raise errors.Refusal(20404, f"The requested resource {path} was not found")
    return call


async def create_call(exchange, options):
    carrier = of(exchange)
    for warning in create.check(options, exchange.settings["numbers"]):
        exchange.entry.violation(warning)
    call = carrier.create(options)
    exchange.entry.note(f"made call {call.sid}")
    if exchange.quirk("answer_lost"):
        exchange.transport.close()
        raise ConnectionResetError()
    return exchange.answer(call.resource(), 201)


async def fetch_call(exchange, _):
    return exchange.answer(_find_call(exchange).resource())


async def update_call(exchange, options):
    call = _find_call(exchange)
    for warning in create.check_update(options, call):
        exchange.entry.violation(warning)
    of(exchange).update(call, options)
    return exchange.answer(call.resource())


def _page(exchange, name, items):
    """The envelope of lists."""
    query = exchange.query
    size = min(max(int(query.get("PageSize", 50)), 1), 1000)
    page = int(query.get("Page", 0))
    kept = [(key, value) for key, value in query.items()
            if key not in ("Page", "PageSize", "PageToken")]

    def uri(number):
        pairs = [*kept, ("PageSize", size), ("Page", number)]
        return f"{exchange.request.path}?{urllib.parse.urlencode(pairs)}"
    begin = page * size
    more = begin + size < len(items)
    return exchange.answer({
        name: items[begin:begin + size], "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1) + f"&PageToken=PA{page + 1}" if more else None,
        "previous_page_uri": uri(page - 1) if page else None, "page": page, "page_size": size,
        "start": begin, "end": min(begin + size, len(items)) - 1, "uri": uri(page)})


async def list_calls(exchange, _):
    query = exchange.query
    found = [call.resource() for call in reversed(of(exchange).calls.values())]
    for name, field in (("To", "to"), ("From", "from"), ("Status", "status"),
                        ("ParentCallSid", "parent_call_sid")):
        if name in query:
            found = [call for call in found if call[field] == query[name]]
    return _page(exchange, "calls", found)


async def record_call(exchange, options):
    call = _find_call(exchange)
    if call.status != "in-progress":
        raise errors.Refusal(21220, "Requested resource is not eligible for recording")
    recording = call.runner.record(options.get("RecordingChannels", ["mono"])[-1],
                                   "StartCallRecordingAPI",
                                   options.get("RecordingStatusCallback", [None])[-1])
    return exchange.answer(recording.resource(), 201)


async def list_recordings(exchange, _):
    found = list(of(exchange).recordings.values())
    wanted = exchange.request.match_info.get("call") or exchange.query.get("CallSid")
    return _page(exchange, "recordings", [each.resource() for each in found
                                          if wanted in (None, each.call.sid)])


async def fetch_recording(exchange, _):
    name, _, kind = exchange.request.match_info["recording"].partition(".")
    recording = of(exchange).recordings.get(name)
    if recording is None:
        raise errors.Refusal(20404)
    if kind == "json":
        return exchange.answer(recording.resource())
    if kind not in ("wav", "") or recording.status != "completed":
        raise errors.Refusal(20404)
    if exchange.query.get("RequestedChannels") == "2" and recording.channels != 2:
        raise errors.Refusal(20001, "The recording has one channel")
    return exchange.answer(recording.wav, content_type="audio/x-wav")


def _number_resource(exchange, number):
    resource = of(exchange).number(number)
    account = exchange.settings["account_sid"]
    return {**resource, "account_sid": account, "api_version": API_VERSION, "origin": "twilio",
            "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
            "status": "in-use", "date_created": rfc2822(0), "date_updated": rfc2822(0),
            "uri": f"/{API_VERSION}/Accounts/{account}/IncomingPhoneNumbers/"
                   f"{resource['sid']}.json"}


async def list_numbers(exchange, _):
    wanted = exchange.query.get("PhoneNumber")
    return _page(exchange, "incoming_phone_numbers", [
        _number_resource(exchange, number) for number in exchange.settings["numbers"]
        if wanted in (None, number)])


def _find_number(exchange):
    sid = exchange.request.match_info["number"]
    for number in exchange.settings["numbers"]:
        if of(exchange).number(number)["sid"] == sid:
            return number
    raise errors.Refusal(20404)


async def fetch_number(exchange, _):
    return exchange.answer(_number_resource(exchange, _find_number(exchange)))


async def update_number(exchange, options):
    number = _find_number(exchange)
    resource = of(exchange).number(number)
    changes = {}
    for name, values in options.items():
        if name not in NUMBER_FIELDS:
            exchange.entry.violation(f"the parameter {name} is not known here")
            continue
        if name.endswith(("Url", "Callback")) and values[-1]:
            create.check_url(name, values[-1], 22105)
        changes[NUMBER_FIELDS[name]] = values[-1]
    if len(changes.get("friendly_name", "")) > 64:
        raise errors.Refusal(20001, "FriendlyName has more than 64 characters")
    resource.update(changes)
    return exchange.answer(_number_resource(exchange, number))


async def fetch_account(exchange, _):
    account = exchange.settings["account_sid"]
    return exchange.answer({
        "sid": account, "owner_account_sid": account, "friendly_name": "simulated account",
        "status": "active", "type": "Full", "auth_token": "", "date_created": rfc2822(0),
        "date_updated": rfc2822(0), "subresource_uris": {},
        "uri": f"/{API_VERSION}/Accounts/{account}.json"})


async def fetch_balance(exchange, _):
    return exchange.answer({"account_sid": exchange.settings["account_sid"], "balance": "12.34",
                            "currency": "USD"})
