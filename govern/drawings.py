"""Drawings made on the server: SVG without a view box, so that text keeps its size at any width.

Every drawing is decoration beside a table that says the same (the macros in
``templates/components/drawings.html`` put the two together), so the SVG itself is hidden from
screen readers. Colours come from classes in the stylesheet (no ``style`` attributes, which the
Content-Security-Policy refuses); parts also differ by a pattern, because colour never carries
meaning alone, and patterns survive a black and white printer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from markupsafe import Markup

#: Answers that do not count in the base of a majority are drawn last.
UNCOUNTED = frozenset({"abstain", "blank"})
TONES = ("for", "against", "abstain", "blank", "first", "second", "third", "fourth", "rest")


@dataclass(frozen=True)
class Part:
    """One part of a bar: what it is called, how many, and which look it has (``TONES``)."""

    label: str
    count: int
    tone: str = "first"


PartLike = Part | tuple[str, int, str] | tuple[str, int]


def as_parts(parts: Sequence[PartLike]) -> list[Part]:
    """Parts from tuples (label, count[, tone]), those outside the majority's base last."""
    made = [part if isinstance(part, Part) else Part(*part) for part in parts]
    for part in made:
        if part.count < 0:
            raise ValueError(
                f"the part {part.label!r} counts {part.count}: a bar has no less than 0"
            )
        if part.tone not in TONES:
            raise ValueError(f"the part {part.label!r} has the unknown tone {part.tone!r}")
    return sorted(made, key=lambda part: part.tone in UNCOUNTED)


def draw_result_bar(
    parts: Sequence[PartLike], threshold: Fraction | float | None = None, mark: str = ""
) -> Markup:
    """A bar of the parts with the legal threshold marked.

    ``threshold`` is a share of the base *without* abstentions and blanks (statutes count neither).
    The bar shows all answers, the uncounted ones at the far end, so the mark stands at
    threshold × base ⁄ all: the part "for" reaches it exactly when the majority is reached.
    """
    ordered = as_parts(parts)
    total = sum(part.count for part in ordered)
    base = sum(part.count for part in ordered if part.tone not in UNCOUNTED)
    shapes = [Markup('<rect class="track" x="0" y="8" width="100%" height="32" rx="4"/>')]
    at = Fraction(0)
    for part in ordered:
        if not part.count:
            continue
        width = Fraction(part.count, total)
        shapes.append(_segment(part.tone, at, width, y=8, height=32))
        at += width
    if threshold is not None and base:
        place = _as_fraction(threshold) * Fraction(base, total)
        shapes.append(_threshold(place, mark, top=2, bottom=46, text_y=62))
    height = 68 if threshold is not None and base and mark else 48
    return _svg("result-bar", height, shapes)


def draw_gauge(reached: int, needed: int | None, total: int, mark: str = "") -> Markup:
    """How many of ``total`` are there (present, paid, turned out), with the quorum marked."""
    shapes = [Markup('<rect class="track" x="0" y="8" width="100%" height="20" rx="10"/>')]
    if total > 0 and reached > 0:
        tone = "good" if needed is not None and reached >= needed else "first"
        width = _percent(min(Fraction(1), Fraction(reached, total)))
        shapes.append(
            Markup('<rect class="part-{}" x="0" y="8" width="{}" height="20" rx="10"/>').format(
                tone, width
            )
        )
    has_mark = needed is not None and total > 0
    if needed is not None and total > 0:
        place = min(Fraction(1), Fraction(needed, total))
        shapes.append(_threshold(place, mark, top=2, bottom=34, text_y=50))
    return _svg("gauge", 56 if has_mark and mark else 36, shapes)


def draw_bar(count: int, most: int, stands_out: bool = True) -> Markup:
    """One bar of a list of bars; ``most`` is the count whose bar is as wide as the drawing."""
    shapes = [Markup('<rect class="track" x="0" y="0" width="100%" height="14" rx="3"/>')]
    if most and count:
        tone = "first" if stands_out else "rest"
        shapes.append(_segment(tone, Fraction(0), Fraction(count, most), 0, 14, rx=3))
    return _svg("bar", 14, shapes)


def draw_columns(rows: Sequence[tuple[str, int]], height: int = 160) -> Markup:
    """Columns side by side (turnout over the years): label below, number above each."""
    count = max(1, len(rows))
    most = max((number for _label, number in rows), default=0)
    shapes = [Markup('<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(height)]
    for index, (label, number) in enumerate(rows):
        tall = round(float(Fraction(number, most) * (height - 24)), 1) if most else 0
        middle = _percent(Fraction(2 * index + 1, 2 * count))
        shapes.append(
            Markup('<rect class="part-first" x="{}" y="{}" width="{}" height="{}" rx="3"/>').format(
                _percent(Fraction(10 * index + 2, 10 * count)),
                height - tall,
                _percent(Fraction(6, 10 * count)),
                tall,
            )
        )
        text = Markup('<text x="{}" y="{}" class="{}" text-anchor="middle">{}</text>')
        shapes.append(text.format(middle, height - tall - 6, "value", number))
        shapes.append(text.format(middle, height + 20, "label", label))
    return _svg("columns", height + 28, shapes)


def _as_fraction(value: Fraction | float) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction(str(value))


def _percent(value: Fraction) -> str:
    """A share as an SVG length; four decimals are a hundredth of a pixel on any screen."""
    return f"{float(value * 100):.4f}".rstrip("0").rstrip(".") + "%"


def _segment(tone: str, at: Fraction, width: Fraction, y: int, height: int, rx: int = 0) -> Markup:
    shape = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="{}"{}/>')
    place = (_percent(at), y, _percent(width), height, rx)
    plain = shape.format(f"part-{tone}", *place, "")
    if tone not in _PATTERNS:
        return plain
    return plain + shape.format("texture", *place, Markup(' fill="url(#{})"').format(f"%{tone}%"))


def _threshold(place: Fraction, mark: str, *, top: int, bottom: int, text_y: int) -> Markup:
    x = _percent(place)
    # The wider line below keeps the mark apart from whatever colour it crosses.
    line = Markup("").join(
        Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(kind, x, x, top, bottom)
        for kind in ("halo", "threshold")
    )
    if not mark:
        return line
    anchor = "end" if place > Fraction(1, 2) else "start"
    return line + Markup('<text class="mark" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        x, text_y, anchor, mark
    )


_PATTERNS = {
    "against": '<path d="M-1,9 L9,-1 M-1,1 L1,-1 M7,9 L9,7"/>',
    "abstain": '<circle cx="2" cy="2" r="1"/><circle cx="6" cy="6" r="1"/>',
    "blank": '<circle cx="2" cy="2" r="1"/><circle cx="6" cy="6" r="1"/>',
    "second": '<path d="M-1,9 L9,-1 M-1,1 L1,-1 M7,9 L9,7"/>',
    "third": '<path d="M0,4 H8"/>',
    "fourth": '<path d="M4,0 V8"/>',
}


def _svg(kind: str, height: int, shapes: Sequence[Markup]) -> Markup:
    body = Markup("").join(shapes)
    # Pattern ids must be unique in the page: derive them from what is drawn.
    key = hashlib.sha256(body.encode()).hexdigest()[:8]
    used = [tone for tone in _PATTERNS if f"url(#%{tone}%)" in body]
    defs = Markup("").join(
        Markup(
            '<pattern id="{}" width="8" height="8" patternUnits="userSpaceOnUse">{}</pattern>'
        ).format(f"{tone}-{key}", Markup(_PATTERNS[tone]))  # noqa: S704 - constants above
        for tone in used
    )
    for tone in used:
        body = Markup(body.replace(f"url(#%{tone}%)", f"url(#{tone}-{key})"))  # noqa: S704
    if defs:
        defs = Markup("<defs>{}</defs>").format(defs)
    return Markup(
        '<svg class="drawing {}" width="100%" height="{}" aria-hidden="true" focusable="false">'
        "{}{}</svg>"
    ).format(kind, height, defs, body)


def percent_of(count: int, total: int) -> Fraction:
    """The exact share in per cent; 0 where there is nothing to share."""
    return Fraction(100 * count, total) if total else Fraction(0)


__all__ = [
    "Part",
    "as_parts",
    "draw_bar",
    "draw_columns",
    "draw_gauge",
    "draw_result_bar",
    "percent_of",
]
