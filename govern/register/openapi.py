"""The description of the read API as an OpenAPI 3.1 document; a test holds it against the routes.

Descriptions are English only: programmers read them, and the document must be the same for all.
"""

from __future__ import annotations

from typing import Any

from govern.register.models import EndReason, EntryKind, MemberKind
from govern.register.models.api import ApiScope
from govern.register.services.api.reading import DEFAULT_LIMIT, MAX_LIMIT

RATE_LIMIT = "240 per minute"


def _text(description: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "string", **({"description": description} if description else {}), **more}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


_DAY = _text(format="date")
_INTEGER = {"type": "integer"}
_CURSOR = _or_null(_text("Give it as `cursor` for the next page; null on the last one."))


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_SCHEMAS: dict[str, Any] = {
    "Contact": _object(
        {
            "language": _text("The language that the member is written to in."),
            "email": _or_null(_text()),
            "street": _text("May have several lines."),
            "postal_code": _text(),
            "town": _text(),
            "country": _text("Two letters, or empty."),
        }
    ),
    "Member": _object(
        {
            "number": _text("The member number, unique in the cooperative."),
            "kind": _text(enum=[kind.value for kind in MemberKind]),
            "name": _text(),
            "enterprise_number": _or_null(_text("Of an organisation, compact.")),
            "category": _or_null(_text("Code of the category today.")),
            "joined_on": _DAY,
            "ended_on": _or_null(_text("First day no longer covered.", format="date")),
            "end_reason": _or_null(_text(enum=[*(reason.value for reason in EndReason), None])),
            "contact": _ref("Contact"),
        },
        optional=("contact",),
    ),
    "MemberPage": _object(
        {"data": {"type": "array", "items": _ref("Member")}, "next_cursor": _CURSOR}
    ),
    "Head": _object(
        {
            "sequence": {**_INTEGER, "description": "Number of the newest entry known."},
            "hash": _text("Its hash in the chain of the ledger.", pattern="^[0-9a-f]{64}$"),
        }
    ),
    "Holding": _object(
        {
            "number": _text("The member number."),
            "class": _text("Code of the class of shares."),
            "nominal_cents": _INTEGER,
            "shares": {**_INTEGER, "minimum": 1},
            "paid_shares": {**_INTEGER, "minimum": 0},
            "paid_cents": {**_INTEGER, "minimum": 0},
            "numbers": _text("Numbers of the shares as ranges: 1-3,7"),
        }
    ),
    "HoldingPage": _object(
        {
            "on": _DAY,
            "head": _ref("Head"),
            "data": {"type": "array", "items": _ref("Holding")},
            "next_cursor": _CURSOR,
        }
    ),
    "Error": _object(
        {
            "error": _object(
                {
                    "title": _text("A word for the kind of error."),
                    "detail": _text("What is wrong."),
                    "remedy": _text("What to do."),
                    "field": _text("The parameter that it is about."),
                },
                optional=("field",),
            )
        }
    ),
}


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


_COOPERATIVE = {
    "name": "cooperative",
    "in": "path",
    "required": True,
    "schema": _text(),
    "description": "Code of the cooperative that the token belongs to.",
}
_LIMIT = _parameter(
    "limit",
    {**_INTEGER, "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    "How many members a page holds.",
)
_CURSOR_PARAMETER = _parameter("cursor", _text(), "`next_cursor` of the page before.")


def _get(summary: str, scope: ApiScope, schema: str, parameters: list[Any]) -> dict[str, Any]:
    errors = {
        "401": "The token is missing, unknown or no longer good.",
        "403": "The token lacks the scope, or belongs to another cooperative.",
        "404": "There is no such cooperative or member.",
        "422": "A parameter cannot be read; `field` names it.",
        "429": f"More than {RATE_LIMIT} with one token.",
    }
    return {
        "get": {
            "summary": summary,
            "description": f"Needs the scope `{scope.value}`.",
            "security": [{"token": []}],
            "parameters": [_COOPERATIVE, *parameters],
            "responses": {
                "200": {
                    "description": "The data.",
                    "content": {"application/json": {"schema": _ref(schema)}},
                },
                **{
                    status: {
                        "description": words,
                        "content": {"application/json": {"schema": _ref("Error")}},
                    }
                    for status, words in errors.items()
                },
            },
        }
    }


def openapi_document(server: str) -> dict[str, Any]:
    """The document; ``server`` is the address under which the application is reached."""
    base = "/cooperatives/{cooperative}"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "govern: register of members and shares, reading",
            "version": "1",
            "description": (
                "Read the members and the holdings of one cooperative. Every request carries "
                "`Authorization: Bearer <token>`; tokens are made by an administrator of the "
                "cooperative. Amounts are integer cents of euro, days are local calendar days. "
                f"Scopes: {', '.join(ApiScope)}. Kinds of ledger entries behind a holding: "
                f"{', '.join(EntryKind)}."
            ),
        },
        "servers": [{"url": f"{server.rstrip('/')}/api/v1"}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
        "paths": {
            "/openapi.json": {
                "get": {
                    "summary": "This document",
                    "responses": {
                        "200": {
                            "description": "OpenAPI 3.1",
                            "content": {"application/json": {"schema": {"type": "object"}}},
                        }
                    },
                }
            },
            f"{base}/members": _get(
                "Members, in pages",
                ApiScope.MEMBERS,
                "MemberPage",
                [
                    _parameter(
                        "state",
                        _text(enum=["current", "ended", "all"], default="current"),
                        "Which members.",
                    ),
                    _LIMIT,
                    _CURSOR_PARAMETER,
                ],
            ),
            f"{base}/members/{{number}}": _get(
                "One member by number",
                ApiScope.MEMBERS,
                "Member",
                [
                    {
                        "name": "number",
                        "in": "path",
                        "required": True,
                        "schema": _text(),
                        "description": "The member number; it may contain a slash.",
                    }
                ],
            ),
            f"{base}/holdings": _get(
                "Shares held, in pages",
                ApiScope.HOLDINGS,
                "HoldingPage",
                [
                    _parameter("on", _DAY, "At the end of this day; today when missing."),
                    _parameter(
                        "known_at",
                        _text(format="date-time"),
                        "As the book was written at this moment; now when missing.",
                    ),
                    _LIMIT,
                    _CURSOR_PARAMETER,
                ],
            ),
        },
    }
