"""Every route × every role × own and foreign cooperative.

``test_matrix.py`` is generated from the URL map. A feature adds two things and no test:

* one line per endpoint in ``examples_<feature>.py`` (a route without one fails, naming it);
* what its routes are about in ``world_<feature>.py``: both sides get the same, so that a foreign
  thing can be asked for under one's own cooperative too.

Allowed cells must answer 2xx or 3xx. Refused ones must answer 401, 403, 404 or the way to the
sign-in page, and must not have written a single byte to the database.
"""
