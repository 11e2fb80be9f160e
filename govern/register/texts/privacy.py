"""The words for the parts of a record, for what blocks, and for likenesses."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from govern.register.models import ContactChannel, ErasureState, MergeKind
from govern.register.rules.privacy import FieldGroup
from govern.register.rules.quality import Blocker
from govern.register.services.quality.duplicates import Likeness

FIELD_GROUP_NAMES = {
    FieldGroup.NAME: _l("Name"),
    FieldGroup.NUMBER: _l("Member number"),
    FieldGroup.CATEGORY: _l("Category"),
    FieldGroup.SHARES: _l("Number of shares"),
    FieldGroup.MEMBERSHIP: _l("Membership"),
    FieldGroup.LEDGER: _l("Share ledger"),
    FieldGroup.REPRESENTATIVE: _l("Representative"),
    FieldGroup.ENTERPRISE_NUMBER: _l("Enterprise number"),
    FieldGroup.REACHED_BY: _l("Reached by"),
    FieldGroup.CONTACT: _l("Contact data"),
    FieldGroup.BIRTH_DATE: _l("Birth date"),
    FieldGroup.ADDRESS_PROBLEMS: _l("Addresses that do not work"),
    FieldGroup.REMARKS: _l("Remarks"),
    FieldGroup.HISTORY: _l("History"),
    FieldGroup.READINGS: _l("Who looked"),
    FieldGroup.ERASURE: _l("Erasure"),
}

FIELD_GROUP_CONTENTS = {
    FieldGroup.NAME: _l("name of the person or organisation"),
    FieldGroup.NUMBER: _l("the number under which the member stands in the register"),
    FieldGroup.CATEGORY: _l("the category, now and before"),
    FieldGroup.SHARES: _l("how many shares are held and paid"),
    FieldGroup.MEMBERSHIP: _l("days of admission and ending, and the reason of the ending"),
    FieldGroup.LEDGER: _l("each entry with its dates, shares and capital; certificates"),
    FieldGroup.REPRESENTATIVE: _l("who represents an organisation, from when to when"),
    FieldGroup.ENTERPRISE_NUMBER: _l("the number of an organisation"),
    FieldGroup.REACHED_BY: _l("whether notices go by e-mail or by post, without the address"),
    FieldGroup.CONTACT: _l("e-mail, postal address, language"),
    FieldGroup.BIRTH_DATE: _l("the day of birth"),
    FieldGroup.ADDRESS_PROBLEMS: _l("addresses that were refused or came back, and why"),
    FieldGroup.REMARKS: _l("what the registrar noted about entries and about the ending"),
    FieldGroup.HISTORY: _l("which changes were made on which day"),
    FieldGroup.READINGS: _l("which role opened the record on which day"),
    FieldGroup.ERASURE: _l("requests to erase and what became of them"),
}

BLOCKER_NAMES = {
    Blocker.NO_SHARE: _l("No share"),
    Blocker.NO_PAID_SHARE: _l("No paid share"),
    Blocker.NO_CATEGORY: _l("No category"),
    Blocker.NO_REPRESENTATIVE: _l("No representative"),
    Blocker.TWICE: _l("Two memberships of one member"),
    Blocker.UNREACHABLE: _l("No e-mail and no address"),
    Blocker.EMAIL_REFUSED: _l("E-mail comes back"),
    Blocker.LETTER_RETURNED: _l("Letters come back"),
}

BLOCKER_MEANINGS = {
    Blocker.NO_SHARE: _l(
        "A vote needs a paid share: record the shares, or the end of the membership."
    ),
    Blocker.NO_PAID_SHARE: _l("Only a share that is paid in full gives a vote."),
    Blocker.NO_CATEGORY: _l("A roll says for each member in which category they vote."),
    Blocker.NO_REPRESENTATIVE: _l("An organisation votes through one named person."),
    Blocker.TWICE: _l("One member has one vote: bring the two memberships together."),
    Blocker.UNREACHABLE: _l("The notice of an assembly cannot be sent."),
    Blocker.EMAIL_REFUSED: _l("The notice would come back: ask for another address."),
    Blocker.LETTER_RETURNED: _l("The notice would come back: ask for another address."),
}

LIKENESS_NAMES = {
    Likeness.EMAIL: _l("same e-mail address"),
    Likeness.NAME: _l("same name and birth date"),
    Likeness.ENTERPRISE: _l("same enterprise number"),
    Likeness.SAME_HOLDER: _l("the same member twice"),
}

CHANNEL_NAMES = {
    ContactChannel.EMAIL: _l("E-mail"),
    ContactChannel.POST: _l("Postal address"),
}

MERGE_NAMES = {
    MergeKind.PERSON: _l("Two entries of one person"),
    MergeKind.ORGANISATION: _l("Two entries of one organisation"),
    MergeKind.MEMBERSHIP: _l("Two memberships of one member"),
}

ERASURE_STATE_NAMES = {
    ErasureState.REQUESTED: _l("To be answered"),
    ErasureState.WITHDRAWN: _l("Taken back"),
    ErasureState.REFUSED: _l("Refused"),
    ErasureState.PARTIAL: _l("Begun; the book is kept"),
    ErasureState.COMPLETE: _l("Erased"),
}
