"""Which state of an assembly may follow which."""

from __future__ import annotations

import itertools

import pytest

from govern.assemblies.rules import ASSEMBLY_TRANSITIONS, AssemblyState, allows


def test_every_state_says_what_may_follow():
    assert set(ASSEMBLY_TRANSITIONS) == set(AssemblyState)


@pytest.mark.parametrize(
    ("present", "wanted"),
    [("draft", "held"), ("convened", "draft"), ("held", "cancelled"), ("cancelled", "draft")],
)
def test_an_assembly_never_goes_back_nor_skips(present, wanted):
    assert not allows(AssemblyState(present), AssemblyState(wanted))


def test_the_way_of_an_assembly_is_draft_convened_held_closed():
    way = [AssemblyState(s) for s in ("draft", "convened", "held", "closed")]
    assert all(allows(a, b) for a, b in itertools.pairwise(way))
