"""What a stranger finds after the first `make run`."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.conftest import need_tool
from tests.demo.conftest import run_govern

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]


def page(app, path, language="en"):
    with app.test_client() as client:
        response = client.get(path, headers={"Accept-Language": language})
        assert response.status_code == 200, path
        return response.text


def sign_in(client, identifier):
    form = client.get("/sign-in").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form).group(1)
    password = "seventeen-swans-vote-at-noon"
    client.post(
        "/sign-in", data={"csrf_token": token, "identifier": identifier, "password": password}
    )


def votes(app, code):
    return re.findall(r'href="/elections/(\w+)"', page(app, f"/{code}/elections"))


@pytest.mark.parametrize(
    ("code", "day", "sentence"),
    [("smartcoop", "2018-06-19", "19 June 2018"), ("smartfr", "2018-06-18", "18 June 2018")],
)
def test_the_assemblies_of_june_2018_are_there_with_invented_figures(demo_app, code, day, sentence):
    shown = page(demo_app, f"/{code}/assemblies/{day}")
    assert sentence in shown
    assert "invented for the demonstration" in shown
    assert "Chiffres et formulations inventés" in page(
        demo_app, f"/{code}/assemblies/{day}", language="fr"
    )


def test_a_finished_vote_is_linked_from_public_pages(demo_app):
    assembly = page(demo_app, "/smartcoop/assemblies/2018-06-19")
    (uuid,) = set(re.findall(r"/elections/(\w+)", assembly))
    assert "Result" in page(demo_app, f"/elections/{uuid}")


@pytest.mark.peer
@pytest.mark.parametrize("code", ["smartcoop", "smartfr"])
def test_the_peer_verifier_accepts_the_votes_of_2018(demo_app, tmp_path, code):
    tool = need_tool("belenios-tool")
    uuid = votes(demo_app, code)[-1]
    with demo_app.test_client() as client:
        archive = client.get(f"/elections/{uuid}/{uuid}.bel").data
    (tmp_path / f"{uuid}.bel").write_bytes(archive)
    done = subprocess.run(
        [tool, "election", "verify", "--dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "all checks passed" in done.stdout + done.stderr


def test_the_sample_member_can_vote_at_once(demo_app):
    uuid = votes(demo_app, "smartcoop")[0]
    with demo_app.test_client() as client:
        sign_in(client, "amina@example.org")
        booth = client.get(f"/elections/{uuid}/booth")
        assert booth.status_code == 200
        assert "Amina Lejeune" in booth.text
        mails = client.get("/mailbox?q=amina@example.org").text
    assert len(set(re.findall(r'href="(/mailbox/[^"?]+)"', mails))) == 2, "a notice and a code"


def test_one_person_stands_in_the_register_twice_since_the_assemblies_of_2018(demo_app):
    with demo_app.test_client() as client:
        sign_in(client, "registrar@smartcoop.example.org")
        pairs = client.get("/smartcoop/register/quality/duplicates").text
    assert ">Jérôme Dupont</a>" in pairs
    assert ">Jerome Dupont</a>" in pairs


def test_a_second_start_finds_everything_made(demo_instance):
    assert run_govern(demo_instance, "demo", "create", "--if-absent").returncode == 0
    again = run_govern(demo_instance, "demo", "create")
    assert again.returncode != 0
    assert "exists already" in again.stdout + again.stderr


def test_the_demonstration_is_not_made_beside_real_data(tmp_path):
    assert run_govern(tmp_path, "db", "upgrade").returncode == 0
    arguments = ("--code", "real", "--name", "Real", "--country", "BE", "--rules", "be-2020")
    assert run_govern(tmp_path, "cooperatives", "create", *arguments).returncode == 0
    done = run_govern(tmp_path, "demo", "create", "--if-absent")
    assert done.returncode != 0
    assert "not empty" in done.stdout + done.stderr
    listed = run_govern(tmp_path, "cooperatives", "list").stdout
    assert listed.startswith("real\t")


def test_the_chains_of_the_demonstration_verify(demo_instance):
    assert run_govern(demo_instance, "audit-log", "verify").returncode == 0
    for code in ("smartcoop", "smartfr"):
        done = run_govern(demo_instance, "register", "verify", "--cooperative", code)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_name_the_sample_accounts(demo_instance):
    shown = run_govern(demo_instance, "demo", "show").stdout
    assert "amina@example.org" in shown
    assert "open now: http://127.0.0.1:5000/elections/" in shown
