"""Certificates say what the ledger says, and anybody can check one without learning a name."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import pypdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from govern.access import SYSTEM
from govern.cooperatives.models import Cooperative
from govern.errors import Conflict
from govern.mail import OutboxMail
from govern.register.models import Membership, ShareCertificate
from govern.register.services import ledger, members
from govern.register.services.certificates import (
    certificate_pdf,
    issue_certificate,
    send_certificate,
)

Make = Callable[..., Membership]
DAY = date(2018, 3, 1)


def words_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_a_certificate_shows_the_numbers_of_the_shares(session: Session, make_member: Make) -> None:
    first, second = make_member(shares=3), make_member(given_name="Bo", shares=2)
    ledger.transfer_shares(session, SYSTEM, first, second, 1, DAY, numbers="2", cause="gift")
    certificate = issue_certificate(session, SYSTEM, second)
    text = words_of(certificate_pdf(session, certificate, "en"))
    assert "Bo Peeters held 3 shares" in text
    assert "2, 4–5" in text
    assert certificate.code in text
    assert f"/smartcoop/certificates/{certificate.code}" in text
    french = words_of(certificate_pdf(session, certificate, "fr"))
    assert "2, 4–5" in french


def test_the_same_state_on_the_same_day_gives_the_same_certificate(
    session: Session, make_member: Make
) -> None:
    member, other = make_member(), make_member(given_name="Bo")
    first = issue_certificate(session, SYSTEM, member)
    ledger.subscribe_shares(session, SYSTEM, other, 1, DAY)
    assert issue_certificate(session, SYSTEM, member).id == first.id
    ledger.subscribe_shares(session, SYSTEM, member, 1, DAY)
    second = issue_certificate(session, SYSTEM, member)
    assert (second.shares_issued, second.shares_paid) == (2, 1)
    # The earlier one can still be made again, as it was.
    assert "held 1 share " in words_of(certificate_pdf(session, first, "en"))


def test_a_certificate_is_mailed_once_to_the_member(session: Session, make_member: Make) -> None:
    member = make_member(email="an@example.org", language="fr")
    for _again in range(2):
        certificate = send_certificate(session, member)
    mail = session.scalars(select(OutboxMail)).one()
    assert (mail.to_address, mail.language) == ("an@example.org", "fr")
    assert certificate.code in mail.text_body
    content = mail.attachments[0].file.content
    assert certificate.code in words_of(content)


def test_a_member_without_address_gets_a_letter(session: Session, make_member: Make) -> None:
    send_certificate(session, make_member(email=""))
    assert session.scalars(select(OutboxMail)).one().channel == "letter"


def test_anybody_can_check_a_certificate_without_learning_a_name(
    client: FlaskClient, session: Session, make_member: Make
) -> None:
    member = make_member(shares=2, paid_cents=3000)
    certificate = issue_certificate(session, SYSTEM, member)
    page = client.get(f"/smartcoop/certificates/{certificate.code}").text
    assert "In order" in page
    assert certificate.digest in page
    for hidden in ("Peeters", member.public_id):
        assert hidden not in page
    spelt = certificate.code.replace("-", " ").lower()
    found = client.get("/smartcoop/certificates", query_string={"code": spelt})
    assert "In order" in client.get(found.location).text
    assert "In order" in client.get(f"/smartcoop/certificates/{certificate.digest}").text
    ledger.subscribe_shares(session, SYSTEM, member, 1, DAY)
    page = client.get(f"/smartcoop/certificates/{certificate.code}").text
    assert "No longer up to date" in page


@pytest.mark.parametrize("code", ["0000-0000-0000-0000", "nonsense", "F" * 64, "%25", "-"])
def test_a_code_that_was_never_given_is_refused(
    code: str, client: FlaskClient, session: Session, make_member: Make
) -> None:
    issue_certificate(session, SYSTEM, make_member())
    answer = client.get(f"/smartcoop/certificates/{code}")
    assert answer.status_code == 404
    assert "has issued no certificate with this code" in answer.text


def test_an_altered_digest_is_not_in_order(
    client: FlaskClient, session: Session, make_member: Make
) -> None:
    digest = issue_certificate(session, SYSTEM, make_member()).digest
    altered = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    assert client.get(f"/smartcoop/certificates/{altered}").status_code == 404


def test_another_cooperative_knows_nothing_of_the_certificate(
    client: FlaskClient,
    session: Session,
    make_member: Make,
    make_cooperative: Callable[..., Cooperative],
) -> None:
    make_cooperative("elsewhere", "Elsewhere")
    code = issue_certificate(session, SYSTEM, make_member()).code
    assert client.get(f"/elsewhere/certificates/{code}").status_code == 404


def test_after_a_corrected_name_the_old_certificate_no_longer_stands(
    client: FlaskClient, session: Session, make_member: Make
) -> None:
    member = make_member()
    certificate = issue_certificate(session, SYSTEM, member)
    members.change_identity(session, SYSTEM, member, given_name="An", family_name="Maes")
    with pytest.raises(Conflict, match="has changed since"):
        certificate_pdf(session, certificate, "en")
    page = client.get(f"/smartcoop/certificates/{certificate.code}").text
    assert "No longer up to date" in page
    assert issue_certificate(session, SYSTEM, member).id != certificate.id


def test_what_is_kept_of_a_certificate_names_nobody() -> None:
    columns = {column.name for column in ShareCertificate.__table__.columns}
    assert not columns & {"name", "member_number", "email", "address", "pdf"}


def test_whoever_tries_many_codes_has_to_wait(
    client: FlaskClient, cooperative: Cooperative
) -> None:
    from govern.extensions import limiter

    limiter.enabled = True
    try:
        answers = [
            client.get(f"/smartcoop/certificates/{number:016x}").status_code for number in range(32)
        ]
    finally:
        limiter.reset()
        limiter.enabled = False
    assert answers[0] == 404
    assert answers[-1] == 429
