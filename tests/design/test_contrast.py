"""Contrast of every pair of colours in use, in both schemes, computed from the stylesheet."""

from __future__ import annotations

import re
from itertools import product

import pytest

from govern.cooperatives.models import ACCENTS
from tests.browser import ROOT

TOKENS = (ROOT / "frontend" / "styles" / "tokens.css").read_text()
LIGHT, DARK = TOKENS.split("@media (prefers-color-scheme: dark)", 1)


def _colours(scheme: str, accent: str) -> dict[str, str]:
    part = LIGHT if scheme == "light" else DARK
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part.split(".accent-", 1)[0]))
    rule = re.search(rf"^ *\.accent-{accent} \{{([^}}]*)\}}", part, re.MULTILINE)
    assert rule, f"{accent} has no colours in the {scheme} scheme"
    found.update(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rule.group(1)))
    found["accent-soft"] = _mix(found["accent"], 0.09, found["surface"])
    return found


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _mix(colour: str, share: float, other: str) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2 (from 1 to 21)."""

    def luminance(colour: str) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (channel / 255 for channel in _channels(colour))
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


TEXT = [
    *product(("ink", "ink-soft", "accent", "accent-strong"), ("ground", "surface", "sunken")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-tone", "bad"),
    ("accent", "accent-soft"),
    ("ink", "accent-soft"),
    *((tone, f"{tone}-soft") for tone in ("good", "warn", "bad", "info")),
    *(("ink", f"{tone}-soft") for tone in ("good", "warn", "bad", "info")),
    *product(("good", "warn", "bad", "info"), ("ground", "surface")),
]
EDGES = [
    *product(("edge", "accent"), ("ground", "surface")),
    *product(("vote-for", "vote-against", "vote-abstain"), ("ground", "surface")),
    ("ink", "ground"),  # the mark of the threshold has an edge of the ground's colour
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ACCENTS)
def test_text_keeps_four_and_a_half_to_one(accent: str, scheme: str) -> None:
    colours = _colours(scheme, accent)
    weak = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in TEXT
        if contrast(colours[pair[0]], colours[pair[1]]) < 4.5
    }
    assert not weak


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ACCENTS)
def test_edges_and_parts_of_drawings_keep_three_to_one(accent: str, scheme: str) -> None:
    colours = _colours(scheme, accent)
    weak = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in EDGES
        if contrast(colours[pair[0]], colours[pair[1]]) < 3
    }
    assert not weak


def test_every_accent_of_the_style_guide_is_one_of_the_stylesheet() -> None:
    assert set(ACCENTS) == set(re.findall(r"\.accent-(\w+)", LIGHT))


def test_black_on_white_is_twenty_one_to_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
