"""The drivers and riders that join a city, using a library as an app does."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

from adapter import Adapter, Failed
from ridestream import Connection, Rider

#: Speed of a car by the city's clock.
SPEED_M_PER_S = 10.0
STEP_S = 0.5
METERS_PER_DEGREE = 111_195.0
COMMANDS = {"STOP_KIND_PICK_UP": ("arrived", "picked_up"), "STOP_KIND_DROP_OFF": ("dropped_off",)}

Place = tuple[float, float]


def place_of(message: dict[str, Any]) -> Place:
    return message.get("latE7", 0) / 1e7, message.get("lngE7", 0) / 1e7


def step(here: Place, goal: Place, meters: float) -> Place:
    """Returns the place `meters` closer to the goal on a straight line."""
    north = (goal[0] - here[0]) * METERS_PER_DEGREE
    east = (goal[1] - here[1]) * METERS_PER_DEGREE * math.cos(math.radians(here[0]))
    part = min(1.0, meters / max(1e-9, math.hypot(north, east)))
    return here[0] + (goal[0] - here[0]) * part, here[1] + (goal[1] - here[1]) * part


class City:
    """The services named in the environment, and the market."""

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
        """Fetches the bounds of the market."""
        token = (await self.token("rider/join")).read_text().strip()
        connection = Connection(self.trip, lambda: token, self.roots.read_bytes())
        async with Rider(connection) as rider:
            bounds = {market.market: market for market in await rider.markets()}[self.market]
        self._south_west = bounds.south_west.lat_e7 / 1e7, bounds.south_west.lng_e7 / 1e7
        height = (bounds.north_east.lat_e7 - bounds.south_west.lat_e7) / 1e7
        self._size = height, (bounds.north_east.lng_e7 - bounds.south_west.lng_e7) / 1e7 % 360

    def somewhere(self) -> Place:
        """Returns a random place in the middle half of the market."""
        lat, lng = (
            corner + size * random.uniform(0.25, 0.75)
            for corner, size in zip(self._south_west, self._size, strict=True)
        )
        return lat, (lng + 180) % 360 - 180

    async def token(self, caller: str) -> Path:
        """Writes a token of the caller to a file, and returns its path."""
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
                raise RuntimeError(f"authority couldn't create a token for {caller}")
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
    """Accepts every offer and drives from stop to stop."""

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
                # The rider has cancelled or changed the destination; a new plan follows.
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
    """Requests rides one after another."""

    async def live(self, riding: asyncio.Event) -> None:
        await self._open("rider", self._city.trip, patience_s=30)
        for number in itertools.count(1):
            if not riding.is_set():
                return
            try:
                await self._ride(f"{self._name}-{number}")
            except Failed as error:
                # A place has no street nearby, or there is no route.
                if error.code not in ("INVALID_ARGUMENT", "FAILED_PRECONDITION"):
                    raise
            await asyncio.sleep(random.uniform(0, 2))

    async def _ride(self, request_id: str) -> None:
        places = {"pickup": self._city.somewhere(), "dropoff": self._city.somewhere()}
        quote = await self._call("quote", market=self._city.market, party_size=1, **places)
        trip = await self._call(
            "request", quote_id=quote["quoteId"], name=self._name, note="", request_id=request_id
        )
        self._counts["asked"] += 1
        trip_id = trip["tripId"]
        await self._call("watch", trip_id=trip_id, watch=trip_id)
        while (event := await self._adapter.next(trip_id))["event"] == "trip":
            trip = event["data"]["trip"]
        if event["data"] is not None:
            raise AssertionError(f"the watch of {trip_id} ended: {event['data']}")
        self._counts[trip["state"]] += 1
