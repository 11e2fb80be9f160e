"""``docs/roles.md``: who may do what, printed from the table that decides it."""

from __future__ import annotations

from govern.access import ROLE_PERMISSIONS, Permission, Role
from govern.accounts.words import PERMISSION_WORDS, ROLE_NAMES, ROLE_PURPOSES
from govern.i18n import speaking

_HEAD = """\
# Roles and what each may do

Printed from the code by `govern accounts roles-table > docs/roles.md`; a test fails when the two
differ. Roles are held per cooperative: a registrar of one cooperative is a stranger in another.
Every role except *member* is given by an administrator of the cooperative, has a first and a last
day, and leaves a trace in the record; a cooperative never loses its last administrator. *Member*
follows from the register. Whoever runs the server gives the first administrator their role with
`govern accounts create` and `govern accounts grant`.

What concerns only oneself (one's own shares, whether one is on a roll, voting) needs no role: it
follows from being that person. What is announced to everybody needs no sign-in.
"""


def roles_table() -> str:
    """The page as Markdown, in English, ending in a line break (needs an application context)."""
    with speaking("en"):
        return f"{_HEAD}\n## Roles\n\n{_purposes()}\n\n## Actions\n\n{_actions()}\n"


def _purposes() -> str:
    return "\n".join(f"- **{ROLE_NAMES[role]}**: {ROLE_PURPOSES[role]}" for role in Role)


def _actions() -> str:
    names = [str(ROLE_NAMES[role]) for role in Role]
    lines = [_row(["Action", *names]), _row(["---"] + [":-:"] * len(names))]
    for permission in Permission:
        allowed = ["yes" if permission in ROLE_PERMISSIONS[role] else "" for role in Role]
        words = str(PERMISSION_WORDS[permission])
        lines.append(_row([f"{words[0].upper()}{words[1:]} (`{permission.value}`)", *allowed]))
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
