"""The application factory: the only place where everything meets."""

from __future__ import annotations

from typing import Any

from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry
from werkzeug.middleware.proxy_fix import ProxyFix

from govern import components, database, health, i18n, logs, web
from govern.config import Config, load_config
from govern.extensions import csrf, db, limiter, login_manager
from govern.jobs import broker
from govern.paths import PACKAGE, TEMPLATES


def create_app(config: Config | None = None) -> Flask:
    """Make the application from ``config`` (default: read from the environment and checked)."""
    settings = config or load_config()
    app = Flask(
        "govern",
        instance_path=str(settings.instance_dir),
        template_folder=str(TEMPLATES),
        static_folder=str(PACKAGE / "static"),
        root_path=str(PACKAGE),
    )
    app.config.update(
        GOVERN=settings,
        TESTING=settings.environment == "testing",
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        SESSION_COOKIE_NAME="govern",
        PREFERRED_URL_SCHEME=settings.public_url.split(":", 1)[0],
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        **_rate_limits(settings),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        # While one thread notices that Redis is away, the others would fail: they go on unlimited.
        RATELIMIT_SWALLOW_ERRORS=True,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, count, count, count)  # type: ignore[method-assign]
    db.init_app(app)
    with app.app_context():
        database.configure_engine(db.engine)
    logs.register_request_log(app)
    csrf.init_app(app)
    limiter.init_app(app)
    login_manager.init_app(app)
    i18n.register_languages(app)
    components.register_components(app)
    _register_features(app)
    web.refuse_undeclared_routes(app)
    return app


def _engine_options(settings: Config) -> dict[str, Any]:
    """Errors of the database do not quote values; a lost PostgreSQL connection is replaced."""
    return {
        "hide_parameters": settings.is_production,
        "pool_pre_ping": not settings.is_sqlite,
        "pool_size": 10,
        "max_overflow": 20,
    }


def _rate_limits(settings: Config) -> dict[str, Any]:
    """Limits are counted in Redis; when it is away each process counts for itself, at once."""
    if settings.environment == "testing":
        return {"RATELIMIT_STORAGE_URI": "memory://"}
    return {
        "RATELIMIT_STORAGE_URI": settings.redis_url
        or f"redis+unix://{broker.private_socket(settings)}",
        "RATELIMIT_STORAGE_OPTIONS": {
            "socket_timeout": 1.0,
            "socket_connect_timeout": 0.5,
            "retry": Retry(NoBackoff(), 0),
        },
    }


def _register_features(app: Flask) -> None:
    """Bind each feature: its blueprint, its signal subscriptions, its actor and sign-in hooks."""
    from govern import styleguide
    from govern.accounts import setup as accounts
    from govern.accounts.identity import load_actor
    from govern.assemblies import setup as assemblies
    from govern.cooperatives import views as cooperatives
    from govern.home import views as home
    from govern.joining import setup as joining
    from govern.leaving import setup as leaving
    from govern.outbox import setup as outbox
    from govern.payments import setup as payments
    from govern.register import setup as register
    from govern.voting import setup as voting

    web.register_edge(app, load_actor)
    health.register(app)
    accounts.register(app)
    home.register(app)
    cooperatives.register(app)
    outbox.register(app)
    register.register(app)
    payments.register(app)
    joining.register(app)
    leaving.register(app)
    voting.register(app)
    assemblies.register(app)
    styleguide.register(app)
