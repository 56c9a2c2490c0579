# SPDX-License-Identifier: ISC
"""The tests' own interface to the simulators: JSON under /_control/ of any port."""
import json

from aiohttp import web

from . import faults, ports
from .settings import Refused


def install(app, simulator, more_routes):
    """
    Adds the routes, and those that vendors have of their own. What is refused is answered with 400
    and says what there is.
    """
    def add(method, path, action):
        async def handle(request):
            try:
                text = await request.text()
                answer = await action(simulator, request, json.loads(text) if text else {})
            except (Refused, ValueError, TypeError) as problem:
                return web.json_response({"error": str(problem)}, status=400)
            return answer if isinstance(answer, web.Response) else web.json_response(answer)
        app.router.add_route(method, "/_control" + path, handle)
    for route in [*ROUTES, *more_routes]:
        add(*route)


async def _overview(simulator, _, __):
    return {
        "simulator": "aicaller-tests; for tests only",
        "vendors": {name: {"settings": simulator.settings.of(name), "endpoints": {
            endpoint.name: {"path": f"{endpoint.method} {endpoint.path}", "shape": endpoint.shape,
                            "quirks": endpoint.quirks}
            for endpoint in vendor.endpoints}} for name, vendor in simulator.vendors.items()},
        "faults": {name: {"what": kind.text, "before": kind.before, "middle": kind.middle,
                          "parameters": kind.parameters} for name, kind in faults.KINDS.items()},
        "bad_json": faults.VARIANTS | {"deep": "[[[[... 100000 deep"},
        "ports": ports.KINDS,
    }


async def _reset(simulator, _, __):
    await simulator.reset()
    return {}


async def _settings(simulator, request, changes):
    vendor = request.match_info["vendor"]
    simulator.settings.change(vendor, changes)
    return simulator.settings.of(vendor)


async def _add_fault(simulator, _, wish):
    return {"id": simulator.faults.add(wish).id}


async def _list_faults(simulator, _, __):
    return simulator.faults.list()


async def _remove_faults(simulator, request, _):
    simulator.faults.remove(int(request.query["id"]) if "id" in request.query else None)
    return {}


def _entry(simulator, request):
    entry = simulator.journal.entries.get(int(request.match_info["id"]))
    if entry is None:
        raise Refused("no such request is in the journal; old ones go when there are many")
    return entry


async def _received(simulator, request, _):
    query = request.query
    entries = simulator.journal.find(query.get("vendor"), query.get("endpoint"),
                                     int(query.get("since", 0)))
    return [entry.show("frames" in query) for entry in entries]


async def _received_one(simulator, request, _):
    return _entry(simulator, request).show(True)


async def _received_audio(simulator, request, _):
    entry = _entry(simulator, request)
    audio = entry.spoken if request.match_info["whose"] == "spoken" else entry.heard
    return web.Response(body=bytes(audio.data), content_type="application/octet-stream")


async def _forget(simulator, _, __):
    simulator.journal.clear()
    return {}


async def _ports(simulator, _, __):
    return [port.show() for port in simulator.ports.ports.values()]


async def _open_port(simulator, _, wish):
    vendor = wish.get("vendor")
    if vendor is not None and vendor not in simulator.vendors:
        raise Refused(f"no vendor {vendor}; there are: {', '.join(simulator.vendors)}")
    return (await simulator.ports.open(wish.get("kind", "plain"), vendor)).show()


async def _change_port(simulator, request, wish):
    port = simulator.ports.extra(int(request.match_info["port"]))
    await port.become(wish.get("kind", "plain"))
    return port.show()


async def _close_port(simulator, request, _):
    simulator.ports.close(int(request.match_info["port"]))
    return {}


ROUTES = [
    ("GET", "", _overview),
    ("POST", "/reset", _reset),
    ("PATCH", "/settings/{vendor}", _settings),
    ("GET", "/settings/{vendor}", _settings),
    ("POST", "/faults", _add_fault),
    ("GET", "/faults", _list_faults),
    ("DELETE", "/faults", _remove_faults),
    ("GET", "/received", _received),
    ("DELETE", "/received", _forget),
    ("GET", "/received/{id:[0-9]+}", _received_one),
    ("GET", "/received/{id:[0-9]+}/{whose:heard|spoken}", _received_audio),
    ("POST", "/ports", _open_port),
    ("GET", "/ports", _ports),
    ("POST", "/ports/{port:[0-9]+}", _change_port),
    ("DELETE", "/ports/{port:[0-9]+}", _close_port),
]
