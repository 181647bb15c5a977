"""Errors. Every exception that this package raises on purpose is a RidestreamError."""

from __future__ import annotations

import grpc


class RidestreamError(Exception):
    """The base of all errors of this package."""


class StatusError(RidestreamError):
    """A call ended with a status that a retry doesn't fix."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        retry_after_s: float | None = None,
        *,
        market: str = "",
        address: str = "",
    ):
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        #: Pause before a retry that the service requested, in seconds.
        self.retry_after_s = retry_after_s
        #: Market and host:port that the caller must use instead; empty if none.
        self.market = market
        self.address = address


class InvalidArgument(StatusError):
    """An argument that the service would refuse; raised before anything is sent."""

    def __init__(self, message: str):
        super().__init__(grpc.StatusCode.INVALID_ARGUMENT, message)


class Fenced(StatusError):
    """A newer stream of the same driver, probably on another device, replaced this one."""


class ProtocolError(RidestreamError):
    """The service violated the protocol."""


class CommandRejected(RidestreamError):
    """The service rejected a driver's command. The newest plan shows the current state."""

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message


class DriverStopped(RidestreamError):
    """The driver was closed, or its stream ended permanently, before a command took effect."""


_CODES = {code.value[0]: code for code in grpc.StatusCode}


def code_of(number: int) -> grpc.StatusCode:
    """Returns the status code with this number, or FAILED_PRECONDITION for an unknown one."""
    return _CODES.get(number, grpc.StatusCode.FAILED_PRECONDITION)


def status_of(error: grpc.aio.AioRpcError) -> StatusError:
    """Converts a call's error, with the details in its trailing metadata."""
    details = {
        key: value.decode("ascii", "replace") if isinstance(value, bytes) else value
        for key, value in error.trailing_metadata() or ()
    }
    pause = details.get("retry-after-ms", "")
    is_pause = pause.isascii() and pause.isdigit() and len(pause) <= 9
    kind = Fenced if error.code() == grpc.StatusCode.ABORTED else StatusError
    return kind(
        error.code(),
        error.details() or "",
        int(pause) / 1000 if is_pause else None,
        market=details.get("ridestream-market", ""),
        address=details.get("ridestream-address", ""),
    )
