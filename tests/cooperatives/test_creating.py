"""A cooperative is added whole, or refused with the field that is wrong."""

from __future__ import annotations

import pytest

from govern.access import SYSTEM
from govern.cooperatives.models import ACCENTS
from govern.cooperatives.services import create_cooperative
from govern.errors import InvalidInput


def test_a_colour_that_no_stylesheet_knows_is_refused(session):
    with pytest.raises(InvalidInput) as refused:
        create_cooperative(
            session, SYSTEM, code="thuis", name="Thuis", country="BE", accent="fuchsia"
        )
    assert refused.value.field == "accent"
    assert all(accent in refused.value.remedy for accent in ACCENTS)
    made = create_cooperative(
        session, SYSTEM, code="thuis", name="Thuis", country="BE", accent="teal"
    )
    assert made.accent == "teal"
