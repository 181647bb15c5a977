import pytest

from ridestream import InvalidArgument, checks


@pytest.mark.parametrize("value", ["a", "A-b_c.d:9", "x" * 64])
def test_accepts_ids_that_the_service_accepts(value: str) -> None:
    checks.check_id(value, "id")


@pytest.mark.parametrize(("value", "size"), [("", 0), ("a b", 3), ("é", 2), ("x" * 65, 65), ("a\n", 2)])
def test_invalid_ids_get_the_services_message(value: str, size: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        checks.check_id(value, "trip_id")
    message = f"trip_id: must be 1 to 64 characters of [A-Za-z0-9._:-], has {size} bytes"
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("x" * 9, "note: must have at most 8 characters"),
        ("a\x07", "note: must not contain the control character U+0007"),
        ("a\u202e", "note: must not contain the control character U+202E"),
        ("\ud800", "note: must be valid UTF-8"),
        ("\x07" + "x" * 40, "note: must have at most 8 characters"),
    ],
)
def test_invalid_texts_get_the_services_message(value: str, message: str) -> None:
    checks.check_text("é" * 8, 8, "note")
    with pytest.raises(InvalidArgument) as refused:
        checks.check_text(value, 8, "note")
    assert refused.value.message == message


@pytest.mark.parametrize("lat", [91.0, float("nan"), float("inf")])
def test_coordinates_out_of_range_are_refused(lat: float) -> None:
    with pytest.raises(InvalidArgument):
        checks.place(lat, 0)
