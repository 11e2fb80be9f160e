"""Examples of the routes of assemblies."""

from __future__ import annotations

import io
from typing import Any

from tests.access.example import Example
from tests.access.world import Side
from tests.access.world_assemblies import PDF, days_of

TITLES = {f"titles_{code}": "Corrected" for code in ("fr", "nl", "de", "en")}


def _at(assembly: str, form: Any = None, **variables: str) -> Example:
    """A route below an assembly; the variables name attributes of the side."""
    return Example(
        arguments=lambda side: {
            "slug": getattr(side, assembly),
            **{name: getattr(side, value) for name, value in variables.items()},
        },
        form=form or {},
    )


def _assembly_form(side: Side) -> dict[str, Any]:
    return {
        **days_of(side),
        **TITLES,
        "kind": "ordinary",
        "mode": "physical",
        "languages": ["fr", "nl", "de", "en"],
        "place": "Liège",
        "second_of": "",
        **{f"links_{number}_kind": "information" for number in range(3)},
    }


def _upload(side: Side) -> dict[str, Any]:
    return {
        "title": "Budget",
        "language": "",
        "item": "",
        "file": (io.BytesIO(PDF + b"2"), "budget.pdf"),
    }


ITEM = {**TITLES, "kind": "decision"}
RESOLUTION = {**TITLES, "majority_rule": "ordinary"}

ASSEMBLIES = {
    "assemblies.index": Example(),
    "assemblies.show": _at("published"),
    "assemblies.calendar": _at("published"),
    "assemblies.feed": Example(arguments=lambda side: {"token": side.feed_token}),
    "assemblies.my_calendar": Example(),
    "assemblies.create": Example(form=_assembly_form),
    "assemblies.edit": _at("draft", _assembly_form),
    "assemblies.agenda": _at("draft"),
    "assemblies.add_item": _at("draft", ITEM),
    "assemblies.edit_item": _at("draft", ITEM, item="item"),
    "assemblies.move_item": _at("draft", {"move": "down"}, item="item"),
    "assemblies.remove_item": _at("draft", item="item"),
    "assemblies.add_resolution": _at("draft", RESOLUTION, item="item"),
    "assemblies.edit_resolution": _at("draft", RESOLUTION, resolution="resolution"),
    "assemblies.remove_resolution": _at("draft", resolution="resolution"),
    "assemblies.add_candidate": _at("draft", {"name": "Gus"}, resolution="people"),
    "assemblies.edit_candidate": _at(
        "draft", {"name": "Gus"}, resolution="people", candidate="candidate"
    ),
    "assemblies.remove_candidate": _at("draft", resolution="people", candidate="candidate"),
    "assemblies.documents": _at("draft", _upload),
    "assemblies.remove_document": _at("draft", document="document"),
    "assemblies.document": Example(
        arguments=lambda side: {"public_id": side.public_document, "filename": "report.pdf"}
    ),
    "assemblies.publish": _at("draft"),
    "assemblies.notice": _at("published"),
    "assemblies.notice_progress_json": _at("convened"),
    "assemblies.extend_notice": _at("convened"),
    "assemblies.resend_notice": _at("convened"),
    "assemblies.roll": _at("published", {"action": "take"}),
    "assemblies.vote": _at(
        "convened",
        {
            "opens_at": "2018-06-10T09:00",
            "closes_at": "2018-06-28T17:00",
            "credential_mode": "server",
            "group": "Ed25519",
        },
    ),
    "assemblies.hold": _at("past"),
    "assemblies.close": _at("held"),
    "assemblies.cancel": _at("published", {"reason": "the hall burned down"}),
}
