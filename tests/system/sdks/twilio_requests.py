# SPDX-License-Identifier: ISC
"""
The official twilio library (Debian's package) on questions that come as JSON: {"sign": [...]},
{"check": [...]} and {"stream": {...}}; the answers go out as JSON.
"""
import json
import sys

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Connect, VoiceResponse


def documents(wish):
    response = VoiceResponse()
    connect = Connect()
    stream = connect.stream(url=wish["url"], status_callback=wish["status_callback"],
                            status_callback_method="POST")
    for name, value in wish["parameters"].items():
        stream.parameter(name=name, value=value)
    response.append(connect)
    response.redirect(wish["redirect"], method="POST")
    ended = VoiceResponse()
    ended.hangup()
    return {"twiml": str(response), "hangup": str(ended)}


def main():
    question = json.load(sys.stdin)
    validator = RequestValidator(question["key"])
    answer = {}
    if "sign" in question:
        answer["signatures"] = [validator.compute_signature(each["url"], each["form"])
                                for each in question["sign"]]
    if "check" in question:
        answer["valid"] = [validator.validate(each["url"], each["form"], each["signature"])
                           for each in question["check"]]
    if "stream" in question:
        answer.update(documents(question["stream"]))
    json.dump(answer, sys.stdout)


main()
