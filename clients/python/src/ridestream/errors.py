"""What can go wrong. Every exception that this package raises on purpose is a RidestreamError."""

from __future__ import annotations

import grpc


class RidestreamError(Exception):
    """The base of all errors of this package."""


class StatusError(RidestreamError):
    """A call ended with a status that trying again doesn't mend."""

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
        #: The pause that the service asked for, in seconds.
        self.retry_after_s = retry_after_s
        #: The market, and the host:port, that the caller has to go to instead; empty: none.
        self.market = market
        self.address = address


class InvalidArgument(StatusError):
    """A value that the service would refuse; raised before anything is sent."""

    def __init__(self, message: str):
        super().__init__(grpc.StatusCode.INVALID_ARGUMENT, message)


class Fenced(StatusError):
    """A newer stream of the same driver took over: another device drives."""


class ProtocolError(RidestreamError):
    """The service sent something that the protocol forbids."""


class CommandRejected(RidestreamError):
    """The service couldn't carry a driver's command out. The newest plan says what holds."""

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message


class DriverStopped(RidestreamError):
    """The driver was closed, or its stream ended for good, before a command had its effect."""


_CODES = {code.value[0]: code for code in grpc.StatusCode}


def code_of(number: int) -> grpc.StatusCode:
    """The status code of that number. One that doesn't exist is FAILED_PRECONDITION."""
    return _CODES.get(number, grpc.StatusCode.FAILED_PRECONDITION)


def status_of(error: grpc.aio.AioRpcError) -> StatusError:
    """The call's error, with what its trailing metadata say."""
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
