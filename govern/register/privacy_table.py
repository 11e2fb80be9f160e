"""``docs/privacy.md``: what each role sees, printed from the table that decides it."""

from __future__ import annotations

from govern.access import Role
from govern.accounts.words import ROLE_NAMES
from govern.i18n import speaking
from govern.register.rules.privacy import PUBLIC, SELF, VISIBLE, FieldGroup
from govern.register.texts.privacy import FIELD_GROUP_CONTENTS, FIELD_GROUP_NAMES

_HEAD = """\
# Who sees what of a member

Printed from the code by `govern register privacy-table > docs/privacy.md`; a test fails when the
two differ. Pages, exports and the read interface of the register ask this one table
(`govern/register/rules/privacy.py`). *Fellow member* is any member of the same cooperative: the
law lets every member consult the register, restricted to names, categories and numbers of shares.
*Person concerned* is the member, or who represents a member organisation. Somebody with several
roles sees what any of them sees; in another cooperative everybody is *the public*.
"""

_TAIL = """\
## Who looked

Whoever holds an office and opens the full record of a member, or the file of how they leave, leaves
a line: account, member, day (one per day), in the record of who did what as
`register:member:read`. Taking the whole register out (CSV, XLSX) leaves
`register:members:exported`. The person concerned reads on *My data* which
role looked on which day, without the name of the officer. Clients of the read interface have their
own record.

## A person's own export

*My data* gives a ZIP with `data.json` and `data.html` (`data.css` is its form): everything that is
kept about the person, in all cooperatives of this installation. It asks for the password once more,
or for a sign-in by a fresh link, and is limited to a few times an hour. It ties nobody to a ballot,
and whether somebody took part in a vote stays on the page of that vote.

## Erasure

A member asks on *My data*; a registrar carries it out or answers why not. It happens in two steps,
and each is recorded (`register:erasure:…`).

1. Once the membership has ended and no share is left to be refunded: e-mail and postal address,
   remarks, notes about addresses, the texts and addresses of mails and letters, applications, and
   the account unless another membership, an organisation or an office needs it.
2. When the years are over during which the book must be kept (`leaving.keep_years` of the rule set
   in force when the membership ended): name and birth date, what opens the ledger's commitments to
   who the holder was, the contact data on rolls, who looked. A job does it on that day by itself;
   `govern register erase-due` does it by hand, with `--everybody` for former members who never
   asked.

Mails and letters about a membership carry its public identifier (`about` of the outbox), so that
they are found whatever name and address they went to. That ties nobody to more than the row does
already, which names the recipient. Rows without it (about an account, or from before there was
such a column) are found by name and address: a letter to a namesake is left alone, and a mail to a
former address under a former name stays until the outbox itself is emptied.

Somebody to whom a member wants to give shares, and who is no member yet, is known by name and
address until that request ends (thirty days, unless they apply): then both go, also in the mail
that invited them.

The chain of the share ledger verifies after both (`govern register verify`): it holds commitments,
never names. The name on a roll stays, because the published digest of the roll covers it and rolls
belong to the minutes.

**Backups hold copies until they are overwritten.** An erasure does not reach into a backup that was
made before it. Whoever restores one has to carry out again the erasures made since: the record of
who did what of the newer database names them (`register:erasure:begun` and `…:completed`).
On PostgreSQL an erased row leaves the file once `VACUUM` has passed, and write-ahead logs that are
archived are copies too; on SQLite it is overwritten at once.
"""


def privacy_table() -> str:
    """The page as Markdown, in English, ending in a line break (needs an application context)."""
    with speaking("en"):
        return f"{_HEAD}\n## The table\n\n{_table()}\n\n## The parts\n\n{_parts()}\n\n{_TAIL}"


def _viewers() -> list[tuple[str, str]]:
    roles = [
        (role.value, "Fellow member" if role is Role.MEMBER else str(ROLE_NAMES[role]))
        for role in Role
    ]
    return [(SELF, "Person concerned"), *roles, (PUBLIC, "Public")]


def _table() -> str:
    viewers = _viewers()
    lines = [
        _row(["Part of the record", *(name for _viewer, name in viewers)]),
        _row(["---"] + [":-:"] * len(viewers)),
    ]
    for group in FieldGroup:
        cells = ["yes" if viewer in VISIBLE[group] else "" for viewer, _name in viewers]
        lines.append(_row([str(FIELD_GROUP_NAMES[group]), *cells]))
    return "\n".join(lines)


def _parts() -> str:
    return "\n".join(
        f"- **{FIELD_GROUP_NAMES[group]}**: {FIELD_GROUP_CONTENTS[group]}" for group in FieldGroup
    )


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
