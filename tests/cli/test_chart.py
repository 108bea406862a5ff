"""The chart: its corners are where the values are."""

from cli.chart import chart


def test_a_falling_line_goes_from_top_left_to_bottom_right() -> None:
    lines = chart({"loss": ("cyan", [1.0, 0.5, 0.0])}, columns=10, rows=5).plain.splitlines()
    canvas = [line.partition("│")[2] for line in lines[:5]]
    assert canvas[0][0] != chr(0x2800)
    assert canvas[4][9] != chr(0x2800)
    assert canvas[0][9] == canvas[4][0] == chr(0x2800)
    assert "loss 0.0000" in lines[-1]
    assert lines[0].strip().startswith("1.000")


def test_nothing_yet_is_an_empty_frame() -> None:
    text = chart({"loss": ("cyan", [])}, columns=10, rows=3).plain
    assert set("".join(line.partition("│")[2] for line in text.splitlines()[:3])) == {chr(0x2800)}
