"""The register as an import sees it, and writing a plan into it in one go."""

from govern.register.services.import_register.reading import import_context, load_register
from govern.register.services.import_register.writing import apply_plan, insert_members

__all__ = ["apply_plan", "import_context", "insert_members", "load_register"]
