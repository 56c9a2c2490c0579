# SPDX-License-Identifier: ISC
"""A server that may dial, over a simulated carrier."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fakes"))

from vendors.client import Simulators  # noqa: E402,F401

PUBLIC = "https://voice.example.com"
ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "aicaller_test_token_0123456789ab"
OURS, THEIRS = "+15005550006", "+12015550123"
MAKE_CALL = "/calls/make-call/"


def changes(vendors, **more):
    """Changes to the embedded default, for `serve` and `make_conf`."""
    return {
        "server": {"public_url": PUBLIC, **more.pop("server", {})},
        "providers": {"twilio": {"plugin": "twilio.so", "account_sid": ACCOUNT, "auth_token": TOKEN,
                                 "from": OURS, "calls_per_second": 50.0,
                                 "url": vendors.url("twilio"), **more.pop("twilio", {})},
                      **more.pop("providers", {})},
        "agents": {"default": {"telephony": ["twilio", "browser"], "prompt": "You book tables.",
                               "greeting": "Hello, this is an automated assistant."}},
        "outbound": {"allow": ["US"], "hours": "00:00-24:00", "calls_per_second": 50.0},
        **more,
    }


def reach(server, vendors, plan=None):
    """Lets the carrier find the server."""
    vendors.set("twilio", gateways={"voice.example.com": server.url}, plan=plan or {})
