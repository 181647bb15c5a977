"""The adapter of clients/python. adapter.py describes the protocol."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

import ridestream
from ridestream import Connected, Connection, Disconnected, Driver, Rider, place
from ridestream.common.v1.common_pb2 import LatLng
from ridestream.dispatch.v1.dispatch_pb2 import Offer, OfferEnded, Plan, Rejected

NAMES = {Offer: "offer", OfferEnded: "offer_ended", Plan: "plan", Rejected: "rejected"}

drivers: dict[str, Driver] = {}
riders: dict[str, Rider] = {}
reading: dict[str, asyncio.Event] = {}
tasks: set[asyncio.Task[None]] = set()


def write(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def write_event(handle: str, event: str, data: Any) -> None:
    write({"handle": handle, "event": event, "data": data})


def error_of(error: Exception) -> dict[str, str]:
    if isinstance(error, ridestream.StatusError):
        return {"kind": "status", "code": error.code.name, "message": error.message}
    if isinstance(error, ridestream.CommandRejected):
        return {"kind": "rejected", "code": error.code.name, "message": error.message}
    if isinstance(error, ridestream.ProtocolError):
        return {"kind": "protocol", "message": str(error)}
    if isinstance(error, ridestream.DriverStopped):
        return {"kind": "stopped", "message": str(error)}
    return {"kind": "bug", "message": repr(error)}


def degrees(request: dict[str, Any], field: str) -> LatLng:
    lat, lng = request[field]
    return place(lat, lng, field)


def connection(request: dict[str, Any]) -> Connection:
    token_file = Path(request["token_file"])
    return Connection(
        request["address"],
        token=lambda: token_file.read_text().strip(),
        root_certificates=Path(request["roots"]).read_bytes(),
    )


async def follow_driver(handle: str, driver: Driver) -> None:
    try:
        await reading[handle].wait()
        async for event in driver:
            if isinstance(event, Connected):
                write_event(handle, "connected", {"resumed": event.resumed})
            elif isinstance(event, Disconnected):
                write_event(handle, "disconnected", {"code": event.error.code.name})
            else:
                write_event(handle, NAMES.get(type(event), "other"), MessageToDict(event))
            await reading[handle].wait()
        write_event(handle, "ended", None)
    except Exception as error:
        write_event(handle, "ended", error_of(error))


async def follow_trip(handle: str, rider: Rider, trip_id: str) -> None:
    try:
        async for update in rider.watch(trip_id):
            write_event(handle, "trip", MessageToDict(update))
        write_event(handle, "ended", None)
    except Exception as error:
        write_event(handle, "ended", error_of(error))


def start(coroutine: Any) -> None:
    task = asyncio.create_task(coroutine)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def command(driver: Driver, name: str, target: str) -> Any:
    if name == "end_shift":
        return await driver.end_shift()
    subject: Any = Offer(offer_id=target) if name in ("accept", "decline") else target
    return MessageToDict(await getattr(driver, name)(subject))


async def perform(request: dict[str, Any]) -> Any:
    op, handle = request["op"], request["handle"]
    if op == "driver_open":
        driver = Driver(
            connection(request), market=request["market"], seats=request["seats"], name=request["name"]
        )
        drivers[handle] = await driver.__aenter__()
        reading[handle] = asyncio.Event()
        reading[handle].set()
        return start(follow_driver(handle, driver))
    if op == "driver_move":
        return drivers[handle].move_to(*request["place"])
    if op == "driver_command":
        return await command(drivers[handle], request["command"], request["target"])
    if op == "driver_read":
        return reading[handle].set() if request["on"] else reading[handle].clear()
    if op == "driver_close":
        return await drivers[handle].close()
    if op == "rider_open":
        riders[handle] = Rider(connection(request), patience_s=request["patience_s"])
        return None
    if op == "rider_close":
        return await riders[handle].close()
    rider = riders[handle]
    if op == "quote":
        places = degrees(request, "pickup"), degrees(request, "dropoff")
        return MessageToDict(await rider.quote(request["market"], *places, party_size=request["party_size"]))
    if op == "request":
        names = {key: request[key] for key in ("name", "note", "request_id")}
        return MessageToDict(await rider.request(request["quote_id"], **names))
    if op == "watch":
        return start(follow_trip(request["watch"], rider, request["trip_id"]))
    if op == "change":
        dropoff = degrees(request, "dropoff")
        changed = rider.change_destination(request["trip_id"], dropoff, request_id=request["request_id"])
        return MessageToDict(await changed)
    if op == "cancel":
        return MessageToDict(await rider.cancel(request["trip_id"], request_id=request["request_id"]))
    if op == "get":
        return MessageToDict(await rider.get(request["trip_id"]))
    raise ValueError(f"op {op} is unknown")


async def answer(request: dict[str, Any]) -> None:
    try:
        write({"id": request["id"], "result": await perform(request)})
    except Exception as error:
        write({"id": request["id"], "error": error_of(error)})


async def main() -> None:
    reader = asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        start(answer(json.loads(line)))
    for driver in drivers.values():
        await driver.close()
    for rider in riders.values():
        await rider.close()


asyncio.run(main())
