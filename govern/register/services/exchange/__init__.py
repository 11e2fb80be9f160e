"""Taking a whole register out and bringing one in: our own full export, and that of Odoo."""

from govern.register.services.exchange.exporting import export_register
from govern.register.services.exchange.importing import ImportedRegister, import_register
from govern.register.services.exchange.odoo import OdooFiles, OdooImport, import_odoo

__all__ = [
    "ImportedRegister",
    "OdooFiles",
    "OdooImport",
    "export_register",
    "import_odoo",
    "import_register",
]
