#!/usr/bin/env python3
"""Lets drivers and riders of each language's library live in a city, beside a command that loads it.

    join.py --bin FOLDER --join python=20,go=5 [--market NAME] -- COMMAND ARGUMENT…

That is N drivers and N riders of each language. The supervisor runs it and names the services in the
environment (./ride demo --join). Riders ask for one ride after the other while the command's --seconds
last; drivers serve the whole city until the command ends. Then the rides of each language are printed.

The status is that of the command, or 1 where a library failed, or a language had no ride at all.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import math
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from adapter import Adapter, Failed
from ridestream import Connection, Rider
from run import ADAPTERS

#: Of a car, by the city's clock.
SPEED_M_PER_S = 10.0
STEP_S = 0.5
METERS_PER_DEGREE = 111_195.0
COMMANDS = {"STOP_KIND_PICK_UP": ("arrived", "picked_up"), "STOP_KIND_DROP_OFF": ("dropped_off",)}

Place = tuple[float, float]


def place_of(message: dict[str, Any]) -> Place:
    return message.get("latE7", 0) / 1e7, message.get("lngE7", 0) / 1e7


def step(here: Place, goal: Place, meters: float) -> Place:
    """The place that is so much nearer to the goal, in a straight line."""
    north = (goal[0] - here[0]) * METERS_PER_DEGREE
    east = (goal[1] - here[1]) * METERS_PER_DEGREE * math.cos(math.radians(here[0]))
    part = min(1.0, meters / max(1e-9, math.hypot(north, east)))
    return here[0] + (goal[0] - here[0]) * part, here[1] + (goal[1] - here[1]) * part


class City:
    """The services that the environment names, and the market."""

    def __init__(self, binaries: Path, market: str, clock_rate: float, folder: Path):
        self.market = market
        self.clock_rate = clock_rate
        self.trip = os.environ["RIDESTREAM_TRIP"]
        self.dispatch = os.environ["RIDESTREAM_DISPATCH"]
        self.authority = Path(os.environ["RIDESTREAM_AUTHORITY"])
        self.roots = self.authority / "authority.pem"
        self._binaries = binaries
        self._folder = folder

    async def look(self) -> None:
        """Learns where the market lies."""
        token = (await self.token("rider/join")).read_text().strip()
        connection = Connection(self.trip, lambda: token, self.roots.read_bytes())
        async with Rider(connection) as rider:
            bounds = {market.market: market for market in await rider.markets()}[self.market]
        self._south_west = bounds.south_west.lat_e7 / 1e7, bounds.south_west.lng_e7 / 1e7
        height = (bounds.north_east.lat_e7 - bounds.south_west.lat_e7) / 1e7
        self._size = height, (bounds.north_east.lng_e7 - bounds.south_west.lng_e7) / 1e7 % 360

    def somewhere(self) -> Place:
        """In the middle half of the market."""
        lat, lng = (
            corner + size * random.uniform(0.25, 0.75)
            for corner, size in zip(self._south_west, self._size, strict=True)
        )
        return lat, (lng + 180) % 360 - 180

    async def token(self, caller: str) -> Path:
        """A file with a token of the caller."""
        path = self._folder / caller.replace("/", "-")
        with path.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                self._binaries / "authority",
                "token",
                caller,
                "--for=24h",
                f"--folder={self.authority}",
                stdout=file,
            )
            if await process.wait() != 0:
                raise RuntimeError(f"there is no token for {caller}")
        return path


class Person:
    """A driver or a rider of one language's library."""

    def __init__(self, adapter: Adapter, city: City, counts: Counter[str], name: str):
        self._adapter = adapter
        self._city = city
        self._counts = counts
        self._name = name

    async def _open(self, role: str, address: str, **arguments: Any) -> None:
        self._handle = f"{role}/{self._name}"
        reach = {
            "address": address,
            "roots": str(self._city.roots),
            "token_file": str(await self._city.token(self._handle)),
        }
        await self._call(f"{role}_open", **reach, **arguments)

    async def _call(self, op: str, **arguments: Any) -> Any:
        return await self._adapter.call(op, self._handle, **arguments)


class DriverLife(Person):
    """Accepts every offer, and drives to one stop after the other."""

    async def live(self) -> None:
        self._plan: dict[str, Any] = {}
        self._version = 0
        self._changed = asyncio.Event()
        await self._open("driver", self._city.dispatch, market=self._city.market, seats=4, name=self._name)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(group))
            group.create_task(self._drive())

    async def _drive(self) -> None:
        here = self._city.somewhere()
        await self._call("driver_move", place=here)
        while True:
            stops = self._plan.get("stops")
            if not stops:
                self._changed.clear()
                await self._changed.wait()
            elif here != (goal := place_of(stops[0]["place"])):
                await asyncio.sleep(STEP_S)
                here = step(here, goal, SPEED_M_PER_S * STEP_S * self._city.clock_rate)
                await self._call("driver_move", place=here)
            else:
                await self._serve(stops[0])

    async def _serve(self, stop: dict[str, Any]) -> None:
        for command in COMMANDS[stop["kind"]]:
            if command == "arrived" and stop.get("arrived"):
                continue
            self._changed.clear()
            try:
                self._take(await self._call("driver_command", command=command, target=stop["tripId"]))
            except Failed as error:
                if error.kind != "rejected":
                    raise
                # The rider has cancelled, or changed the destination: the plan that says so follows.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        await self._changed.wait()
                return
            self._counts[command] += 1

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        while True:
            event = await self._adapter.next(self._handle)
            kind, data = event["event"], event["data"]
            if kind == "offer":
                accept = self._call("driver_command", command="accept", target=data["offerId"])
                group.create_task(accept)
            elif kind == "plan":
                self._take(data)
            elif kind == "connected" and not data["resumed"]:
                self._plan = {}
            elif kind == "ended":
                raise AssertionError(f"{self._handle} ended: {data}")

    def _take(self, plan: dict[str, Any]) -> None:
        version = int(plan["version"])
        if version >= self._version:
            self._plan, self._version = plan, version
            self._changed.set()


class RiderLife(Person):
    """Asks for one ride after the other."""

    async def live(self, riding: asyncio.Event) -> None:
        await self._open("rider", self._city.trip, patience_s=30)
        for number in itertools.count(1):
            if not riding.is_set():
                return
            try:
                await self._ride(f"{self._name}-{number}")
            except Failed as error:
                # There is no street, or no way to it.
                if error.code not in ("INVALID_ARGUMENT", "FAILED_PRECONDITION"):
                    raise
            await asyncio.sleep(random.uniform(0, 2))

    async def _ride(self, request_id: str) -> None:
        places = {"pickup": self._city.somewhere(), "dropoff": self._city.somewhere()}
        quote = await self._call("quote", market=self._city.market, party_size=1, **places)
        trip = await self._call(
            "request", quote_id=quote["quoteId"], name=self._name, note="", request_id=request_id
        )
        trip_id = trip["tripId"]
        await self._call("watch", trip_id=trip_id, watch=trip_id)
        while (event := await self._adapter.next(trip_id))["event"] == "trip":
            trip = event["data"]["trip"]
        if event["data"] is not None:
            raise AssertionError(f"the watch of {trip_id} ended: {event['data']}")
        self._counts[trip["state"]] += 1


class Library:
    """One language's adapter, its drivers and its riders."""

    def __init__(self, language: str, people: int, city: City):
        self.language = language
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._people = people
        self._city = city
        self._adapter = Adapter()

    async def start(self) -> None:
        command, cwd = ADAPTERS[self.language]
        await self._adapter.start(command, cwd, {**os.environ, "GRPC_VERBOSITY": "NONE"})

    async def stop(self) -> None:
        await self._adapter.stop()

    async def live(self, riding: asyncio.Event) -> None:
        """Until it is cancelled."""
        lives = []
        for number in range(self._people):
            person = self._adapter, self._city, self.counts, f"{self.language}-{number}"
            lives += [DriverLife(*person).live(), RiderLife(*person).live(riding)]
        await asyncio.gather(*(self._note_failures(life) for life in lives))

    async def _note_failures(self, life: Awaitable[None]) -> None:
        try:
            await life
        except* (Failed, AssertionError, TimeoutError) as group:
            self.failures += [f"{type(error).__name__}: {error}" for error in group.exceptions]

    def print_row(self) -> None:
        driven, rides = self.counts["dropped_off"], self.counts["TRIP_STATE_COMPLETED"]
        others = sum(n for state, n in self.counts.items() if state.startswith("TRIP_")) - rides
        print(f"  {self.language:8}{self._people:10}{driven:10}{rides:10}{others:16}{len(self.failures):10}")
        for failure in self.failures[:5]:
            print(f"    {failure}")

    def is_clean(self) -> bool:
        return not self.failures and self.counts["dropped_off"] + self.counts["TRIP_STATE_COMPLETED"] > 0


def languages(text: str) -> dict[str, int]:
    joined = {}
    for pair in text.split(","):
        language, _, people = pair.partition("=")
        if language not in ADAPTERS or not people.isdigit() or not 1 <= int(people) <= 1_000:
            raise argparse.ArgumentTypeError(
                f"{pair}: must be LANGUAGE=N, of {', '.join(ADAPTERS)} and 1 to 1000"
            )
        joined[language] = int(people)
    return joined


async def live_beside(command: list[str], city: City, libraries: list[Library], seconds: float) -> int:
    """Returns the command's status."""
    loop = asyncio.get_running_loop()
    riding = asyncio.Event()
    riding.set()
    process = await asyncio.create_subprocess_exec(*command)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, process.send_signal, number)
    loop.call_later(seconds, riding.clear)
    lives = [asyncio.create_task(library.live(riding)) for library in libraries]
    status = await process.wait()
    for life in lives:
        life.cancel()
    for end in await asyncio.gather(*lives, return_exceptions=True):
        if isinstance(end, Exception):
            raise end
    return status


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True, help="the folder of the services' binaries")
    parser.add_argument("--join", type=languages, required=True, help="LANGUAGE=N,…")
    parser.add_argument("--market", default="city")
    parser.add_argument(
        "--clock_rate", type=float, default=float(os.environ.get("RIDESTREAM_CLOCK_RATE", "1"))
    )
    parser.add_argument("--roads", help="of the services; the market says where it lies")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    commands = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    commands.add_argument("--seconds", type=float, default=60)
    seconds = commands.parse_known_args(arguments.command)[0].seconds
    with tempfile.TemporaryDirectory(prefix="ridestream-join.") as folder:
        city = City(arguments.bin, arguments.market, arguments.clock_rate, Path(folder))
        await city.look()
        libraries = [Library(language, people, city) for language, people in arguments.join.items()]
        for library in libraries:
            await library.start()
        status = await live_beside(arguments.command, city, libraries, seconds)
        for library in libraries:
            await library.stop()
    print(f"\njoined    {'each':>10}{'driven':>10}{'ridden':>10}{'ended otherwise':>16}{'failures':>10}")
    for library in libraries:
        library.print_row()
    return status or int(not all(library.is_clean() for library in libraries))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
