"""Roles and permissions in words: for the page of roles and for ``docs/roles.md``."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from govern.access import ROLE_PERMISSIONS, Permission, Role

ROLE_NAMES: Mapping[Role, LazyString] = {
    Role.MEMBER: _l("Member"),
    Role.REGISTRAR: _l("Registrar"),
    Role.TREASURER: _l("Treasurer"),
    Role.SECRETARY: _l("Secretary"),
    Role.RETURNING_OFFICER: _l("Returning officer"),
    Role.TRUSTEE: _l("Trustee"),
    Role.AUDITOR: _l("Auditor"),
    Role.ADMINISTRATOR: _l("Administrator"),
}

ROLE_PURPOSES: Mapping[Role, LazyString] = {
    Role.MEMBER: _l("Holds at least one paid share; follows from the register."),
    Role.REGISTRAR: _l("Keeps the register of members and shares."),
    Role.TREASURER: _l("Reads bank statements, matches what was paid and releases payments."),
    Role.SECRETARY: _l("Prepares and convenes assemblies."),
    Role.RETURNING_OFFICER: _l("Runs the votes and answers lost voting codes."),
    Role.TRUSTEE: _l("Keeps a key without which no result can be opened."),
    Role.AUDITOR: _l("Looks at everything that proves what was done, and changes nothing."),
    Role.ADMINISTRATOR: _l("Gives and ends roles and keeps the rules of the cooperative."),
}

PERMISSION_WORDS: Mapping[Permission, LazyString] = {
    Permission.ROLES_MANAGE: _l("give and end roles"),
    Permission.AUDIT_READ: _l("read the record of who did what"),
    Permission.OUTBOX_READ: _l("see which mails and letters left, and which failed"),
    Permission.OUTBOX_RESEND: _l("send again what failed"),
    Permission.RULES_MANAGE: _l("record the rules that the statutes lay down"),
    Permission.REGISTER_READ: _l("read the whole register, with addresses"),
    Permission.REGISTER_WRITE: _l("admit members, record shares, change contact data"),
    Permission.REGISTER_IMPORT: _l("import a register from a file"),
    Permission.BOOK_READ: _l("consult the share register: names, categories, numbers of shares"),
    Permission.API_MANAGE: _l("let other programs read the register, and stop them"),
    Permission.PAYMENTS_READ: _l("see payments asked for, received and made"),
    Permission.PAYMENTS_WRITE: _l("read bank statements and match payments"),
    Permission.PAYMENTS_RELEASE: _l("release payments and make the file for the bank"),
    Permission.BANK_ACCOUNTS_MANAGE: _l("name the bank accounts of the cooperative"),
    Permission.ASSEMBLY_READ: _l("read assemblies that are announced to members"),
    Permission.ASSEMBLY_EDIT: _l("prepare assemblies, their agenda and their resolutions"),
    Permission.NOTICE_SEND: _l("send the notice of an assembly"),
    Permission.ROLL_TAKE: _l("take and freeze the roll of an assembly"),
    Permission.ROLL_READ: _l("read who is on a roll"),
    Permission.ROLL_CORRECT: _l("correct a roll before the vote opens, giving a reason"),
    Permission.ELECTION_MANAGE: _l("prepare, open, extend, close and cancel a vote"),
    Permission.ELECTION_READ: _l("follow a vote that is being prepared"),
    Permission.CREDENTIALS_MANAGE: _l("have voting codes made, and a lost one sent again"),
    Permission.TRUSTEE_ACT: _l("make a key and open the sum of the ballots with it"),
}


def permissions_in_words(role: Role) -> list[str]:
    """What a role may do, in the order of the table of permissions."""
    return [
        str(PERMISSION_WORDS[permission])
        for permission in Permission
        if permission in ROLE_PERMISSIONS[role]
    ]
