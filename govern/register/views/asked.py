"""An address that asks for a day, a moment or a year that there is not: the form again.

The message stands beside its field, and what was typed stays in it.
"""

from __future__ import annotations

from typing import Any

import flask
from flask import render_template, request

from govern.errors import InvalidInput
from govern.register.views.blueprint import blueprint
from govern.web import error_page, wants_json

PAGES = {
    "register.book_pdf": "register.book_page",
    "register.book_xlsx": "register.book_page",
    "register.book_volume": "register.book_volumes",
    "register.book_member_pdf": "register.book_member",
    "register.year_pdf": "register.year_page",
    "register.year_xlsx": "register.year_page",
}
"""The page that a download belongs to: its form leads there."""


class AskedWrongly(InvalidInput):
    """What the address asks for is not there; ``form`` says beside each field why."""

    def __init__(self, form: Any) -> None:
        self.form = form
        name, errors = next(iter(form.errors.items()))
        super().__init__(" ".join(str(error) for error in errors), field=name)


@blueprint.errorhandler(AskedWrongly)
def ask_again(error: AskedWrongly) -> Any:
    """The form as it was filled in, with what is wrong."""
    if wants_json():
        return error_page(error.status, error.message, error=error)
    endpoint = request.endpoint or ""
    action = flask.url_for(PAGES.get(endpoint, endpoint), **(request.view_args or {}))
    return render_template("register/ask_again.html", form=error.form, action=action), error.status
