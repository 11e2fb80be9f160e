"""Signing in at the form, as the tests do it."""

from __future__ import annotations

from sqlalchemy import select

from govern.audit import AuditEntry

from .conftest import PASSWORD

WRONG = "three loud herons run"


def post_sign_in(client, identifier, password=PASSWORD, **extra):
    return client.post("/sign-in", data={"identifier": identifier, "password": password, **extra})


def is_signed_in(client):
    return client.get("/profile").status_code == 200


def audit_tags(session):
    return list(session.scalars(select(AuditEntry.tag)))
