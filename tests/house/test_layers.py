"""Which way things flow: what import-linter cannot say."""

from __future__ import annotations

import subprocess
import sys

import grimp
import pytest

from govern.access import declared_access

PROTOCOL = "govern.voting.protocol"
PROTOCOL_MAY_IMPORT = {"gmpy2", "nacl"}


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("govern", include_external_packages=True)


def test_the_protocol_imports_nothing_but_itself_arithmetic_and_the_standard_library(graph):
    modules = {PROTOCOL} | graph.find_descendants(PROTOCOL)
    imported = {
        target
        for module in modules
        for target in graph.find_modules_directly_imported_by(module)
        if target not in modules
    }
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign - {"govern", "govern.voting"} <= PROTOCOL_MAY_IMPORT


def test_importing_the_protocol_does_not_import_the_web():
    program = (
        f"import sys, {PROTOCOL}.archive, {PROTOCOL}.ballots; "
        "print([m for m in ('flask', 'sqlalchemy', 'rq') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_features_initialise_with_a_docstring_only(graph):
    """Importing one part of a feature must not drag the others in."""
    for name in ("accounts", "assemblies", "cooperatives", "register", "voting"):
        imports = graph.find_modules_directly_imported_by(f"govern.{name}")
        assert imports == set(), name


def test_every_route_declares_who_may_use_it(app):
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            assert declared_access(app.view_functions[rule.endpoint]) is not None, rule
