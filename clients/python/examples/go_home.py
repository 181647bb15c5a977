"""A rider who goes home: go_home.py LAT LNG LAT LNG, from where they are to where they live."""

import asyncio
import os
import sys
from pathlib import Path

from ridestream import Connection, Rider, place
from ridestream.trip.v1.trip_pb2 import TripState

connection = Connection(
    os.environ["RIDESTREAM_ADDRESS"],
    token=lambda: Path(os.environ["RIDESTREAM_TOKEN_FILE"]).read_text().strip(),
    root_certificates=Path(os.environ["RIDESTREAM_ROOTS"]).read_bytes(),
)


async def go(lat: float, lng: float, home_lat: float, home_lng: float) -> None:
    async with Rider(connection) as rider:
        quote = await rider.quote("city", place(lat, lng), place(home_lat, home_lng))
        print(f"{quote.fare.total.amount_minor / 100:.2f} {quote.fare.total.currency_code}")
        trip = await rider.request(quote.quote_id, name="Ada", note="blue coat")
        async for update in rider.watch(trip.trip_id):
            print(TripState.Name(update.trip.state), update.trip.driver.name)


asyncio.run(go(*map(float, sys.argv[1:5])))
