"""Drivers and riders of Ridestream. See README.md."""

from ridestream.checks import place
from ridestream.connection import Connection, TokenSource
from ridestream.driver import Driver
from ridestream.errors import (
    CommandRejected,
    DriverStopped,
    Fenced,
    InvalidArgument,
    ProtocolError,
    RidestreamError,
    StatusError,
)
from ridestream.rider import Rider
from ridestream.session import Connected, Disconnected, Event

__all__ = [
    "CommandRejected",
    "Connected",
    "Connection",
    "Disconnected",
    "Driver",
    "DriverStopped",
    "Event",
    "Fenced",
    "InvalidArgument",
    "ProtocolError",
    "Rider",
    "RidestreamError",
    "StatusError",
    "TokenSource",
    "place",
]
