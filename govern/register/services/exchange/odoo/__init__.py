"""The export of Odoo's cooperative modules brought in: members, and entries in the order of days.

Every entry carries the number of its operation as its source ("odoo:17"): a later export of the
same register brings only what is new, the same export again changes nothing.
"""

from govern.register.services.exchange.odoo.bringing import OdooImport, import_odoo
from govern.register.services.exchange.odoo.reading import OdooFiles, Said, read_export
from govern.register.services.exchange.odoo.steps import (
    FILES,
    codes_of,
    confirm_odoo_import,
    files_of,
    said_of,
    say_about,
    start_odoo_import,
    write_odoo_import,
    write_odoo_preview,
)

__all__ = [
    "FILES",
    "OdooFiles",
    "OdooImport",
    "Said",
    "codes_of",
    "confirm_odoo_import",
    "files_of",
    "import_odoo",
    "read_export",
    "said_of",
    "say_about",
    "start_odoo_import",
    "write_odoo_import",
    "write_odoo_preview",
]
