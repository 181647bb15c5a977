import pytest

from ridestream import InvalidArgument, checks


@pytest.mark.parametrize("value", ["a", "A-b_c.d:9", "x" * 64])
def test_ids_that_the_service_takes(value: str) -> None:
    checks.check_id(value, "id")


@pytest.mark.parametrize(("value", "size"), [("", 0), ("a b", 3), ("é", 2), ("x" * 65, 65), ("a\n", 2)])
def test_ids_are_refused_in_the_services_words(value: str, size: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        checks.check_id(value, "trip_id")
    words = f"trip_id: must be 1 to 64 characters of [A-Za-z0-9._:-], has {size} bytes"
    assert refused.value.message == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x" * 9, "note: must have at most 8 characters"),
        ("a\x07", "note: must not contain the control character U+0007"),
        ("a\u202e", "note: must not contain the control character U+202E"),
        ("\ud800", "note: must be valid UTF-8"),
        ("\x07" + "x" * 40, "note: must have at most 8 characters"),
    ],
)
def test_texts_are_refused_in_the_services_words(value: str, words: str) -> None:
    checks.check_text("é" * 8, 8, "note")
    with pytest.raises(InvalidArgument) as refused:
        checks.check_text(value, 8, "note")
    assert refused.value.message == words


@pytest.mark.parametrize("lat", [91.0, float("nan"), float("inf")])
def test_places_off_the_earth_are_refused(lat: float) -> None:
    with pytest.raises(InvalidArgument):
        checks.place(lat, 0)
