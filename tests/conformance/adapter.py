"""The runner's side of an adapter, a process that executes the runner's commands with its library.

The protocol is one JSON object per line. The runner sends {"id", "op", "handle", …}. The adapter answers
{"id", "result"} or {"id", "error": {"kind", "code", "message"}}, and sends events {"handle", "event",
"data"}. README.md lists the operations.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAIT_S = 60.0


class Failed(Exception):
    """The library reported an error."""

    def __init__(self, error: dict[str, str]):
        super().__init__(f"{error['kind']} {error.get('code', '')}: {error['message']}")
        self.kind = error["kind"]
        self.code = error.get("code", "")
        self.message = error["message"]


class Adapter:
    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._changed = asyncio.Condition()

    async def start(self, command: list[str], cwd: Path, environment: dict[str, str]) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        self._reader = asyncio.create_task(self._read())

    async def stop(self) -> None:
        """Closes the adapter's input, after which it must exit with status 0."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        async with asyncio.timeout(WAIT_S):
            status = await self._process.wait()
        assert status == 0, f"the adapter exited with status {status}"

    async def call(self, op: str, handle: str, **arguments: Any) -> Any:
        number = next(self._ids)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": number, "op": op, "handle": handle, **arguments})
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        async with asyncio.timeout(WAIT_S):
            return await future

    async def wait(self, handle: str, kind: str, where: Callable[[Any], bool] = lambda data: True) -> Any:
        """Waits for an event of this kind for which `where` is true; removes and returns its data."""
        found: list[Any] = []

        def take() -> bool:
            events = self._events[handle]
            for index, event in enumerate(events):
                if event["event"] == kind and where(event["data"]):
                    found.append(events.pop(index)["data"])
                    return True
            return False

        try:
            async with asyncio.timeout(WAIT_S), self._changed:
                await self._changed.wait_for(take)
        except TimeoutError:
            came = [event["event"] for event in self._events[handle]]
            raise AssertionError(f"no event {kind} within {WAIT_S:g} s; got {came}") from None
        return found[0]

    async def next(self, handle: str) -> dict[str, Any]:
        """Removes and returns the first event; waits for one if there is none."""
        events = self._events[handle]
        async with self._changed:
            await self._changed.wait_for(lambda: events)
        return events.pop(0)

    def events(self, handle: str, kind: str) -> list[Any]:
        """Returns the data of all events of this kind that weren't removed by a wait."""
        return [event["data"] for event in self._events[handle] if event["event"] == kind]

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            if "event" in message:
                self._events[message["handle"]].append(message)
                async with self._changed:
                    self._changed.notify_all()
                continue
            future = self._waiting.pop(message["id"])
            if future.done():
                continue
            if "error" in message:
                future.set_exception(Failed(message["error"]))
            else:
                future.set_result(message["result"])
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(AssertionError("the adapter exited"))
