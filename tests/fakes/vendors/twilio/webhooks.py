# SPDX-License-Identifier: ISC
"""
Requests that the carrier makes to the application: signed, retried and given up as Twilio does.
Sources: docs "Security", "Webhooks: Connection Overrides", errors 11200 to 11237. Addresses outside
of this machine are never contacted: a test maps the public address to a local one (a gateway).
"""
import asyncio
import dataclasses
import secrets
import ssl
import urllib.parse

import aiohttp

from . import signature

TOTAL_S, CONNECT_S = 15, 5
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Unreachable(Exception):
    """There is no way to this address from a test."""


@dataclasses.dataclass
class Reply:
    status: int = 0
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    error: str = ""

    @property
    def good(self):
        return 200 <= self.status < 300


@dataclasses.dataclass(frozen=True)
class Route:
    """Where a URL leads: what to connect to, and what to say there."""

    scheme: str
    address: tuple
    host: str
    path: str
    forwarded: str | None

    @property
    def url(self):
        return f"{self.scheme}://{self.address[0]}:{self.address[1]}{self.path}"

    @property
    def headers(self):
        """Through a gateway the request looks as a TLS proxy passes it on."""
        if self.forwarded is None:
            return {}
        return {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": self.forwarded}


def find_route(url, gateways):
    """`gateways` is {"voice.example.com": "http://127.0.0.1:8000"}. Raises Unreachable."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    scheme = {"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
    path = parts.path or "/"
    path += f"?{parts.query}" if parts.query else ""
    gateway = gateways.get(host) or gateways.get(parts.hostname or "")
    if gateway:
        target = urllib.parse.urlsplit(gateway)
        return Route(target.scheme, (target.hostname, target.port), host, path, scheme)
    if parts.hostname not in LOOPBACK:
        raise Unreachable(f"11210: {host} has no gateway, and tests stay on this machine")
    port = parts.port or {"https": 443, "http": 80}[scheme]
    return Route(scheme, (parts.hostname, port), host, path, None)


class Webhooks:
    """`settings`: auth_token, gateways, ca (a file to trust, or None)."""

    def __init__(self, settings):
        self.settings = settings
        self.client = None
        self.contexts = {}

    def tls(self):
        """A context that verifies, with the test's own authority if there is one."""
        authority = self.settings["ca"] or None
        if authority not in self.contexts:
            self.contexts[authority] = ssl.create_default_context(cafile=authority)
        return self.contexts[authority]

    def sign(self, url, parameters, plan):
        """The header for a request, as a dict."""
        if plan.signature == "missing":
            return {}
        good = signature.sign(self.settings["auth_token"], url, parameters)
        bad = signature.sign("not the token", url, parameters)
        return {"X-Twilio-Signature": bad if plan.signature == "wrong" else good}

    async def send(self, call, url, parameters, method="POST", fallback=None):
        """A Reply; in it an error if neither the URL nor its fallback could be had."""
        reply = await self._attempts(call, url, parameters, method)
        if reply.good or not fallback:
            return reply
        call.log("fallback", url=fallback, why=reply.error or reply.status)
        code = reply.error.partition(":")[0] or "11200"
        return await self._attempts(call, fallback, [*parameters, ("ErrorCode", code),
                                                     ("ErrorUrl", url)], method)

    async def _attempts(self, call, url, parameters, method):
        """Once more after a connection that could not be made; an answer is never asked twice."""
        token = secrets.token_hex(16)
        for attempt in (1, 2):
            reply = await self._once(call, url, parameters, method, token)
            if not reply.error.startswith("11205: no connection"):
                break
        call.log("webhook", url=url, method=method, parameters=dict(parameters), attempts=attempt,
                 status=reply.status, error=reply.error,
                 body=reply.body[:4000].decode(errors="replace"))
        return reply

    async def _once(self, call, url, parameters, method, token):
        if method == "GET":
            mark = "&" if urllib.parse.urlsplit(url).query else "?"
            url = url.partition("#")[0] + mark + urllib.parse.urlencode(parameters)
        try:
            route = find_route(url, self.settings["gateways"])
        except Unreachable as problem:
            return Reply(error=str(problem))
        signed = parameters if method == "POST" else ()
        headers = {"Host": route.host, "User-Agent": "TwilioProxy/1.1", "Accept": "*/*",
                   "I-Twilio-Idempotency-Token": token, **route.headers,
                   **self.sign(signature.as_signed(url), signed, call.plan)}
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
            body = urllib.parse.urlencode(parameters).encode()
        if self.client is None:
            self.client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(
                total=TOTAL_S, sock_connect=CONNECT_S), auto_decompress=True)
        try:
            async with self.client.request(method, route.url, data=body, headers=headers,
                                           allow_redirects=False, ssl=self.tls()
                                           if route.scheme == "https" else None) as answer:
                return Reply(answer.status, {name.lower(): value for name, value
                                             in answer.headers.items()}, await answer.read())
        except aiohttp.ClientConnectorError as problem:
            return Reply(error=f"11205: no connection: {problem}")
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as problem:
            return Reply(error=f"11205: {problem!r}")

    async def close(self):
        if self.client:
            await self.client.close()
