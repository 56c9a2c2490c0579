# SPDX-License-Identifier: ISC
"""Faults that come instead of an answer, or before it."""
import asyncio
import gzip

from aiohttp import web

from . import middle, wire
from .faults import VARIANTS

GATEWAY_PAGE = ("<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1>"
                "</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
REASONS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
           504: "Gateway Timeout"}


async def apply(exchange):
    """Carries out the faults before the answer; gives the answer where there is one."""
    for fault in exchange.faults:
        if fault.at == "before" and fault.kind in ACTIONS:
            answer = await ACTIONS[fault.kind](exchange, fault)
            if answer is not None:
                return answer
    return None


async def _refuse(exchange, _):
    wire.reset(exchange.transport)
    raise wire.Over()


async def _status(exchange, fault):
    return await exchange.refuse_as(fault)


async def _html(exchange, fault):
    await exchange.body()
    status = fault.get("status", 502)
    page = GATEWAY_PAGE.format(f"{status} {REASONS.get(status, 'Error')}")
    return exchange.finished(web.Response(status=status, text=page, content_type="text/html"))


async def _empty(exchange, _):
    await exchange.body()
    return exchange.finished(web.Response(status=200, body=b"", content_type="application/json"))


async def _garbage(exchange, _):
    exchange.transport.write(middle.JUNK)
    await asyncio.sleep(0.05)
    exchange.transport.close()
    raise wire.Over()


async def _truncated(exchange, _):
    await exchange.body()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n"
    exchange.transport.write(head.encode() + VARIANTS["cut"].encode())
    await asyncio.sleep(0.05)
    exchange.transport.close()
    raise wire.Over()


async def _bad_json(exchange, fault):
    await exchange.body()
    body = VARIANTS[fault.get("variant", "cut")].encode()
    return exchange.finished(web.Response(status=200, body=body, content_type="application/json"))


async def _huge(exchange, fault):
    """Without a length, so that only a reader's own bound ends it."""
    await exchange.body()
    response = web.StreamResponse(headers={"content-type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(exchange.request)
    left = fault.get("bytes", 64 * 1024 * 1024)
    await response.write(b'{"simulated_padding":"')
    while left > 0 and not exchange.transport.is_closing():
        await response.write(b"x" * min(left, 65536))
        left -= 65536
    await response.write_eof(b'"}')
    return exchange.finished(response)


async def _gzip_bomb(exchange, fault):
    await exchange.body()
    packed = gzip.compress(b'{"simulated_padding":"' + b"x" * fault.get("bytes", 64 << 20) + b'"}')
    return exchange.finished(web.Response(status=200, body=packed, headers={
        "content-type": "application/json", "content-encoding": "gzip"}))


async def _slow(_, fault):
    await asyncio.sleep(fault.get("delay_ms", 5000) / 1000)


async def _hang(exchange, _):
    await exchange.body()
    await wire.until_gone(exchange.transport)
    raise wire.Over()


async def _half_open(exchange, _):
    exchange.transport.pause_reading()
    await wire.until_gone(exchange.transport)
    raise wire.Over()


ACTIONS = {"refuse": _refuse, "status": _status, "html": _html, "empty": _empty,
           "garbage": _garbage, "truncated": _truncated, "bad_json": _bad_json, "huge": _huge,
           "gzip_bomb": _gzip_bomb, "slow": _slow, "hang": _hang, "half_open": _half_open}
