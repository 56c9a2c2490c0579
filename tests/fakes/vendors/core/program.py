# SPDX-License-Identifier: ISC
"""The program `run`: ports, certificates, the line that says it is ready, the end."""
import argparse
import asyncio
import json
import os
import pathlib
import signal
import sys
import tempfile

from aiohttp import web

from .certificates import Certificates
from .ports import Ports

ABOUT = """
Simulators of Deepgram, Groq, OpenAI-compatible servers, ElevenLabs and Twilio for the tests of
aicaller. They are simulators: they understand no speech and know nothing. All vendors are served
by path on one plain and one TLS port of 127.0.0.1; when they are ready one line of JSON on standard
output names the addresses and the file of the test authority. SIGTERM ends them. Every answer
carries the header "x-simulator: aicaller-tests". What they can do: GET /_control on the plain port,
and README.md beside this program.
"""


def options(arguments):
    parser = argparse.ArgumentParser(prog="run", description=ABOUT)
    parser.add_argument("--folder", type=pathlib.Path,
                        help="where the certificates of this run go (a temporary folder)")
    parser.add_argument("--port", type=int, default=0, help="the plain port (a free one)")
    parser.add_argument("--tls-port", type=int, default=0, help="the TLS port (a free one)")
    return parser.parse_args(arguments)


def addresses(plain, secure):
    """What to write into `url` of each provider, plain and over TLS."""
    paths = {"deepgram": "", "groq": "/openai/v1", "openai": "/v1", "elevenlabs": "", "twilio": ""}
    return {vendor: {"plain": plain + path, "tls": secure + path}
            for vendor, path in paths.items()}


async def serve(make_simulator, wanted, folder):
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    certificates = Certificates(folder)
    simulator = make_simulator()
    runner = web.AppRunner(simulator.application(), access_log=None, handle_signals=False)
    await runner.setup()
    simulator.ports = Ports(certificates, runner.server)
    await simulator.ports.start(wanted.port, wanted.tls_port)
    plain, secure = simulator.ports.main
    http, https = (f"http://127.0.0.1:{plain.number}", f"https://127.0.0.1:{secure.number}")
    print(json.dumps({
        "simulator": "aicaller-tests", "pid": os.getpid(), "http": http, "https": https,
        "ca": str(certificates.authority.certificate), "control": http + "/_control",
        "urls": addresses(http, https)}), flush=True)
    await stop.wait()
    await simulator.reset()
    simulator.ports.stop()


def main(make_simulator):
    wanted = options(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="aicaller-simulators-") as temporary:
        try:
            folder = (wanted.folder or pathlib.Path(temporary)).resolve()
            asyncio.run(serve(make_simulator, wanted, folder))
        except OSError as problem:
            sys.exit(f"run: {problem}")
