"""Where templates, migrations and built files are: inside an installed package or a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent


def find_folder(name: str) -> Path:
    """The folder ``name`` of the installed package or, in a checkout, of the repository."""
    for candidate in (PACKAGE / name, CHECKOUT / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"{name} is in neither {PACKAGE} nor {CHECKOUT}")


TEMPLATES = find_folder("templates")
MIGRATIONS = find_folder("migrations")
DIST = PACKAGE / "static" / "dist"
