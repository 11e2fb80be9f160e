"""What the documentation says about roles is what the code does."""

from __future__ import annotations

from govern.access import Permission, Role
from govern.accounts.roles_table import roles_table
from govern.accounts.words import PERMISSION_WORDS, ROLE_NAMES, ROLE_PURPOSES
from govern.paths import CHECKOUT


def test_every_role_and_every_permission_has_its_words():
    assert set(ROLE_NAMES) == set(ROLE_PURPOSES) == set(Role)
    assert set(PERMISSION_WORDS) == set(Permission)


def test_the_printed_table_is_up_to_date(session):
    printed = (CHECKOUT / "docs" / "roles.md").read_text(encoding="utf-8")
    assert printed == roles_table(), "run: govern accounts roles-table > docs/roles.md"


def test_the_table_marks_what_a_role_may_do(session):
    (line,) = [row for row in roles_table().splitlines() if "`roles.manage`" in row]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:] == [""] * (len(Role) - 1) + ["yes"]
