"""Compares the routes and tables that roads_bench --comparison found with Valhalla's.

compare.py MAP.osm.pbf FOLDER [JSON]: reads FOLDER/ours.json, builds Valhalla's tiles in FOLDER, finds the
same with Valhalla on one thread, prints a table, and writes the figures to JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import valhalla

COSTING = "auto"
# Valhalla's methods for tables: its default, which searches from both sides, and one Dijkstra for each source
# or target, whichever are fewer.
METHODS = ("costmatrix", "timedistancematrix")


def quantile(values: list[float], q: float) -> float:
    return sorted(values)[int(q * (len(values) - 1))]


def build_tiles(extract: Path, folder: Path) -> dict[str, Any]:
    """Builds the tiles of `extract` if they are missing or older, and returns Valhalla's configuration."""
    tiles = folder / "tiles" / extract.name
    tiles.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = valhalla.get_config(tile_extract="", tile_dir=tiles)
    # The default limit is 2,500 pairs.
    config["service_limits"]["auto"]["max_matrix_location_pairs"] = 10_000
    for part in config.values():
        if isinstance(part, dict) and "logging" in part:
            part["logging"]["type"] = ""
    path = folder / "valhalla.json"
    path.write_text(json.dumps(config))
    built = tiles / "built"
    if built.exists() and built.stat().st_mtime > extract.stat().st_mtime:
        return config
    print(f"building Valhalla's tiles of {extract} (about 20 s for 3 MB)", file=sys.stderr)
    program = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
    with (folder / "build.log").open("w") as log:
        # In the folder, because the program also writes a file into its working directory.
        done = subprocess.run(
            [program, "-c", path, extract.resolve()], cwd=folder, stdout=log, stderr=log, check=False
        )
    if done.returncode != 0:
        sys.exit(f"compare.py: valhalla_build_tiles failed; see {folder / 'build.log'}")
    built.touch()
    return config


def measure(call: Callable[[str], str], request: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """The answer and the thread's CPU time in microseconds, which includes Valhalla's JSON."""
    text = json.dumps(request)
    start = time.thread_time()
    answer = call(text)
    return json.loads(answer), (time.thread_time() - start) * 1e6


@dataclass
class Pair:
    """A route of both engines: seconds and metres."""

    request: dict[str, Any]
    our_s: float
    our_m: float
    their_s: float
    their_m: float
    turn_s: float
    """The part of their_s that Valhalla adds for turns and crossings."""


def turn_seconds(actor: valhalla.Actor, shape: str) -> float:
    """The turn costs on a route of Valhalla's."""
    attributes = ["node.transition_time", "edge.speed"]
    trace = actor.trace_attributes(
        {
            "encoded_polyline": shape,
            "shape_match": "walk_or_snap",
            "costing": COSTING,
            "filters": {"attributes": attributes, "action": "include"},
        }
    )
    return sum(float(edge.get("end_node", {}).get("transition_time", 0)) for edge in trace["edges"])


@dataclass
class Found:
    """Counts which engine found a route, or the time of a table's cell."""

    both: int = 0
    only_ours: int = 0
    only_theirs: int = 0
    neither: int = 0

    def add(self, ours: bool, theirs: bool) -> bool:
        """Returns whether both found it."""
        self.both += ours and theirs
        self.only_ours += ours and not theirs
        self.only_theirs += theirs and not ours
        self.neither += not ours and not theirs
        return ours and theirs

    def describe(self, what: str) -> str:
        total = self.both + self.only_ours + self.only_theirs + self.neither
        return (
            f"{what}: of {total}, only we found {self.only_ours}, only Valhalla {self.only_theirs}, "
            f"neither {self.neither}"
        )


@dataclass
class Routes:
    pairs: list[Pair] = field(default_factory=list)
    our_us: list[float] = field(default_factory=list)
    their_us: list[float] = field(default_factory=list)
    found: Found = field(default_factory=Found)


def find_routes(actor: valhalla.Actor, ours: list[dict[str, Any]]) -> Routes:
    """Asks Valhalla for the routes of roads_bench. Raises RuntimeError if Valhalla refuses a request."""
    routes = Routes()
    for one in ours:
        request = {
            "locations": [one["from"], one["to"]],
            "costing": COSTING,
            "directions_type": "none",
        }
        try:
            answer, cpu_us = measure(actor.route, request)
        except RuntimeError as error:
            if "No path could be found" not in str(error) and "No suitable edges" not in str(error):
                raise
            routes.found.add("s" in one, False)
            continue
        if not routes.found.add("s" in one, True):
            continue
        summary = answer["trip"]["summary"]
        turn_s = turn_seconds(actor, answer["trip"]["legs"][0]["shape"])
        routes.our_us.append(one["cpu_us"])
        routes.their_us.append(cpu_us)
        routes.pairs.append(
            Pair(request, one["s"], one["m"], summary["time"], summary["length"] * 1e3, turn_s)
        )
    return routes


@dataclass
class Tables:
    our_us: list[float] = field(default_factory=list)
    their_us: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    """Our time divided by Valhalla's, for the cells that both found and whose time isn't 0."""
    found: Found = field(default_factory=Found)


def find_tables(actor: valhalla.Actor, ours: list[dict[str, Any]]) -> dict[str, Tables]:
    """Asks Valhalla for the tables of roads_bench: the tables of each name together."""
    tables: dict[str, Tables] = {}
    for one in ours:
        table = tables.setdefault(one["name"], Tables())
        request = {
            "sources": one["sources"],
            "targets": one["targets"],
            "costing": COSTING,
            "verbose": False,
        }
        answer, cpu_us = measure(actor.matrix, request)
        table.our_us.append(one["cpu_us"])
        table.their_us.append(cpu_us)
        for our_row, their_row in zip(one["s"], answer["sources_to_targets"]["durations"], strict=True):
            for our_s, their_s in zip(our_row, their_row, strict=True):
                if table.found.add(our_s is not None, their_s is not None) and their_s > 0:
                    table.ratios.append(our_s / their_s)
    return tables


def with_method(config: dict[str, Any], method: str) -> valhalla.Actor:
    return valhalla.Actor(config | {"thor": config["thor"] | {"source_to_target_algorithm": method}})


def key_of(name: str) -> str:
    return name.replace(" ", "").replace(",", "_")


class Report:
    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}

    def speed(self, key: str, name: str, our_us: list[float], their_us: list[float]) -> None:
        ours, theirs = statistics.median(our_us) / 1e3, statistics.median(their_us) / 1e3
        self.figures[key] = {"ours_ms": ours, "theirs_ms": theirs, "ratio": ours / theirs}
        print(f"{name:<34}{ours:>10.3f}{theirs:>12.3f}{ours / theirs:>10.4f}")

    def ratio(self, key: str, name: str, ratios: list[float]) -> None:
        p10, p50, p90 = (quantile(ratios, q) for q in (0.1, 0.5, 0.9))
        self.figures[key] = {"p10": p10, "p50": p50, "p90": p90}
        print(f"{name:<46}{p10:>8.3f}{p50:>8.3f}{p90:>8.3f}")


def describe(pair: Pair) -> str:
    start, goal = pair.request["locations"]
    return (
        f"{start['lat']:.5f},{start['lon']:.5f} to {goal['lat']:.5f},{goal['lon']:.5f}: "
        f"ours {pair.our_s:.0f} s {pair.our_m:.0f} m, "
        f"theirs {pair.their_s:.0f} s (turns {pair.turn_s:.0f} s) {pair.their_m:.0f} m"
    )


def main(extract: Path, folder: Path, figures: str) -> None:
    ours = json.loads((folder / "ours.json").read_text())
    config = build_tiles(extract, folder)
    actor = valhalla.Actor(config)
    # Loads the tiles, which is not measured.
    find_routes(actor, ours["routes"][:50])
    routes = find_routes(actor, ours["routes"])
    tables = {
        f"{name}, {method}": table
        for method in METHODS
        for name, table in find_tables(with_method(config, method), ours["tables"]).items()
    }
    report = Report()
    print(f"Valhalla {valhalla.__version__}, costing {COSTING}; load average {os.getloadavg()[0]:.1f}")
    print(f"\n{'CPU ms, median':<34}{'ours':>10}{'Valhalla':>12}{'ratio':>10}")
    for name, table in tables.items():
        report.speed("table_" + key_of(name), f"table {name}", table.our_us, table.their_us)
    report.speed("route", "route", routes.our_us, routes.their_us)

    pairs = routes.pairs
    print(f"\n{'ours / Valhalla':<46}{'p10':>8}{'median':>8}{'p90':>8}")
    report.ratio("time", "route: time", [p.our_s / p.their_s for p in pairs])
    report.ratio(
        "drive_time",
        "route: time, without Valhalla's turn costs",
        [p.our_s / (p.their_s - p.turn_s) for p in pairs],
    )
    report.ratio("distance", "route: distance", [p.our_m / p.their_m for p in pairs])
    for name, table in tables.items():
        report.ratio("time_" + key_of(name), f"table {name}: time", table.ratios)
    turn_share = sum(p.turn_s for p in pairs) / sum(p.their_s for p in pairs)
    report.figures["turn_share"] = turn_share
    print(f"\nTurn costs are {turn_share:.1%} of Valhalla's time")
    print(routes.found.describe("Routes"))
    for name, table in tables.items():
        print(table.found.describe(f"Cells of {name}"))
    by_ratio = sorted(pairs, key=lambda p: p.our_s / p.their_s)
    print("\nFarthest apart:")
    for pair in by_ratio[:3] + by_ratio[-3:]:
        print("  " + describe(pair))
    if figures:
        Path(figures).write_text(json.dumps({"valhalla": report.figures}, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3])
