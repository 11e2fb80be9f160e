from tests.browser import chromium, live_server, open_page

__all__ = ["chromium", "live_server", "open_page"]

import pytest


@pytest.fixture(autouse=True)
def _tmp_loader(app):
    if not app.login_manager._user_callback:
        app.login_manager.user_loader(lambda i: None)
