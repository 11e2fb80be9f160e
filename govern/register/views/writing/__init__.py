"""What a registrar does: each page is a form, one service call, and back to the member."""

from govern.register.views.writing import (  # noqa: F401  (they add their routes)
    admission,
    membership,
    shares,
)
from govern.register.views.writing.pages import (
    METHODS,
    default_day,
    form_page,
    offer_classes,
    submit,
)

__all__ = ["METHODS", "default_day", "form_page", "offer_classes", "submit"]
