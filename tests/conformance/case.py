"""The environment of a case: its own market, a gate, and drivers and riders of the library."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapter import Adapter
from gate import Gate, lint
from services import Services

#: The middle of the built-in city, and a place half a kilometre away.
PICKUP = (45.0, -30.0)
DROPOFF = (45.004, -29.996)


#: The commands of the driver's and the rider's example, and their working directory.
Examples = tuple[list[str], list[str], Path]


class Driver:
    def __init__(self, case: Case, handle: str):
        self._case = case
        self.handle = handle

    async def wait(self, kind: str, where: Callable[[Any], bool] = lambda data: True) -> Any:
        return await self._case.adapter.wait(self.handle, kind, where)

    def events(self, kind: str) -> list[Any]:
        return self._case.adapter.events(self.handle, kind)

    async def do(self, command: str, target: str = "") -> Any:
        return await self._case.adapter.call("driver_command", self.handle, command=command, target=target)

    async def move(self, place: tuple[float, float]) -> None:
        await self._case.adapter.call("driver_move", self.handle, place=place)

    async def read(self, on: bool) -> None:
        await self._case.adapter.call("driver_read", self.handle, on=on)

    async def close(self) -> None:
        await self._case.adapter.call("driver_close", self.handle)


class Rider:
    def __init__(self, case: Case, handle: str):
        self._case = case
        self.handle = handle

    async def call(self, op: str, **arguments: Any) -> Any:
        return await self._case.adapter.call(op, self.handle, **arguments)

    async def quote(self, **other: Any) -> Any:
        case = self._case
        wanted = {"pickup": case.pickup, "dropoff": case.dropoff, "party_size": 1}
        return await self.call("quote", **{"market": case.market, **wanted, **other})

    async def request(self, quote_id: str, request_id: str | None = None, note: str = "") -> Any:
        request_id = request_id or self._case.fresh("request")
        return await self.call("request", quote_id=quote_id, name="Ada", note=note, request_id=request_id)

    async def cancel(self, trip_id: str, request_id: str | None = None) -> Any:
        request_id = request_id or self._case.fresh("cancel")
        return await self.call("cancel", trip_id=trip_id, request_id=request_id)

    async def begin(self) -> str:
        """Quotes and requests a trip, and watches it. Returns its id."""
        trip_id = str((await self.request((await self.quote())["quoteId"]))["tripId"])
        await self.call("watch", trip_id=trip_id, watch=trip_id)
        return trip_id

    async def wait(self, trip_id: str, state: str) -> Any:
        wanted = f"TRIP_STATE_{state}"
        return await self._case.adapter.wait(
            trip_id, "trip", lambda update: update["trip"]["state"] == wanted
        )


class Case:
    def __init__(self, adapter: Adapter, services: Services, folder: Path, market: str, examples: Examples):
        self.adapter = adapter
        self.examples = examples
        self.services = services
        self.market = market
        self.gate = Gate(services.authority, services.address("trip"), services.address("dispatch"))
        self.pickup, self.dropoff = PICKUP, DROPOFF
        self._folder = folder
        self._numbers = itertools.count(1)
        self._closing: list[tuple[str, str]] = []
        self._gates = [self.gate]

    def fresh(self, what: str) -> str:
        return f"{self.market}-{what}-{next(self._numbers)}"

    async def token_file(self, caller: str) -> Path:
        """Writes a token of the caller to a new file, and returns its path."""
        path = self._folder / self.fresh("token")
        path.write_text(await self.services.token(caller))
        return path

    async def driver(
        self,
        person: str | None = None,
        *,
        token_file: Path | None = None,
        address: str | None = None,
        market: str | None = None,
        seats: int = 4,
        name: str = "Grace",
    ) -> Driver:
        person = person or self.fresh("driver")
        handle = self.fresh(person)
        await self.adapter.call(
            "driver_open",
            handle,
            **await self._reach(f"driver/{person}", token_file, address),
            market=market or self.market,
            seats=seats,
            name=name,
        )
        self._closing.append(("driver_close", handle))
        driver = Driver(self, handle)
        await driver.move(self.pickup)
        return driver

    async def rider(
        self, *, token_file: Path | None = None, address: str | None = None, patience_s: float = 20
    ) -> Rider:
        handle = self.fresh("rider")
        reach = await self._reach(f"rider/{handle}", token_file, address)
        await self.adapter.call("rider_open", handle, **reach, patience_s=patience_s)
        self._closing.append(("rider_close", handle))
        return Rider(self, handle)

    async def ride(self, driver: Driver, rider: Rider) -> str:
        """Completes a ride with the driver's and the rider's app. Returns the trip's id."""
        trip_id = await rider.begin()
        offer = await driver.wait("offer", lambda offer: offer["tripId"] == trip_id)
        ended = await driver.do("accept", offer["offerId"])
        assert ended["outcome"] == "OFFER_OUTCOME_ACCEPTED", ended
        await driver.wait("plan", lambda plan: any(s["tripId"] == trip_id for s in plan.get("stops", [])))
        await driver.do("arrived", trip_id)
        await driver.do("picked_up", trip_id)
        await driver.move(self.dropoff)
        await driver.do("dropped_off", trip_id)
        await rider.wait(trip_id, "COMPLETED")
        await driver.move(self.pickup)
        return trip_id

    async def another_gate(self) -> Gate:
        """Opens a gate for another process of the market. Both gates share the list of streams."""
        gate = Gate(self.services.authority, self.services.address("trip"), self.services.address("dispatch"))
        gate.streams = self.gate.streams
        await gate.open()
        self._gates.append(gate)
        return gate

    async def open(self) -> None:
        await self.gate.open()

    async def close(self) -> None:
        try:
            await asyncio.gather(*(self.adapter.call(op, handle) for op, handle in self._closing))
            if self.gate.answer is None:
                lint(self.gate.streams)
        finally:
            await asyncio.gather(*(gate.close() for gate in self._gates))

    async def _reach(self, caller: str, token_file: Path | None, address: str | None) -> dict[str, str]:
        return {
            "address": address or self.gate.address,
            "roots": str(self.services.authority / "authority.pem"),
            "token_file": str(token_file or await self.token_file(caller)),
        }


def token_id(token_file: Path) -> str:
    """Returns the claim `jti` of the token."""
    payload = token_file.read_text().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["jti"])
