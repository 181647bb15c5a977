"""compare.py counts what each engine found, and compares only what both found."""

from __future__ import annotations

import json
import sys
import types
import unittest
from typing import Any

# The real package takes 90 MB; the test answers in its place.
sys.modules["valhalla"] = types.ModuleType("valhalla")
sys.modules["valhalla"].Actor = object  # type: ignore[attr-defined]

import compare  # noqa: E402

HERE = {"lat": 41.1, "lon": -8.6}


class Actor:
    """Answers as Valhalla does, with the answers of the test in their order."""

    def __init__(self, answers: list[dict[str, Any] | str]) -> None:
        self.answers = answers

    def route(self, request: str) -> str:
        json.loads(request)
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return json.dumps(answer)

    matrix = route

    def trace_attributes(self, request: dict[str, Any]) -> dict[str, Any]:
        assert request["encoded_polyline"] == "shape"
        return {"edges": [{"end_node": {"transition_time": 1.5}}, {"end_node": {}}, {}]}


def route(seconds: float, kilometres: float) -> dict[str, Any]:
    return {"trip": {"summary": {"time": seconds, "length": kilometres}, "legs": [{"shape": "shape"}]}}


class Routes(unittest.TestCase):
    def test_compares_what_both_found(self) -> None:
        pair = {"from": HERE, "to": HERE, "cpu_us": 5.0}
        found = pair | {"s": 90.0, "m": 1100.0}
        routes = compare.find_routes(
            Actor([route(100, 1.2), "No path could be found for input", route(7, 1), "No suitable edges"]),
            [found, found, pair, pair],
        )
        self.assertEqual(routes.found, compare.Found(both=1, only_ours=1, only_theirs=1, neither=1))
        self.assertEqual(routes.our_us, [5.0])
        self.assertEqual(len(routes.their_us), 1)
        (only,) = routes.pairs
        self.assertEqual((only.our_s, only.our_m), (90, 1100))
        self.assertEqual((only.their_s, only.their_m, only.turn_s), (100, 1200, 1.5))

    def test_fails_if_valhalla_refuses_a_request(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "exceeds the limit"):
            compare.find_routes(
                Actor(["Path distance exceeds the limit"]), [{"from": HERE, "to": HERE, "cpu_us": 1.0}]
            )


class Tables(unittest.TestCase):
    def test_compares_the_cells_that_both_found(self) -> None:
        one = {"name": "1 x 5", "sources": [HERE], "targets": [HERE] * 5, "cpu_us": 5.0}
        theirs = {"sources_to_targets": {"durations": [[20, None, 30, None, 0]]}}
        tables = compare.find_tables(Actor([theirs]), [one | {"s": [[10, 10, None, None, 0]]}])
        table = tables["1 x 5"]
        self.assertEqual(table.found, compare.Found(both=2, only_ours=1, only_theirs=1, neither=1))
        self.assertEqual(table.ratios, [0.5], "a time of 0 has no ratio")
        self.assertEqual(
            table.found.describe("Cells"), "Cells: of 5, only we found 1, only Valhalla 1, neither 1"
        )

    def test_tables_of_different_size_are_an_error(self) -> None:
        one = {"name": "1 x 2", "sources": [HERE], "targets": [HERE], "cpu_us": 5.0, "s": [[10, 10]]}
        theirs = {"sources_to_targets": {"durations": [[20]]}}
        with self.assertRaises(ValueError):
            compare.find_tables(Actor([theirs]), [one])


class Quantiles(unittest.TestCase):
    def test_are_values_of_the_sorted_list(self) -> None:
        self.assertEqual([compare.quantile([3, 1, 2], q) for q in (0, 0.5, 1)], [1, 2, 3])


if __name__ == "__main__":
    unittest.main()
