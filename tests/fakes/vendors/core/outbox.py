# SPDX-License-Identifier: ISC
"""Messages that a session sends later, in order, while it goes on reading."""
import asyncio
import collections

from . import wire


class Outbox:
    """`post` never waits. A message goes out its delay after that, and after those before it."""

    def __init__(self, socket):
        self.socket = socket
        self.waiting = collections.deque()
        self.news = asyncio.Event()
        self.empty = asyncio.Event()
        self.empty.set()
        self.task = asyncio.get_running_loop().create_task(self._run())

    def post(self, message, delay_ms=0):
        """A message, or a function without arguments that is called in its place in the order."""
        due = asyncio.get_running_loop().time() + delay_ms / 1000
        self.waiting.append((due, message))
        self.empty.clear()
        self.news.set()

    def drop(self):
        """Forgets all that has not been sent; says how much it was."""
        count = len(self.waiting)
        self.waiting.clear()
        self.news.set()
        return count

    async def drained(self):
        """Waits until all is sent, or nothing more can be."""
        done = asyncio.get_running_loop().create_task(self.empty.wait())
        await asyncio.wait({done, self.task}, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()

    def stop(self):
        self.task.cancel()

    async def _run(self):
        loop = asyncio.get_running_loop()
        try:
            while True:
                while not self.waiting:
                    self.empty.set()
                    self.news.clear()
                    await self.news.wait()
                wait = self.waiting[0][0] - loop.time()
                if wait > 0:
                    self.news.clear()
                    await _first_of(self.news, wait)
                    continue
                _, message = self.waiting.popleft()
                if callable(message):
                    message = message()
                if asyncio.iscoroutine(message):
                    await message
                elif message is not None:
                    await self.socket.send(message)
        except (wire.Over, ConnectionError):
            self.waiting.clear()


async def _first_of(event, seconds):
    """Waits for the time to pass, less if what is first in line has gone."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        pass
