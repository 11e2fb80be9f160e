"""The whole way, in a browser, from an empty database to a published result.

Nothing here imports ``govern`` (``test_imports.py`` sees to it): the application is the command
``govern`` and what it shows to a browser. Six people, each with a browser of their own, find every
control by its name, as somebody would who hears the page read aloud.
"""
