"""Taking a whole register out and bringing one in: our own full export, and that of Odoo."""

from govern.register.services.exchange.exporting import export_register
from govern.register.services.exchange.importing import ImportedRegister, import_register

__all__ = ["ImportedRegister", "export_register", "import_register"]
