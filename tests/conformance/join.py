#!/usr/bin/env python3
"""Adds drivers and riders of each language's library to a city while a command loads it.

    join.py --bin FOLDER --join python=20,go=5 -- COMMAND ARGUMENT…

Adds N drivers and N riders per language. The supervisor runs this script and passes the addresses of the
services in the environment (./ride demo --join). Riders request rides one after another for the command's
--seconds; drivers serve the whole city until the command ends. Then prints the rides of each language.

The exit status is that of the command, or 1 if a library failed or a language neither requested nor
served a ride.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path

from adapter import Adapter, Failed
from people import City, DriverLife, RiderLife
from run import ADAPTERS


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
        """Runs until it is cancelled."""
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
        asked = self.counts["asked"]
        print(
            f"  {self.language:8}{self._people:10}{driven:10}{asked:10}{rides:10}{others:16}"
            f"{len(self.failures):10}"
        )
        for failure in self.failures[:5]:
            print(f"    {failure}")

    def is_clean(self) -> bool:
        return not self.failures and self.counts["dropped_off"] + self.counts["asked"] > 0


def languages(text: str) -> dict[str, int]:
    joined = {}
    for pair in text.split(","):
        language, _, people = pair.partition("=")
        if language not in ADAPTERS or not people.isdigit() or not 1 <= int(people) <= 1_000:
            raise argparse.ArgumentTypeError(
                f"{pair}: must be LANGUAGE=N; LANGUAGE is one of {', '.join(ADAPTERS)}, N is 1 to 1000"
            )
        joined[language] = int(people)
    return joined


async def live_beside(command: list[str], city: City, libraries: list[Library], seconds: float) -> int:
    """Runs the command and, meanwhile, the drivers and riders. Returns the command's status."""
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
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    # The command's flags that describe the city.
    flags = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    flags.add_argument("--seconds", type=float, default=60)
    flags.add_argument("--market", default="city")
    flags.add_argument("--clock_rate", type=float, default=os.environ.get("RIDESTREAM_CLOCK_RATE", "1"))
    of_city = flags.parse_known_args(arguments.command)[0]
    with tempfile.TemporaryDirectory(prefix="ridestream-join.") as folder:
        city = City(arguments.bin, of_city.market, of_city.clock_rate, Path(folder))
        await city.look()
        libraries = [Library(language, people, city) for language, people in arguments.join.items()]
        for library in libraries:
            await library.start()
        status = await live_beside(arguments.command, city, libraries, of_city.seconds)
        for library in libraries:
            await library.stop()
    columns = f"{'each':>10}{'driven':>10}{'asked':>10}{'ridden':>10}{'ended otherwise':>16}{'failures':>10}"
    print(f"\njoined    {columns}")
    for library in libraries:
        library.print_row()
    return status or int(not all(library.is_clean() for library in libraries))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
