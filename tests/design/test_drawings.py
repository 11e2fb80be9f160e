"""Drawings say exactly what the numbers say."""

from __future__ import annotations

import re
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.drawings import Part, draw_bar, draw_columns, draw_gauge, draw_result_bar


def _shapes(drawing: str, kind: str, of_class: str = "") -> list[dict[str, str]]:
    root = ElementTree.fromstring(drawing)  # noqa: S314 - our own
    return [
        dict(each.attrib)
        for each in root.iter(kind)
        if not of_class or of_class in each.get("class", "").split()
    ]


def _share(length: str) -> float:
    return float(length.removesuffix("%")) / 100


def test_a_part_is_as_wide_as_its_share() -> None:
    drawing = draw_result_bar([("For", 3, "for"), ("Against", 1, "against")])
    (part,) = _shapes(drawing, "rect", "part-for")
    assert part["width"] == "75%"


def test_abstentions_stand_at_the_far_end_whatever_the_order() -> None:
    drawing = draw_result_bar([("Abstention", 1, "abstain"), ("For", 1, "for")])
    (part,) = _shapes(drawing, "rect", "part-abstain")
    assert part["x"] == "50%"


@given(
    yes=st.integers(0, 10_000),
    no=st.integers(0, 10_000),
    abstained=st.integers(0, 10_000),
    threshold=st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=12),
)
def test_the_votes_in_favour_reach_the_mark_exactly_when_the_majority_is_reached(
    yes: int, no: int, abstained: int, threshold: Fraction
) -> None:
    parts = [
        Part("For", yes, "for"),
        Part("Against", no, "against"),
        Part("-", abstained, "abstain"),
    ]
    drawing = draw_result_bar(parts, threshold)
    marks = _shapes(drawing, "line", "threshold")
    if yes + no == 0:
        assert not marks
        return
    width = _share(_shapes(drawing, "rect", "part-for")[0]["width"]) if yes else 0.0
    reached = Fraction(yes, yes + no) >= threshold
    # Lengths are written to a ten-thousandth of a per cent.
    if abs(Fraction(yes, yes + no) - threshold) > Fraction(1, 10_000):
        total = yes + no + abstained
        margin = 2e-6 * total / (yes + no)
        assert (width >= _share(marks[0]["x1"]) - margin) == reached or margin > 1e-4


def test_colour_is_never_alone() -> None:
    """Against and abstention also have a texture, and each texture is defined in the drawing."""
    drawing = draw_result_bar([("For", 1, "for"), ("Against", 1, "against"), ("-", 1, "abstain")])
    used = set(re.findall(r"url\(#([\w-]+)\)", drawing))
    assert len(used) == 2
    assert used == set(re.findall(r'<pattern id="([\w-]+)"', drawing))


def test_what_people_wrote_cannot_become_markup() -> None:
    drawing = draw_columns([("<script>alert(1)</script>", 3)])
    assert "<script>" not in drawing
    drawing = draw_result_bar([("x", 1, "for")], Fraction(1, 2), mark='"><script>')
    assert "<script>" not in drawing


def test_nobody_voted_is_an_empty_track() -> None:
    drawing = draw_result_bar([("For", 0, "for"), ("Against", 0, "against")], Fraction(1, 2))
    assert len(_shapes(drawing, "rect")) == 1
    assert not _shapes(drawing, "line")


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="less than 0"):
        draw_result_bar([("For", -1, "for")])


def test_a_gauge_is_good_once_the_quorum_is_there() -> None:
    assert not _shapes(draw_gauge(49, 50, 100), "rect", "part-good")
    assert _shapes(draw_gauge(50, 50, 100), "rect", "part-good")


def test_a_gauge_never_leaves_its_track() -> None:
    (bar,) = _shapes(draw_gauge(150, 50, 100), "rect", "part-good")
    assert bar["width"] == "100%"


def test_the_longest_bar_fills_the_drawing() -> None:
    assert _shapes(draw_bar(7, 7), "rect", "part-first")[0]["width"] == "100%"
    assert not _shapes(draw_bar(0, 7), "rect", "part-first")


def test_no_drawing_carries_a_style() -> None:
    drawings = [
        draw_result_bar([("For", 1, "for")], Fraction(1, 2), "mark"),
        draw_gauge(1, 2, 3, "mark"),
        draw_bar(1, 2),
        draw_columns([("2018", 638)]),
    ]
    assert not any("style=" in drawing for drawing in drawings)
