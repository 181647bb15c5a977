"""Checks arguments before a call is sent, with the same rules and messages as the service."""

from __future__ import annotations

import re

from ridestream.common.v1.common_pb2 import LatLng
from ridestream.errors import InvalidArgument

MAX_NAME = 64
MAX_PLATE = 16
MAX_TEXT = 256
MAX_SEATS = 8

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def check_id(value: str, field: str) -> None:
    if not _ID.fullmatch(value):
        size = len(value.encode("utf-8", "surrogatepass"))
        raise InvalidArgument(f"{field}: must be 1 to 64 characters of [A-Za-z0-9._:-], has {size} bytes")


def check_text(value: str, limit: int, field: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(f"{field}: must be valid UTF-8") from None
    found = _FORBIDDEN.search(value)
    if found and found.start() <= limit and len(value.encode()) <= 4 * limit:
        code = ord(found.group())
        raise InvalidArgument(f"{field}: must not contain the control character U+{code:04X}")
    if len(value) > limit:
        raise InvalidArgument(f"{field}: must have at most {limit} characters")


def check_range(value: int, low: int, high: int, field: str) -> None:
    if not low <= value <= high:
        raise InvalidArgument(f"{field}: must be {low} to {high}, is {value}")


def place(lat: float, lng: float, field: str = "place") -> LatLng:
    """Returns a place from degrees of latitude and longitude."""
    if not (abs(lat) <= 1e3 and abs(lng) <= 1e3):
        raise InvalidArgument(f"{field}: must be degrees of latitude and longitude")
    lat_e7, lng_e7 = round(lat * 1e7), round(lng * 1e7)
    check_range(lat_e7, -900_000_000, 900_000_000, f"{field}.lat_e7")
    check_range(lng_e7, -1_800_000_000, 1_800_000_000, f"{field}.lng_e7")
    return LatLng(lat_e7=lat_e7, lng_e7=lng_e7)


def check_place(value: LatLng, field: str) -> None:
    check_range(value.lat_e7, -900_000_000, 900_000_000, f"{field}.lat_e7")
    check_range(value.lng_e7, -1_800_000_000, 1_800_000_000, f"{field}.lng_e7")
