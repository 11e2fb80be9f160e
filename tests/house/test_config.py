"""The environment is checked at start; what is wrong is named, with the remedy."""

from __future__ import annotations

import stat

import pytest

from govern.config import load_config
from govern.errors import ConfigurationError

SECRET = "s" * 32


def _production(folder, **changes) -> dict[str, str]:
    whole = {
        "GOVERN_ENV": "production",
        "GOVERN_INSTANCE": str(folder),
        "GOVERN_SECRET_KEY": SECRET,
        "PUBLIC_URL": "https://example.org",
        "MAIL_URL": "smtps://user:word@mail.example.org",
    }
    return {k: v for k, v in {**whole, **changes}.items() if v}


def test_a_complete_production_environment_is_accepted(tmp_path):
    settings = load_config(_production(tmp_path))
    assert settings.is_production
    assert not settings.shows_mailbox


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"GOVERN_SECRET_KEY": ""}, "GOVERN_SECRET_KEY is not set"),
        ({"GOVERN_SECRET_KEY": "short"}, "shorter than 32"),
        ({"MAIL_URL": ""}, "MAIL_URL is not set"),
        ({"MAIL_URL": "http://mail"}, "MAIL_URL does not name"),
        ({"PUBLIC_URL": "http://example.org"}, "PUBLIC_URL"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"GOVERN_ENV": "prod"}, "GOVERN_ENV"),
        ({"TRUSTED_PROXIES": "one"}, "TRUSTED_PROXIES"),
    ],
)
def test_production_refuses_to_start_without_what_it_needs(tmp_path, changes, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        load_config(_production(tmp_path, **changes))
    assert caught.value.remedy


def test_the_first_start_elsewhere_makes_a_secret_that_stays(tmp_path):
    environment = {"GOVERN_ENV": "demo", "GOVERN_INSTANCE": str(tmp_path)}
    first, second = load_config(environment), load_config(environment)
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) == 64
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_two_instances_have_two_secrets(tmp_path):
    keys = {
        load_config({"GOVERN_ENV": "demo", "GOVERN_INSTANCE": str(tmp_path / name)}).secret_key
        for name in ("a", "b")
    }
    assert len(keys) == 2
