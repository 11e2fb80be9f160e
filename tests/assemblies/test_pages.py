"""The pages of assemblies, as people meet them."""

from __future__ import annotations

import pytest


def test_a_draft_is_hidden_from_everyone_but_its_editors(client, sign_in, officers, draft):
    address = f"/smartcoop/assemblies/{draft.slug}"
    assert client.get(address).status_code == 404
    assert "2018" not in client.get("/smartcoop/assemblies").text
    sign_in(client, officers["secretary"])
    assert client.get(address).status_code == 200


def test_everyone_reads_a_published_assembly_at_the_address_of_its_day(client, published):
    page = client.get("/smartcoop/assemblies/2018-06-19", headers={"Accept-Language": "fr"})
    assert page.status_code == 200
    assert "Approbation des comptes 2017" in page.text
    assert "<strong>approuve</strong>" in page.text


@pytest.mark.parametrize(
    "path",
    ["", "/edit", "/agenda", "/agenda/new", "/documents", "/publish", "/hold", "/close", "/cancel",
     "/notice", "/roll"],
)  # fmt: skip
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_secretary_opens_every_page(client, sign_in, officers, draft, path, language):
    sign_in(client, officers["secretary"])
    page = client.get(
        f"/smartcoop/assemblies/{draft.slug}{path}", headers={"Accept-Language": language}
    )
    assert page.status_code == 200, page.text


def test_the_vote_page_is_the_returning_officers(client, sign_in, officers, published):
    address = f"/smartcoop/assemblies/{published.slug}/vote"
    sign_in(client, officers["officer"])
    assert client.get(address).status_code == 200
    sign_in(client, officers["secretary"])
    assert client.get(address).status_code == 403
