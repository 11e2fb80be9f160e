"""What a letter with a voting code says, as data for the PDF template.

Imports nothing of Flask: the authority's offline command makes the same letters. Texts come from
the gettext that the caller hands over, in the language of the reader.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import segno

Gettext = Callable[..., str]


def letter_data(
    _: Gettext,
    *,
    election_title: str,
    cooperative_name: str,
    name: str,
    representative: str,
    member_number: str,
    address: Mapping[str, str],
    opens_at: str,
    closes_at: str,
    booth_url: str,
    code: str,
    server_made: bool,
    replaces: bool,
    again: bool,
    is_trial: bool,
) -> dict[str, Any]:
    """The values that ``templates/pdf/voting_code_letter.typ`` shows."""
    paragraphs = [
        _(
            "With this code you vote in “%(title)s”, from %(opens_at)s to %(closes_at)s.",
            title=election_title,
            opens_at=opens_at,
            closes_at=closes_at,
        )
    ]
    if is_trial:
        paragraphs.append(_("This is a trial election: it binds nobody."))
    if replaces:
        paragraphs.append(_("An earlier code for this election is void: only this one counts."))
    if again:
        paragraphs.append(_("This is the same code as before, sent again at your request."))
    warnings = [
        _(
            "Keep the code to yourself. Nobody from the cooperative will ever ask you for it. It "
            "never leaves your device: it signs your vote there."
        ),
        origin_sentence(_, server_made),
    ]
    return {
        "cooperative": cooperative_name,
        "title": _("Your voting code"),
        "subject": _("Voting code of member %(number)s", number=member_number),
        "address": postal_lines(name, representative, address),
        "paragraphs": paragraphs,
        "code_label": _("Your voting code"),
        "code": code,
        "link_label": _("Vote here, after signing in:"),
        "link": booth_url,
        "qr": qr_code(booth_url),
        "qr_text": _("QR code that leads to the voting booth"),
        "warnings": warnings,
        "facts": [
            [_("Member"), name],
            [_("Member number"), member_number],
        ],
    }


def origin_sentence(_: Gettext, server_made: bool) -> str:
    """Who made the code, which mail and letter must both say."""
    if server_made:
        return _(
            "This code was made by the server that also holds the ballot box. On the page of the "
            "election you can see whether a vote was cast in your name."
        )
    return _(
        "This code was made by an authority outside the server that holds the ballot box; the "
        "server does not know it."
    )


def postal_lines(name: str, representative: str, address: Mapping[str, str]) -> list[str]:
    """The lines of the address window, empty ones left out."""
    town = f"{address.get('postal_code', '')} {address.get('town', '')}".strip()
    lines = [name, representative, address.get("street", ""), town, address.get("country", "")]
    return [line for line in lines if line]


def qr_code(text: str) -> str:
    """A QR code as an SVG document."""
    buffer = io.BytesIO()
    segno.make(text, micro=False, error="m").save(buffer, kind="svg", border=2, xmldecl=False)
    return buffer.getvalue().decode()
