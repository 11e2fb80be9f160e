"""What is wrong with a file or a cell, as a sentence and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from govern.i18n import money


@dataclass(frozen=True)
class Words:
    """What is wrong, and what to do about it."""

    sentence: str
    remedy: str


Params = Mapping[str, Any]


def problem_text(code: str, params: Params) -> Words:
    """The problem ``code`` of an import (or of a form) in the reader's language."""
    sentence, remedy = _PROBLEMS[code](params)
    return Words(sentence, remedy)


def _rows(params: Params) -> str:
    return ", ".join(map(str, params["rows"]))


def file_text(code: str, params: Params) -> Words:
    """Why a file cannot be read at all."""
    sentence, remedy = _FILES[code](params)
    return Words(sentence, remedy)


_FILES: dict[str, Callable[[Params], tuple[str, str]]] = {
    "file_empty": lambda p: (
        _("The file is empty."),
        _("Choose a file with a heading and one row per member."),
    ),
    "file_kind_unknown": lambda p: (
        _("The file is neither a CSV file nor an XLSX workbook."),
        _("Save the register as CSV or XLSX and try again."),
    ),
    "file_old_excel": lambda p: (
        _("The file is a workbook of an old Excel version, or is protected by a password."),
        _("Open it, remove the password and save it as XLSX or CSV."),
    ),
    "file_encoding_unknown": lambda p: (
        _("The characters of the file cannot be read as UTF-8 or Windows-1252."),
        _("Save it as “CSV UTF-8” and try again."),
    ),
    "file_quotes_open": lambda p: (
        _("A quotation mark in the file is opened and never closed."),
        _("Look for a cell with a single quotation mark, or save the register as XLSX."),
    ),
    "file_workbook_damaged": lambda p: (
        _("The workbook is damaged or protected by a password."),
        _("Open it, save it again as XLSX without a password, and try again."),
    ),
    "file_too_large_unpacked": lambda p: (
        _("The workbook unpacks to far more than a register needs."),
        _("Save only the sheet with the register, as CSV."),
    ),
    "file_too_many_rows": lambda p: (
        _("The file has more than %(limit)s rows.", limit=p["limit"]),
        _("Split it into several files; each may be imported by itself."),
    ),
    "file_too_many_columns": lambda p: (
        _("The file has more than %(limit)s columns.", limit=p["limit"]),
        _("Keep the columns of the register only."),
    ),
    "file_columns_missing": lambda p: (
        _("Columns that are needed were not recognised: %(columns)s.", columns=p["columns"]),
        _("Say on the next page which column holds what, or rename the columns in the file."),
    ),
}


_PROBLEMS: dict[str, Callable[[Params], tuple[str, str]]] = {
    # what cannot be read
    "number_missing": lambda p: (
        _("There is no member number."),
        _("Give the row the member’s number."),
    ),
    "number_unknown": lambda p: (
        _("“%(value)s” is not a member number.", value=p["value"]),
        _("Use up to 40 letters and digits; . / _ - and blanks may stand between them."),
    ),
    "number_twice": lambda p: (
        _("Other rows with the same member number: %(rows)s.", rows=_rows(p)),
        _("Give each member a number of their own; none of these rows is imported."),
    ),
    "name_missing": lambda p: (
        _("There is no name."),
        _("Write the family name, or the name of the organisation."),
    ),
    "holder_unclear": lambda p: (
        _("There is neither a given name nor an enterprise number."),
        _("A person needs a given name, an organisation an enterprise number."),
    ),
    "holder_both": lambda p: (
        _("There is both a given name and an enterprise number."),
        _("Keep the given name for a person, or the enterprise number for an organisation."),
    ),
    "representative_missing": lambda p: (
        _("The organisation has no representative."),
        _("Name the one person who votes for it: given name and family name."),
    ),
    "date_unknown": lambda p: (
        _("“%(value)s” is not a date.", value=p["value"]),
        _("Write it as 31/12/2017, 31.12.2017 or 2017-12-31."),
    ),
    "date_impossible": lambda p: (
        _("“%(value)s” is a day that does not exist.", value=p["value"]),
        _("Look the date up and write it as 31/12/2017 or 2017-12-31."),
    ),
    "date_implausible": lambda p: (
        _("“%(value)s” is too long ago or too far ahead.", value=p["value"]),
        _("Look the date up; the year has four digits."),
    ),
    "birth_in_future": lambda p: (
        _("The birth date “%(value)s” lies ahead.", value=p["value"]),
        _("Look the birth date up."),
    ),
    "joined_missing": lambda p: (
        _("There is no joining date."),
        _("Write the day on which the member was admitted."),
    ),
    "left_before_joined": lambda p: (
        _("The leaving date lies before the joining date."),
        _("Look both dates up."),
    ),
    "amount_unknown": lambda p: (
        _("“%(value)s” is not an amount of money.", value=p["value"]),
        _("Write it as 30, 30,00 or € 30.00, with at most two decimals."),
    ),
    "amount_negative": lambda p: (
        _("The amount “%(value)s” is negative.", value=p["value"]),
        _("Write what was paid in; refunds are recorded on the member’s page."),
    ),
    "amount_too_large": lambda p: (
        _("The amount “%(value)s” is too large.", value=p["value"]),
        _("Look the amount up."),
    ),
    "shares_missing": lambda p: (
        _("The number of shares is missing."),
        _("Write how many shares the member holds; 0 is allowed."),
    ),
    "shares_unknown": lambda p: (
        _("“%(value)s” is not a number of shares.", value=p["value"]),
        _("Write a whole number in digits."),
    ),
    "shares_negative": lambda p: (
        _("The number of shares “%(value)s” is negative.", value=p["value"]),
        _("Write how many shares the member holds; refunds are recorded on the member’s page."),
    ),
    "shares_too_many": lambda p: (
        _("The number of shares “%(value)s” is too large.", value=p["value"]),
        _("Look the number up."),
    ),
    "paid_without_shares": lambda p: (
        _("An amount was paid, but there are no shares."),
        _("Write how many shares were subscribed."),
    ),
    "category_missing": lambda p: (
        _("There is no category."),
        _("Use one of: %(known)s.", known=p["known"]),
    ),
    "category_unknown": lambda p: (
        _("“%(value)s” is not a category of this cooperative.", value=p["value"]),
        _("Use one of: %(known)s.", known=p["known"]),
    ),
    "share_class_unknown": lambda p: (
        _("“%(value)s” is not a class of shares of this cooperative.", value=p["value"]),
        _("Use one of: %(known)s.", known=p["known"]),
    ),
    "share_class_not_for": lambda p: (
        _(
            "Members of category %(category)s cannot hold shares of the class “%(value)s”.",
            category=p["category"],
            value=p["value"],
        ),
        _("These categories may: %(codes)s.", codes=p["known"]),
    ),
    "share_class_needed": lambda p: (
        _(
            "Members of category %(category)s cannot hold ordinary shares, and no class is named.",
            category=p["category"],
        ),
        _("Name the class of the shares. Ordinary shares are for: %(codes)s.", codes=p["known"]),
    ),
    "email_invalid": lambda p: (
        _("“%(value)s” is not an e-mail address.", value=p["value"]),
        _("Write it as name@example.org, or leave the cell empty for letters by post."),
    ),
    # In a form, where there are no cells, and where an address may be needed.
    "email_mistyped": lambda p: (
        _("“%(value)s” is not an e-mail address.", value=p["value"]),
        _("Write it as name@example.org."),
    ),
    "language_unknown": lambda p: (
        _("“%(value)s” is not one of the languages.", value=p["value"]),
        _("Use FR, NL, DE or EN."),
    ),
    "country_unknown": lambda p: (
        _("“%(value)s” is not a country.", value=p["value"]),
        _("Use the two-letter code, such as BE, or the country’s name."),
    ),
    "enterprise_number_invalid": lambda p: (
        _(
            "“%(value)s” is not an enterprise number of %(country)s: the check digits do not fit.",
            value=p["value"],
            country=p["country"],
        ),
        _("Look the number up, and the country of the organisation’s seat."),
    ),
    "too_long": lambda p: (
        _("The text is longer than %(limit)s characters.", limit=p["limit"]),
        _("Shorten it."),
    ),
    "too_many_cells": lambda p: (
        _("The row has more cells than the heading."),
        _("Put a text that contains the separator between quotation marks."),
    ),
    # what the register says otherwise
    "other_holder": lambda p: (
        _("In the register this number belongs to somebody else: %(name)s.", name=p["name"]),
        _("Look the member number up; a changed name is corrected on the member’s page."),
    ),
    "name_differs": lambda p: (
        _("In the register the name is written “%(register)s”.", register=p["register"]),
        _("The register is kept; correct the name on the member’s page if the file is right."),
    ),
    "birth_date_differs": lambda p: (
        _("In the register the birth date is %(register)s.", register=p["register"]),
        _("The register is kept; correct it on the member’s page if the file is right."),
    ),
    "enterprise_number_differs": lambda p: (
        _("In the register the enterprise number is %(register)s.", register=p["register"]),
        _("The register is kept; correct it on the member’s page if the file is right."),
    ),
    "representative_differs": lambda p: (
        _("In the register the representative is %(register)s.", register=p["register"]),
        _("The register is kept; name another representative on the member’s page."),
    ),
    "category_differs": lambda p: (
        _("In the register the category is %(register)s.", register=p["register"]),
        _("The register is kept; change the category on the member’s page, with its day."),
    ),
    "joined_differs": lambda p: (
        _("In the register the joining date is %(register)s.", register=p["register"]),
        _("The register is kept. Nothing needs to be done if it is right."),
    ),
    "ending_differs": lambda p: (
        _("In the register the membership ended on %(register)s.", register=p["register"]),
        _("The register is kept. Nothing needs to be done if it is right."),
    ),
    "was_erased": lambda p: (
        _("Data of this member were erased after the ending."),
        _("The register is kept. Nothing needs to be done if it is right."),
    ),
    "shares_differ": lambda p: (
        ngettext(
            "In the register the member holds %(num)d share.",
            "In the register the member holds %(num)d shares.",
            p["register"],
        ),
        _(
            "An import never rewrites the ledger: record the subscription, transfer or refund "
            "on the member’s page, with its day."
        ),
    ),
    "paid_differs": lambda p: (
        _("In the register %(register)s has been paid.", register=money(p["register"])),
        _(
            "An import never rewrites the ledger: record the payment or refund on the member’s "
            "page, with its day."
        ),
    ),
    # what is pointed out
    "partly_paid": lambda p: (
        _(
            "%(paid)s was paid of %(due)s: shares that are not paid in full give no vote.",
            paid=money(p["paid"]),
            due=money(p["due"]),
        ),
        _("Accepted. Record the rest on the member’s page when it arrives."),
    ),
    "overpaid": lambda p: (
        _(
            "%(paid)s was paid for shares worth %(due)s.",
            paid=money(p["paid"]),
            due=money(p["due"]),
        ),
        _("Accepted as an over-payment. Look it up; give it back or subscribe more shares."),
    ),
    "no_shares": lambda p: (
        _("The member holds no share."),
        _("Accepted, but not on any roll until a share is subscribed and paid."),
    ),
    "joins_in_future": lambda p: (
        _("The joining date “%(value)s” lies ahead.", value=p["value"]),
        _("Accepted, but not on any roll before that day. Look the date up."),
    ),
    "same_email": lambda p: (
        _("Other rows with the same e-mail address: %(rows)s.", rows=_rows(p)),
        _("Possible duplicate. Two people may share an address; one person joins once."),
    ),
    "same_person": lambda p: (
        _("Other rows with the same name and birth date: %(rows)s.", rows=_rows(p)),
        _("Possible duplicate. Keep one row if it is the same person: one person, one vote."),
    ),
    "same_enterprise": lambda p: (
        _("Other rows with the same enterprise number: %(rows)s.", rows=_rows(p)),
        _("Possible duplicate. Keep one row if it is the same organisation."),
    ),
    "same_email_in_register": lambda p: (
        _("Member %(number)s in the register has the same e-mail address.", number=p["number"]),
        _("Possible duplicate. Two people may share an address; one person joins once."),
    ),
    "same_person_in_register": lambda p: (
        _(
            "Member %(number)s in the register has the same name and birth date.",
            number=p["number"],
        ),
        _("Possible duplicate. Leave the row out if it is the same person."),
    ),
    "same_enterprise_in_register": lambda p: (
        _("Member %(number)s in the register has the same enterprise number.", number=p["number"]),
        _("Possible duplicate. Leave the row out if it is the same organisation."),
    ),
    "held_back": lambda p: (
        _("Held back as a possible duplicate, as you asked."),
        _("Keep one of the rows, or import again without holding back."),
    ),
    # what was done
    "blanks_trimmed": lambda p: (
        _("Blanks around the text were removed."),
        _("Nothing needs to be done."),
    ),
    "lines_kept": lambda p: (
        _("The text has more than one line."),
        _("Accepted: the lines are kept."),
    ),
    "lines_joined": lambda p: (
        _("The text has more than one line."),
        _("Accepted: the lines are joined."),
    ),
    "no_email": lambda p: (
        _("There is no e-mail address."),
        _("Accepted: letters go by post."),
    ),
    "no_email_no_address": lambda p: (
        _("There is neither an e-mail address nor a postal address."),
        _("Accepted, but the member cannot be reached. Ask for an address."),
    ),
    "no_birth_date": lambda p: (
        _("There is no birth date."),
        _("Accepted, but the same person written twice cannot be noticed."),
    ),
    "language_default": lambda p: (
        _("There is no language."),
        _("Accepted: %(language)s is used.", language=p["language"]),
    ),
    "country_default": lambda p: (
        _("There is no country."),
        _("Accepted: %(country)s is used.", country=p["country"]),
    ),
}


PROBLEM_CODES = frozenset(_PROBLEMS)
