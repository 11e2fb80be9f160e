"""Addresses of the pages of elections, which have no cooperative in their path."""

from __future__ import annotations

from govern.voting.models import Election


def election_page(election: Election, page: str = "") -> str:
    """The path of an election's public page, or of one of its pages ("booth", "manage")."""
    path = f"/elections/{election.public_id}"
    return f"{path}/{page}" if page else path
