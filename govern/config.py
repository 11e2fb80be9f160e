"""Configuration: read from the environment, checked once at start, no default secret.

``GOVERN_ENV`` is ``production`` (the default outside a checkout), ``demo``, ``development`` or
``testing``. Secrets come from the environment (``GOVERN_SECRET_KEY``: at least 32 characters); in
every environment but production the first start makes one in the instance folder, mode 600.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from govern.errors import ConfigurationError

ENVIRONMENTS = ("production", "demo", "development", "testing")
LOCALES = ("fr", "nl", "de", "en")


@dataclass(frozen=True)
class Config:
    """Everything the application needs to know before it starts."""

    environment: str
    instance_dir: Path
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str | None = field(default=None, repr=False)
    mail_url: str | None = field(default=None, repr=False)
    mail_from: str = "govern <no-reply@localhost>"
    public_url: str = "http://127.0.0.1:5000"
    trusted_proxies: int = 0
    log_level: str = "INFO"
    max_upload_bytes: int = 20 * 1024 * 1024

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def shows_mailbox(self) -> bool:
        """``/mailbox`` exists only where mails go to invented people."""
        return self.environment in ("demo", "development", "testing") and self.mail_url is None

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def redis_socket(self) -> Path:
        """Where the private Redis listens when there is no ``REDIS_URL``."""
        return self.instance_dir / "redis.sock"

    def with_changes(self, **changes: object) -> Config:
        return replace(self, **changes)  # type: ignore[arg-type]


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """Read and check the environment.

    Raises ConfigurationError naming the variable and the remedy.
    """
    env = os.environ if environ is None else environ
    environment = env.get("GOVERN_ENV", "production")
    if environment not in ENVIRONMENTS:
        raise ConfigurationError(
            f"GOVERN_ENV is {environment!r}.", remedy=f"Use one of {', '.join(ENVIRONMENTS)}."
        )
    instance = Path(env.get("GOVERN_INSTANCE", "instance")).absolute()
    instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    database_url = env.get("DATABASE_URL") or f"sqlite:///{instance / 'govern.sqlite'}"
    if urlsplit(database_url).scheme.split("+")[0] not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            "DATABASE_URL names a database that govern does not know.",
            remedy="Use sqlite:////absolute/path or postgresql://user@host/name.",
        )
    port = _whole_number(env, "PORT", 5000)
    public_url = (env.get("PUBLIC_URL") or f"http://127.0.0.1:{port}").rstrip("/")
    if environment == "production" and not public_url.startswith("https://"):
        raise ConfigurationError(
            f"PUBLIC_URL is {public_url!r}.",
            remedy="In production it must start with https://, for links in mails and cookies.",
        )
    return Config(
        environment=environment,
        instance_dir=instance,
        secret_key=_secret_key(env, environment, instance),
        database_url=database_url,
        redis_url=env.get("REDIS_URL") or None,
        mail_url=_mail_url(env, environment),
        mail_from=env.get("MAIL_FROM", "govern <no-reply@localhost>"),
        public_url=public_url,
        trusted_proxies=_whole_number(env, "TRUSTED_PROXIES", 0),
        log_level=env.get("LOG_LEVEL", "INFO").upper(),
        max_upload_bytes=_whole_number(env, "MAX_UPLOAD_BYTES", 20 * 1024 * 1024),
    )


def _secret_key(env: Mapping[str, str], environment: str, instance: Path) -> str:
    value = env.get("GOVERN_SECRET_KEY", "")
    if value:
        if len(value) < 32:
            raise ConfigurationError(
                "GOVERN_SECRET_KEY is shorter than 32 characters.",
                remedy="Make one with: python -c 'import secrets; print(secrets.token_hex(32))'",
            )
        return value
    if environment == "production":
        raise ConfigurationError(
            "GOVERN_SECRET_KEY is not set.",
            remedy="Make one with: python -c 'import secrets; print(secrets.token_hex(32))'",
        )
    path = instance / "secret_key"
    try:
        # O_EXCL: of two processes that start at once, one makes the key and both use it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text().strip()


def _mail_url(env: Mapping[str, str], environment: str) -> str | None:
    value = env.get("MAIL_URL") or None
    if value and urlsplit(value).scheme not in ("smtp", "smtps", "smtp+starttls"):
        raise ConfigurationError(
            "MAIL_URL does not name an SMTP server.",
            remedy="Use smtp://, smtps:// or smtp+starttls://user:password@host:port.",
        )
    if environment == "production" and not value:
        raise ConfigurationError(
            "MAIL_URL is not set.", remedy="Production sends statutory notices: name the server."
        )
    return value


def _whole_number(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, "")
    if not value:
        return default
    if not value.isdecimal():
        raise ConfigurationError(f"{name} is {value!r}.", remedy="Use a whole number.")
    return int(value)
