# SPDX-License-Identifier: ISC
"""
Fixtures of the system tests. `serve` starts servers, `aicaller` runs commands, `browser` starts
Chromium, `postgres` is a database of its own, `vendors` are the simulators of tests/fakes/vendors,
`vendor_python` runs a vendor's own library.
Everything they start is ended with the test, which fails if something of it stays behind.
"""
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import uuid

import pytest

import browser as chromium
import conf as configurations
import program
from people import People
from postgres import Postgres

sys.path.insert(0, str(program.ROOT / "tests/fakes"))

from vendors.client import Simulators  # noqa: E402

OUTPUT = program.ROOT / "tests/output/system"


@pytest.fixture
def output(request):
    """A folder for logs and pictures that stay for the reader: tests/output/system/<test>/."""
    folder = OUTPUT / re.sub(r"[^\w.-]+", "_", request.node.name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def built():
    """The program under test; without it there is nothing to test."""
    path = program.BUILD / "aicaller"
    assert path.exists(), f"{path} is not built: tests/run builds it"
    return path


@pytest.fixture
def aicaller(tmp_path, built):
    """aicaller("check", "-c", file, seconds=60, text=..., isolated=True) -> CompletedProcess."""
    def run(*arguments, **options):
        return program.run(arguments, tmp_path, built, **options)
    return run


@pytest.fixture
def make_conf(tmp_path):
    """make_conf(changes) -> (file, port): the embedded default with changes, and a free port."""
    made = []

    def make(changes=None):
        port = program.free_port()
        state = tmp_path / f"state{len(made)}"
        state.mkdir()
        group = configurations.default(port, state, program.BUILD / "plugins")
        path = tmp_path / f"aicaller{len(made)}.conf"
        path.write_text(configurations.group_text(configurations.merged(group, changes or {})),
                        encoding="utf-8")
        made.append(path)
        return path, port
    return make


@pytest.fixture
def start_server(tmp_path, output, make_conf):
    """As `serve`, for any program; see there."""
    servers = []

    def start(program_path, changes=None, conf=None, **options):
        path, port = conf or make_conf(changes)
        log = output / f"serve{len(servers) or ''}.log"
        servers.append(program.Server(path, port, tmp_path, log, program=program_path, **options))
        return servers[-1].start()
    yield start
    for server in servers:
        if server.process:
            server.stop(signal.SIGINT)


@pytest.fixture
def serve(start_server, built):
    """
    serve(changes) -> a running program.Server on the embedded default with these changes (a dict,
    see conf.py); serve(conf=make_conf(...)) where the test wants to know the file. It is stopped
    after the test; a test that is about stopping calls its `stop` itself.
    """
    def start(changes=None, **options):
        return start_server(built, changes, **options)
    return start


@pytest.fixture
def people(aicaller, make_conf):
    """people(changes) -> users of a configuration of its own; see people.py."""
    return lambda changes=None: People(aicaller, make_conf(changes))


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory, built, request):
    """One server for all tests of a file, for what leaves it as it was."""
    folder = tmp_path_factory.mktemp("shared")
    log = OUTPUT / f"{request.module.__name__}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    port = program.free_port()
    group = configurations.default(port, folder, program.BUILD / "plugins")
    group["agents"]["default"]["telephony"].append("wav")
    path = folder / "aicaller.conf"
    path.write_text(configurations.group_text(group), encoding="utf-8")
    server = program.Server(path, port, folder, log, program=built).start()
    yield server
    server.stop(signal.SIGINT)


@pytest.fixture
def browser(tmp_path, output):
    """browser(url, microphone=WAV) -> a selenium driver that shows the page."""
    if chromium.missing():
        pytest.skip(f"{chromium.missing()} is not installed")
    drivers = []

    def start(url, microphone=None):
        drivers.append(chromium.start(tmp_path / f"profile{len(drivers)}", microphone,
                                      output / f"chromedriver{len(drivers) or ''}.log"))
        drivers[-1].get(url)
        return drivers[-1]
    yield start
    for number, driver in enumerate(drivers):
        name = f"page{number or ''}"
        driver.save_screenshot(str(output / f"{name}.png"))
        lines = [f"{entry['level']} {entry['message']}" for entry in driver.get_log("browser")]
        (output / f"{name}.log").write_text("\n".join(lines), encoding="utf-8")
        driver.quit()


@pytest.fixture(scope="session")
def can_isolate():
    """Skips where a network of one's own cannot be made."""
    if subprocess.run([*program.ISOLATED, "true"], check=False).returncode == 77:
        pytest.skip("needs root to make a network of its own")


@pytest.fixture(scope="session")
def postgres_server():
    if os.geteuid() == 0 and not os.stat("/").st_mode & stat.S_IXOTH:
        pytest.skip("PostgreSQL is not run by root, and here nobody else can reach any file")
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def postgres(postgres_server):
    """A private PostgreSQL with an empty database for this test; see postgres.py."""
    postgres_server.use_new_database(f"test_{uuid.uuid4().hex}")
    return postgres_server


@pytest.fixture(scope="session")
def simulators(tmp_path_factory):
    """One program that plays all vendors, for all tests; `vendors` is it as if just started."""
    with Simulators(tmp_path_factory.mktemp("simulators")) as running:
        yield running


@pytest.fixture
def vendors(simulators):
    """
    Deepgram, Groq, OpenAI, ElevenLabs and Twilio on loopback, with nothing set, received or broken
    yet: vendors.url("deepgram") is what goes into a provider's `url`; the rest is in
    tests/fakes/vendors/README.md. For TLS start the server with SSL_CERT_FILE=vendors.ca.
    """
    simulators.reset()
    return simulators


@pytest.fixture
def vendor_python():
    """
    vendor_python("deepgram", script, argument...) -> CompletedProcess: runs a script with the
    Python that has the vendors' libraries, which live apart from what the tests themselves use.
    """
    def run(library, script, *arguments, seconds=60):
        python = program.ROOT / ".venv/bin/python"
        probe = [python, "-c", f"import {library}"]
        if not python.exists() or subprocess.run(probe, check=False,
                                                 capture_output=True).returncode != 0:
            pytest.skip(f"the vendor's library {library} is not installed")
        return subprocess.run([str(word) for word in (python, script, *arguments)], timeout=seconds,
                              capture_output=True, text=True, check=False)
    return run
