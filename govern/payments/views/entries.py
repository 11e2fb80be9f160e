"""What the statements show: matched, doubtful, unmatched, set aside; and what to do with each."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select

from govern.access import Permission, requires
from govern.errors import NotFound
from govern.extensions import db
from govern.paging import paginate
from govern.payments import forms
from govern.payments.models import (
    BankEntry,
    Doubt,
    EntryState,
    PaymentMatch,
    PaymentRequest,
    RequestState,
)
from govern.payments.rules.bank import is_iban
from govern.payments.services import claims, matching, outgoing, requests
from govern.payments.services.accounts import bank_accounts
from govern.payments.services.entries import live_matches, refund_of_rest, rest_of
from govern.payments.services.following import (
    NOT_OURS,
    likely_originals,
    likely_outgoing,
    settle_outgoing_by_hand,
)
from govern.payments.services.unsaying import said_of, undo_outgoing
from govern.payments.texts import (
    DOUBT_SENTENCES,
    ENTRY_STATE_NAMES,
    OUTGOING_STATE_NAMES,
    RETURN_REFUSED,
)
from govern.payments.views.blueprint import blueprint, entry_of, here, with_reason
from govern.register.rules.folding import search_words
from govern.submitting import act, submit

SHOWN = (
    EntryState.DOUBTFUL,
    EntryState.UNMATCHED,
    EntryState.MATCHED,
    EntryState.RETURNED,
    EntryState.SET_ASIDE,
)
BASE = "/<cooperative>/payments"
_LOOKS_LIKE = (Doubt.KNOWN_PAYER.value, Doubt.KNOWN_NAME.value)


@blueprint.get(BASE)
@requires(Permission.PAYMENTS_READ)
def entry_list(cooperative: str) -> Any:
    """The entries of the statements in one state, the newest first, with a search."""
    session = db.session()
    counted = session.execute(
        select(BankEntry.state, func.count())
        .where(BankEntry.cooperative_id == g.cooperative.id)
        .group_by(BankEntry.state)
    )
    counts: dict[str, int] = {state: count for state, count in counted}  # noqa: C416
    asked = request.args.get("list", "")
    state = (
        EntryState(asked)
        if asked in tuple(EntryState)
        else next((one for one in SHOWN[:2] if counts.get(one.value)), EntryState.MATCHED)
    )
    query = request.args.get("q", "")[:200]
    statement = select(BankEntry).where(
        BankEntry.cooperative_id == g.cooperative.id, BankEntry.state == state.value
    )
    for word in search_words(query):
        statement = statement.where(BankEntry.search_text.contains(word, autoescape=True))
    return render_template(
        "payments/entries.html",
        page=paginate(session, statement.order_by(BankEntry.booked_on.desc(), BankEntry.id.desc())),
        state=state,
        states=[(one, ENTRY_STATE_NAMES[one], counts.get(one.value, 0)) for one in SHOWN],
        query=query,
        doubts=doubt_sentence,
        has_accounts=bool(bank_accounts(session, g.cooperative.id)),
        not_ours=NOT_OURS,
    )


@blueprint.get(f"{BASE}/entries/<entry>")
@requires(Permission.PAYMENTS_READ)
def entry_page(cooperative: str, entry: str) -> Any:
    """One entry: what the bank says, what it is matched to, what can be done."""
    return _page(entry_of(entry), forms.PayerAccountForm())


def _page(found: BankEntry, payer_form: forms.PayerAccountForm) -> str:
    session = db.session()
    is_credit = found.amount_cents > 0
    rest = rest_of(session, found) if is_credit and found.state != "returned" else 0
    waits = found.state in (EntryState.DOUBTFUL.value, EntryState.UNMATCHED.value)
    query = request.args.get("q", "")[:200]
    return render_template(
        "payments/entry.html",
        entry=found,
        payer_form=payer_form,
        state_name=ENTRY_STATE_NAMES[EntryState(found.state)],
        doubt=doubt_sentence(found),
        rest=rest,
        refund=refund_of_rest(session, found) if is_credit else None,
        matches=_matches_of(found),
        has_account=is_iban(found.counterparty_iban),
        live={match.id for match in live_matches(session, found)},
        waits=waits,
        may_write=g.actor.may(Permission.PAYMENTS_WRITE, g.cooperative.id),
        query=query,
        offered=_offered(found, query, rest) if waits and is_credit and rest else [],
        originals=likely_originals(session, found) if waits and not is_credit else [],
        payments=likely_outgoing(session, found)
        if waits and (found.is_return or found.outgoing_id or not is_credit)
        else [],
        payment_states=OUTGOING_STATE_NAMES,
        claims=claims.claims_of(session, found),
        said=said_of(session, found),
        not_ours=NOT_OURS,
    )


@blueprint.post(f"{BASE}/entries/<entry>/match")
@requires(Permission.PAYMENTS_WRITE)
def match_entry(cooperative: str, entry: str) -> Any:
    """Match a credit to the open request that was chosen."""
    found = entry_of(entry)
    wanted = requests.request_by_public_id(
        db.session(), g.cooperative, request.form.get("request", "")[:22]
    )
    return act(
        lambda: matching.match_by_hand(db.session(), g.actor, found, wanted),
        _("The payment was matched."),
        lambda _match: here("entry_page", entry=entry),
    )


@blueprint.route(f"{BASE}/entries/<entry>/undo/<match>", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_WRITE)
def undo_match(cooperative: str, entry: str, match: str) -> Any:
    """Take a wrong match back."""
    found = entry_of(entry)
    wrong = db.session.scalar(
        select(PaymentMatch).where(
            PaymentMatch.public_id == match, PaymentMatch.bank_entry_id == found.id
        )
    )
    if wrong is None:
        raise NotFound(_("There is no such match."), remedy=_("Reload the page of the entry."))
    return with_reason(
        lambda reason: matching.undo_match(db.session(), g.actor, wrong, reason),
        title=_("Undo the match"),
        consequences=(
            _("The request is open again for the amount that was matched."),
            _("What the share ledger recorded for it is taken back, visibly, as of the same day."),
            _("The entry is unmatched again; a refund that was planned for it is cancelled."),
        ),
        action=_("Undo the match"),
        done=_("The match was undone."),
        back=here("entry_page", entry=entry),
    )


@blueprint.route(f"{BASE}/entries/<entry>/set-aside", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_WRITE)
def set_aside(cooperative: str, entry: str) -> Any:
    """Say that an entry is about something else."""
    found = entry_of(entry)
    return with_reason(
        lambda reason: matching.set_aside(db.session(), g.actor, found, reason),
        title=_("Set the entry aside"),
        consequences=(
            _("Nothing is recorded for it, and it no longer waits for anybody."),
            _("It can be taken up again at any time."),
        ),
        action=_("Set aside"),
        done=_("The entry was set aside."),
        back=here("entry_page", entry=entry),
    )


@blueprint.post(f"{BASE}/entries/<entry>/take-up")
@requires(Permission.PAYMENTS_WRITE)
def take_up(cooperative: str, entry: str) -> Any:
    """Put an entry that was set aside back among those that wait."""
    found = entry_of(entry)
    return act(
        lambda: matching.take_up_again(db.session(), g.actor, found),
        _("The entry waits again."),
        lambda _nothing: here("entry_page", entry=entry),
    )


@blueprint.post(f"{BASE}/entries/<entry>/give-back")
@requires(Permission.PAYMENTS_WRITE)
def give_back(cooperative: str, entry: str) -> Any:
    """Plan to pay back what is left of a credit."""
    found = entry_of(entry)
    form = forms.PayerAccountForm()
    if is_iban(found.counterparty_iban):
        form.iban.validators = []
    return submit(
        form,
        lambda: _page(entry_of(entry), form),
        lambda: matching.give_rest_back(db.session(), g.actor, found, iban=form.iban.data or ""),
        _("The refund is planned. It leaves once it is released and in a payment file."),
        lambda _payment: here("entry_page", entry=entry),
    )


@blueprint.post(f"{BASE}/entries/<entry>/return")
@requires(Permission.PAYMENTS_WRITE)
def return_entry(cooperative: str, entry: str) -> Any:
    """Say which credit a debit takes back."""
    found = entry_of(entry)
    original = entry_of(request.form.get("original", "")[:22])
    return act(
        lambda: matching.return_by_hand(db.session(), g.actor, found, original),
        _("The returned payment was taken back."),
        lambda _nothing: here("entry_page", entry=entry),
    )


@blueprint.route(f"{BASE}/entries/<entry>/claim/<original>", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_WRITE)
def claim_entry(cooperative: str, entry: str, original: str) -> Any:
    """Record a return that cannot be booked any more as a claim on the payer."""
    found, credit = entry_of(entry), entry_of(original)
    return with_reason(
        lambda reason: claims.settle_as_claim(db.session(), g.actor, found, credit, reason),
        title=_("Record a claim on the payer"),
        consequences=(
            _("The share ledger stays as it is: the shares count as paid."),
            _("Both entries say that the money went back, with your reason."),
            _("What was planned to be given back of that payment is cancelled."),
            _("Ask the payer for the money. If it turns out to be no claim, it can be undone."),
        ),
        action=_("Record the claim"),
        done=_("The claim was recorded."),
        back=here("entry_page", entry=entry),
    )


@blueprint.route(f"{BASE}/entries/<entry>/undo-claim/<claim>", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_WRITE)
def undo_claim(cooperative: str, entry: str, claim: str) -> Any:
    """Say that a claim on a payer was none."""
    found = entry_of(entry)
    wrong = next(
        (one for one in claims.claims_of(db.session(), found) if one.public_id == claim), None
    )
    if wrong is None:
        raise NotFound(_("There is no such claim."), remedy=_("Reload the page of the entry."))
    return with_reason(
        lambda reason: claims.undo_claim(db.session(), g.actor, wrong, reason),
        title=_("Undo the claim"),
        consequences=(
            _("The payment received counts as before, and the debit waits again."),
            _("What the claim called off is planned to be given back again."),
            _("The claim stays on this page, with both reasons."),
        ),
        action=_("Undo the claim"),
        done=_("The claim was undone."),
        back=here("entry_page", entry=entry),
    )


@blueprint.post(f"{BASE}/entries/<entry>/outgoing")
@requires(Permission.PAYMENTS_WRITE)
def settle_outgoing(cooperative: str, entry: str) -> Any:
    """Say which payment of ours an entry is, or brings back."""
    found = entry_of(entry)
    payment = outgoing.outgoing_by_public_id(
        db.session(), g.cooperative, request.form.get("payment", "")[:22]
    )
    return act(
        lambda: settle_outgoing_by_hand(db.session(), g.actor, found, payment),
        _("The payment was followed."),
        lambda _nothing: here("entry_page", entry=entry),
    )


@blueprint.route(f"{BASE}/entries/<entry>/undo-outgoing/<said>", methods=["GET", "POST"])
@requires(Permission.PAYMENTS_WRITE)
def undo_settled(cooperative: str, entry: str, said: str) -> Any:
    """Say that an entry is not that payment of ours, or not that payment come back."""
    found = entry_of(entry)
    wrong = next((one for one in said_of(db.session(), found) if one.public_id == said), None)
    if wrong is None:
        raise NotFound(_("There is no such match."), remedy=_("Reload the page of the entry."))
    is_debit = found.amount_cents < 0
    return with_reason(
        lambda reason: undo_outgoing(db.session(), g.actor, wrong, reason),
        title=_("Undo the match"),
        consequences=(
            _("The payment stands where it stood before: what it was for counts as not paid.")
            if is_debit
            else _("The payment counts as arrived, or as on its way, as it did before."),
            _("The entry waits again."),
            _("Whoever was written to meanwhile is not written to again: tell them yourself."),
        ),
        action=_("Undo the match"),
        done=_("The match was undone."),
        back=here("entry_page", entry=entry),
    )


def doubt_sentence(entry: BankEntry) -> str:
    """Why an entry waits, "" where it does not."""
    if entry.doubt == Doubt.LEDGER_REFUSED.value and entry.amount_cents < 0:
        return str(RETURN_REFUSED)
    if entry.doubt in _LOOKS_LIKE and entry.candidate and not entry.candidate.is_open:
        # Paid by another entry since.
        return _("Nothing expected fits it.")
    return str(DOUBT_SENTENCES[Doubt(entry.doubt)]) if entry.doubt else ""


def _matches_of(entry: BankEntry) -> list[PaymentMatch]:
    return list(
        db.session.scalars(
            select(PaymentMatch)
            .where(PaymentMatch.bank_entry_id == entry.id)
            .order_by(PaymentMatch.id)
        )
    )


def _offered(entry: BankEntry, query: str, rest: int) -> list[PaymentRequest]:
    """Open requests that were searched for; before a search the likely one and same amounts."""
    statement = select(PaymentRequest).where(
        PaymentRequest.cooperative_id == entry.cooperative_id,
        PaymentRequest.state == RequestState.OPEN.value,
    )
    words = search_words(query)
    for word in words:
        statement = statement.where(PaymentRequest.search_text.contains(word, autoescape=True))
    if not words:
        statement = statement.where(
            (PaymentRequest.amount_cents - PaymentRequest.paid_cents == rest)
            | (PaymentRequest.id == (entry.candidate_id or 0))
        )
    return list(
        db.session.scalars(
            statement.order_by(
                PaymentRequest.id != (entry.candidate_id or 0),
                PaymentRequest.due_on,
                PaymentRequest.id,
            ).limit(20)
        )
    )
