"""A driver who accepts everything, and is at each stop at once: accept_everything.py LAT LNG."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from ridestream import CommandRejected, Connection, Driver
from ridestream.dispatch.v1.dispatch_pb2 import STOP_KIND_PICK_UP, Offer, Plan, Stop

connection = Connection(
    os.environ["RIDESTREAM_ADDRESS"],
    token=lambda: Path(os.environ["RIDESTREAM_TOKEN_FILE"]).read_text().strip(),
    root_certificates=Path(os.environ["RIDESTREAM_ROOTS"]).read_bytes(),
)


async def drive(lat: float, lng: float) -> None:
    async with Driver(connection, market="city", seats=4, name="Grace") as driver:
        driver.move_to(lat, lng)
        async for event in driver:
            if isinstance(event, Offer):
                await driver.accept(event)
            elif isinstance(event, Plan) and event.stops:
                with contextlib.suppress(CommandRejected):  # The rider may have cancelled.
                    await serve(driver, event.stops[0])


async def serve(driver: Driver, stop: Stop) -> None:
    driver.move_to(stop.place.lat_e7 / 1e7, stop.place.lng_e7 / 1e7)
    if stop.kind == STOP_KIND_PICK_UP:
        await driver.arrived(stop.trip_id)
        await driver.picked_up(stop.trip_id)
    else:
        await driver.dropped_off(stop.trip_id)


asyncio.run(drive(float(sys.argv[1]), float(sys.argv[2])))
