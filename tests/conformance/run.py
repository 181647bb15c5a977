#!/usr/bin/env python3
"""Runs the same cases with the library of each language against real services.

    run.py --bin FOLDER [--only CASE] LANGUAGE…

Ends with a table of languages and cases. The exit status is 0 if all cases passed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import cases
import rubbish
from adapter import Adapter
from case import Case
from services import Services

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_S = 120.0

JAVA_OUT = "build/clients/java"
JAVA = ["java", "-cp", f"{JAVA_OUT}/test-classes:{JAVA_OUT}/classes:{JAVA_OUT}/libraries/*"]

#: Each adapter's command and working directory.
ADAPTERS = {
    "cpp": (["build/clients/cpp/tests/cpp_adapter"], ROOT),
    "python": ([sys.executable, "adapters/python_adapter.py"], ROOT / "tests/conformance"),
    "go": (["build/conformance/go_adapter"], ROOT),
    "java": ([*JAVA, "org.ridestream.client.conformance.Adapter"], ROOT),
    "node": (["node", "dist/conformance/adapter.js"], ROOT / "clients/node"),
}

#: Each language's two examples, a driver's and a rider's, and their working directory.
EXAMPLES = {
    "cpp": (["build/conformance/cpp/accept_everything"], ["build/conformance/cpp/go_home"], ROOT),
    "python": (
        [sys.executable, "examples/accept_everything.py"],
        [sys.executable, "examples/go_home.py"],
        ROOT / "clients/python",
    ),
    "go": (["build/conformance/go/accept_everything"], ["build/conformance/go/go_home"], ROOT),
    "java": ([*JAVA, "AcceptEverything"], [*JAVA, "GoHome"], ROOT),
    "node": (
        ["node", "dist/examples/accept_everything.js"],
        ["node", "dist/examples/go_home.js"],
        ROOT / "clients/node",
    ),
}

CASES: dict[str, Callable[[Case], Awaitable[None]]] = {
    "its examples": cases.its_examples,
    "a ride": cases.a_ride,
    "a ride that ends otherwise": cases.a_ride_that_ends_otherwise,
    "resume at each point": cases.resume_at_each_point,
    "acks lost and repeated": cases.acks_lost_and_repeated,
    "a second phone": cases.a_second_phone,
    "parallel repeats": cases.parallel_repeats,
    "errors of riders": cases.errors_of_riders,
    "errors of drivers": cases.errors_of_drivers,
    "errors that pass": cases.errors_that_pass,
    "a token that ends": cases.a_token_that_ends,
    "a slow reader": cases.a_slow_reader,
    "a slow handshake": cases.a_slow_handshake,
    "a market that moves": cases.a_market_that_moves,
    "silence and delay": cases.silence_and_delay,
    "rubbish to drivers": rubbish.rubbish_to_drivers,
    "faults of the service": rubbish.faults_of_the_service,
    "news of a newer service": rubbish.news_of_a_newer_service,
    "an end in mid-message": rubbish.an_end_in_mid_message,
    "rubbish to riders": rubbish.rubbish_to_riders,
    # Runs last and alone, because it stops the services.
    "drain and kill": cases.drain_and_kill,
}
ALONE = {"drain and kill"}
TOGETHER = 4


@dataclass
class Outcome:
    seconds: float
    failure: str = ""


async def run_case(name: str, case: Case) -> Outcome:
    began = time.monotonic()
    failure = ""
    try:
        async with asyncio.timeout(LIMIT_S):
            await case.open()
            try:
                await CASES[name](case)
            finally:
                await case.close()
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
    return Outcome(time.monotonic() - began, failure)


async def run_language(language: str, binaries: Path, names: list[str]) -> dict[str, Outcome]:
    folder = Path(tempfile.mkdtemp(prefix="ridestream-conformance."))
    markets = {name: f"m{index}" for index, name in enumerate(names)}
    markets["its examples"] = "city"
    services = Services(binaries, folder, ["elsewhere", *markets.values()])
    adapter = Adapter()
    command, cwd = ADAPTERS[language]
    outcomes: dict[str, Outcome] = {}
    limit = asyncio.Semaphore(TOGETHER)

    async def run(name: str) -> None:
        async with limit:
            outcome = await run_case(name, Case(adapter, services, folder, markets[name], EXAMPLES[language]))
        outcomes[name] = outcome
        mark = "ok" if not outcome.failure else "FAILED"
        print(f"{language:8} {name:28} {mark:6} {outcome.seconds:5.1f} s  {outcome.failure}", flush=True)

    environment = {**os.environ, "GRPC_VERBOSITY": "NONE"}
    try:
        await services.start()
        await adapter.start(command, cwd, environment)
        await asyncio.gather(*(run(name) for name in names if name not in ALONE))
        for name in (name for name in names if name in ALONE):
            await run(name)
        await adapter.stop()
    finally:
        await services.stop()
        if all(not outcome.failure for outcome in outcomes.values()):
            shutil.rmtree(folder)
        else:
            print(f"the logs of the services are in {folder}")
    return outcomes


def print_table(table: dict[str, dict[str, Outcome]], names: list[str]) -> None:
    print(f"\n{'case':28}" + "".join(f"{language:>10}" for language in table))
    for name in names:
        marks = ("ok" if not outcomes[name].failure else "FAILED" for outcomes in table.values())
        print(f"{name:28}" + "".join(f"{mark:>10}" for mark in marks))


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True, help="the folder of the services' binaries")
    parser.add_argument("--only", action="append", choices=CASES, help="a case; may be repeated")
    parser.add_argument("languages", nargs="+", choices=ADAPTERS)
    arguments = parser.parse_args()
    names = [name for name in CASES if not arguments.only or name in arguments.only]
    table = {language: await run_language(language, arguments.bin, names) for language in arguments.languages}
    print_table(table, names)
    return any(outcome.failure for outcomes in table.values() for outcome in outcomes.values())


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
