# SPDX-License-Identifier: ISC
"""
How soon the server is ready, how much memory it takes, and that calls do not add to it. The figures
are printed, and kept in tests/output/system/. Sanitizers have memory and times of their own.
"""
import pathlib
import time

import pytest

import caller_voice
import program
from socket_caller import SocketCaller

READY_MAX_MS = 5000       # 150 are meant, on a machine that does nothing else
RSS_MAX_KB = 40 * 1024
GROWTH_MAX_KB = 2048
CALLS, WARM_CALLS = 22, 6  # on a slow machine the fixed sentences are made beside the first calls


@pytest.fixture(autouse=True)
def _plain(built):
    if any(word in built.read_bytes() for word in (b"__asan_init", b"__tsan_init")):
        pytest.skip("a sanitizer's memory says nothing about ours")


@pytest.fixture
def tell(output):
    """tell(text): a figure for the reader."""
    def write(text):
        print(text)
        with open(output / "figures.txt", "a", encoding="utf-8") as file:
            file.write(text + "\n")
    return write


def memory_kb(server, name):
    """VmRSS or another line of /proc/PID/status, of master and workers together."""
    total = 0
    for pid, _ in server.processes():
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        total += int(text.partition(f"\n{name}:")[2].split()[0])
    return total


@pytest.mark.alone
def test_it_is_ready_soon_and_small(make_conf, serve, tell):
    conf = make_conf()
    serve(conf=conf).stop()  # the database is there, the files are in the cache
    begun = time.monotonic()
    server = serve(conf=conf)
    ready_ms = (time.monotonic() - begun) * 1000
    assert len(server.processes()) == 2, "master and one worker"
    rss = memory_kb(server, "VmRSS")
    tell(f"ready after {ready_ms:.0f} ms, {rss / 1024:.1f} MB in master and one worker, "
         f"{memory_kb(server, 'RssAnon') / 1024:.1f} MB of that their own")
    assert rss <= RSS_MAX_KB
    assert ready_ms <= READY_MAX_MS


def call_once(server):
    """One says goodbye, hears what the agent answers, and hangs up."""
    words = caller_voice.at_16_khz(caller_voice.sentence("kal16", 5))
    with SocketCaller(server) as caller:
        caller.until(lambda: caller.noted("reply", turn=1), "the words are answered", say=words)
        caller.hang_up()
    program.eventually(lambda: server.get("/calls/health/").json["active_calls"] == 0,
                       "the call is over")


@pytest.mark.slow
@pytest.mark.alone
def test_calls_leave_no_memory_behind(serve, tell):
    server = serve()
    figures = [memory_kb(server, "RssAnon")]
    for _ in range(CALLS):
        call_once(server)
        figures.append(memory_kb(server, "RssAnon"))
    tell("MB after each call: " + " ".join(f"{each / 1024:.1f}" for each in figures))
    # The allocator holds up to 6 MB more or less back; what is lost would raise the lowest figures.
    half = WARM_CALLS + (CALLS - WARM_CALLS) // 2
    growth = min(figures[half + 1:]) - min(figures[WARM_CALLS + 1:half + 1])
    assert growth <= GROWTH_MAX_KB, f"{growth} kB more in the last {CALLS - half} of {CALLS} calls"
