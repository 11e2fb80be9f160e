"""What is odd in an export of Odoo, as a sentence and a remedy."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from govern.i18n import money
from govern.register.importing.odoo.headers import LINES, PARTNERS, REGISTER
from govern.register.texts.problems import PROBLEM_CODES, Params, Words, problem_text

ODOO_FILE_NAMES = {
    PARTNERS: _l("Partners"),
    REGISTER: _l("Register of operations"),
    LINES: _l("Share lines"),
}


def odoo_text(code: str, params: Params) -> Words:
    """The problem ``code`` in the reader's language."""
    if code not in _ODOO and code in PROBLEM_CODES:
        return problem_text(code, params)
    sentence, remedy = _ODOO[code](params)
    return Words(sentence, remedy)


_ODOO: dict[str, Callable[[Params], tuple[str, str]]] = {
    "name_missing": lambda p: (
        _("The partner has no name."),
        _("Write the name in Odoo and export again."),
    ),
    "left_out": lambda p: (
        _("“%(value)s” cannot be read.", value=p["value"]),
        _("The member is taken over without it; write it in afterwards."),
    ),
    "number_twice": lambda p: (
        _("The number %(value)s stands in row %(first)s already.", value=p["value"],
          first=p["first"]),
        _("Merge the two partners in Odoo, or correct one of the numbers."),
    ),
    "operation_missing": lambda p: (
        _("The operation has no number."),
        _("Export the column “Register Number Operation” too: it tells what came in already."),
    ),
    "operation_twice": lambda p: (
        _("The operation %(value)s stands in row %(first)s already.", value=p["value"],
          first=p["first"]),
        _("Export every operation once."),
    ),
    "operation_unknown": lambda p: (
        _("“%(value)s” is no type of operation.", value=p["value"]),
        _("Known are: subscription, transfer, sell_back, convert."),
    ),
    "operation_changed": lambda p: (
        _("The operation came in before with another day or number of shares (entry "
          "%(sequence)s).", sequence=p["sequence"]),
        _("Nothing was changed. Take the entry back and record what is right."),
    ),
    "day_missing": lambda p: (
        _("The operation has no day."),
        _("Export the column “Subscription Date” too."),
    ),
    "day_ahead": lambda p: (
        _("%(value)s lies ahead.", value=p["value"]),
        _("Correct the date in Odoo and export again."),
    ),
    "shares_none": lambda p: (
        _("The operation moves no share."),
        _("Correct the number in Odoo, or leave the row out."),
    ),
    "price_none": lambda p: (
        _("The share has no price."),
        _("Export the column “Share price” too; a share without value cannot be kept."),
    ),
    "partner_missing": lambda p: (
        _("The operation names nobody."),
        _("Export the column “Cooperator” too."),
    ),
    "receiver_missing": lambda p: (
        _("The transfer does not say who received the shares."),
        _("Export the column “Transfered to” too."),
    ),
    "partner_unknown": lambda p: (
        _("“%(value)s” is not among the partners.", value=p["value"]),
        _("Export all partners that ever held shares, former ones too."),
    ),
    "partner_ambiguous": lambda p: (
        _("Several partners are called “%(value)s”.", value=p["value"]),
        _("Export “Cooperator/ID” instead of the name, and “ID” of the partners."),
    ),
    "partner_without_number": lambda p: (
        _("“%(value)s” has no cooperator number.", value=p["value"]),
        _("Give the partner a number in Odoo, or export the column “Cooperator Number”."),
    ),
    "same_partner": lambda p: (
        _("The shares go to the one who gives them."),
        _("Correct the operation in Odoo."),
    ),
    "other_name": lambda p: (
        _("Number %(value)s is %(name)s here and %(theirs)s in Odoo.", value=p["value"],
          name=p["name"], theirs=p["theirs"]),
        _("Correct the number or the name, or say that the numbers can be trusted."),
    ),
    "member_ended": lambda p: (
        _("The membership %(number)s has ended in this register.", number=p["number"]),
        _("Admit the member under a new number first."),
    ),
    "shares_here": lambda p: (
        _("Member %(number)s holds %(held)s shares here that did not come from Odoo.",
          number=p["number"], held=p["held"]),
        _("If they are those of the export, they would count twice: take their entries back "
          "first."),
    ),
    "class_unknown": lambda p: (
        _("The type “%(value)s” is no class of shares of the rules.", value=p["value"]),
        _("Say which class it is; the rules know: %(known)s.", known=p["known"]),
    ),
    "class_not_for": lambda p: (
        _("Member %(number)s was of category %(category)s then, which may not hold shares of the "
          "class %(share_class)s.", number=p["number"], category=p["category"],
          share_class=p["share_class"]),
        _("It is taken over as it was. These categories may: %(codes)s.", codes=p["known"]),
    ),
    "category_unknown": lambda p: (
        _("The type “%(value)s” does not tell the category of the member.", value=p["value"]),
        _("Say which category it stands for; the rules know: %(known)s.", known=p["known"]),
    ),
    "not_held": lambda p: (
        _("Member %(number)s held only %(held)s such shares on that day and since.",
          number=p["number"], held=p["held"]),
        _("Look for an operation that is missing in the register, or has a wrong day or price."),
    ),
    "later_shortfall": lambda p: (
        _("With this operation the member would hold fewer shares than none on some day."),
        _("Look at what was recorded for the member after that day."),
    ),
    "conversion_incomplete": lambda p: (
        _("The conversion does not say into how many shares of which type."),
        _("Export “Number of share to” and “Share to type” too."),
    ),
    "conversion_uneven": lambda p: (
        _("The shares are worth %(before)s before and %(after)s after the conversion.",
          before=money(p["before"]), after=money(p["after"])),
        _("A conversion keeps the capital: correct the numbers or the price."),
    ),
    "depends_on_bad": lambda p: (
        _("The operation belongs to a member who stays out because of another row."),
        _("Mend the other rows of that member."),
    ),
    "nobody_represents": lambda p: (
        _("Nobody is named as representative of the organisation."),
        _("Taken over, but the organisation cannot vote until somebody is named."),
    ),
    "lines_differ": lambda p: (
        _("Member %(number)s: the register adds up to %(register)s shares of this type, the share "
          "lines to %(lines)s.",
          number=p["number"], register=p["register"], lines=p["lines"]),
        _("The register is taken over. Find out which of the two is right."),
    ),
}  # fmt: skip

ODOO_CODES = frozenset(_ODOO)
