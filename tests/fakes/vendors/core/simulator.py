# SPDX-License-Identifier: ISC
"""All vendors behind one router: finds who is meant, applies faults, keeps the journal."""
import asyncio
import traceback

from aiohttp import web

from . import before, control, wire
from .exchange import Endpoint, Exchange, Vendor
from .faults import Faults
from .journal import Journal
from .settings import Settings

LARGEST_BODY = 64 * 1024 * 1024
MARK = {"x-simulator": "aicaller-tests"}


def _no_such_path(exchange):
    return exchange.answer({"error": "no simulated vendor has this path"}, 404)


NOBODY = Vendor("nobody", {}, [], lambda exchange, status, code, message: ({}, {}))
NOWHERE = Endpoint("nobody", "unknown", "*", "*", _no_such_path)


class Gone(web.Response):
    """What is returned where no answer is left to be sent."""

    async def prepare(self, request):
        self.force_close()

    async def write_eof(self, data=b""):
        pass


class Simulator:
    """`claims(vendor, request)` says for paths that vendors share whether the request is its."""

    def __init__(self, vendors, claims, controls=()):
        self.vendors = {vendor.name: vendor for vendor in [*vendors, NOBODY]}
        self.claims, self.controls = claims, controls
        self.settings = Settings()
        for vendor in self.vendors.values():
            self.settings.declare(vendor.name, vendor.settings, vendor.choices)
        self.endpoints = {(endpoint.vendor, endpoint.name): endpoint
                          for vendor in vendors for endpoint in vendor.endpoints}
        self.faults = Faults(self.endpoints)
        self.journal = Journal()
        self.ports = None
        self.states = {}

    def state(self, vendor, make):
        """What a vendor remembers between requests; made when first asked for, gone on reset."""
        if vendor not in self.states:
            self.states[vendor] = make()
        return self.states[vendor]

    async def reset(self):
        """Everything as at the start."""
        for state in self.states.values():
            if hasattr(state, "close"):
                await state.close()
        self.settings.reset()
        self.faults.remove()
        self.journal.clear()
        self.states.clear()
        self.ports.close_extra()

    def application(self):
        app = web.Application(client_max_size=LARGEST_BODY)
        app.on_response_prepare.append(_mark)
        control.install(app, self, self.controls)
        places = {}
        for endpoint in self.endpoints.values():
            places.setdefault((endpoint.method, endpoint.path), []).append(endpoint)
        for (method, path), endpoints in places.items():
            app.router.add_route(method, path, self._handler(endpoints))
        app.router.add_route("*", "/{anything:.*}", self._handler([]))
        return app

    def _handler(self, endpoints):
        async def handle(request):
            return await self._serve(self._choose(endpoints, request), request)
        return handle

    def _choose(self, endpoints, request):
        bound = self.ports.vendor_of(request.transport.get_extra_info("sockname")[1])
        if bound:
            endpoints = [endpoint for endpoint in endpoints if endpoint.vendor == bound]
        for endpoint in endpoints:
            if len(endpoints) == 1 or self.claims(endpoint.vendor, request):
                return endpoint
        return NOWHERE

    async def _serve(self, endpoint, request):
        exchange = Exchange(self, self.vendors[endpoint.vendor], endpoint, request)
        try:
            answer = await before.apply(exchange)
            if answer is None:
                answer = endpoint.handler(exchange)
                answer = await answer if asyncio.iscoroutine(answer) else answer
            return answer
        except (wire.Over, ConnectionError):
            exchange.entry.note("the connection ended in the middle")
            exchange.transport.close()
            return Gone()
        except web.HTTPException:
            raise
        except Exception:
            exchange.entry.note("bug in the simulator: " + traceback.format_exc())
            traceback.print_exc()
            return web.Response(status=500, text="bug in the simulator, see its standard error")
        finally:
            exchange.entry.data["ended_ms"] = self.journal.clock()


async def _mark(_, response):
    response.headers.update(MARK)
