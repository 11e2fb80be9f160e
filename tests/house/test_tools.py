"""The tools of the checkout: setting up, checking, packaging, locking."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tools import checks, setup

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_locks_hold_hashes_and_no_addresses(path):
    text = path.read_text()
    assert "--index-url" not in text
    assert "://" not in text
    pinned = re.findall(r"^[A-Za-z0-9][\w.-]*==\S+", text, re.MULTILINE)
    assert pinned
    for line in re.split(r"\n(?=[A-Za-z0-9])", text.strip()):
        if re.match(r"[A-Za-z0-9]", line):
            assert "--hash=sha256:" in line, line.splitlines()[0]


def test_the_frontend_lock_holds_no_addresses():
    text = (ROOT / "frontend" / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert '"integrity"' in text


def test_what_runs_is_locked_to_the_same_versions_everywhere():
    def versions(name: str) -> dict[str, str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))

    development = versions("dev")
    for name in ("run", "build", "node"):
        for package, version in versions(name).items():
            assert development[package] == version, package


def test_make_help_names_every_target():
    shown = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in ("help", "setup", "run", "test", "lint", "format", "bench", "lock"):
        assert re.search(rf"^{target} ", shown, re.MULTILINE), target


def test_ci_runs_what_make_test_runs():
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_a_stamp_holds_until_something_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    source, stamp = tmp_path / "a.txt", tmp_path / "stamp"
    source.write_text("1")
    stamp.write_text(setup.digest_of([source]))
    assert setup.is_current(stamp, setup.digest_of([source]))
    source.write_text("2")
    assert not setup.is_current(stamp, setup.digest_of([source]))
    source.rename(tmp_path / "b.txt")
    assert not setup.is_current(stamp, setup.digest_of([tmp_path / "b.txt"]))


def test_a_second_setup_does_nothing(monkeypatch, tmp_path):
    """So that ``make run`` starts at once the second time."""
    monkeypatch.setattr(setup, "VENV", tmp_path)
    (tmp_path / ".stamp-dev").write_text(setup._packages_digest(["dev"]))
    monkeypatch.setattr(setup, "run", lambda *_a, **_k: pytest.fail("nothing was to be done"))
    setup.install_packages(development=True)
    setup.install_packages(development=False)


def test_a_changed_lock_is_installed_again(monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(setup, "VENV", tmp_path)
    monkeypatch.setattr(setup, "run", lambda command, **_k: ran.append(list(map(str, command))))
    (tmp_path / ".stamp-run").write_text("of another lock")
    setup.install_packages(development=False)
    assert all("--require-hashes" in command for command in ran[:-1])
    assert all("--only-binary=:all:" in command for command in ran[:-1])
    assert {"--no-deps", "--no-build-isolation", "-e"} <= set(ran[-1])
    ran.clear()
    setup.install_packages(development=False)
    assert ran == []


@pytest.mark.parametrize(
    ("there", "to_be_had", "asked_for", "is_warned"),
    [
        ({"chromium-headless-shell", "belenios-tool"}, set(), [], False),
        ({"chromium", "belenios-tool"}, set(), ["chromium-headless-shell"], False),
        (set(), {"chromium", "belenios-tool"},
         ["chromium-headless-shell", "chromium", "belenios-tool"], False),
        ({"belenios-tool"}, set(), ["chromium-headless-shell", "chromium"], True),
    ],
)  # fmt: skip
def test_one_browser_is_enough(monkeypatch, capsys, there, to_be_had, asked_for, is_warned):
    asked, there = [], set(there)

    def install(packages):
        asked.extend(packages)
        there.update(to_be_had & set(packages))

    monkeypatch.setattr(setup.shutil, "which", lambda name: name if name in there else None)
    monkeypatch.setattr(setup, "apt_install", install)
    setup.install_debian_tools()
    assert asked == asked_for
    assert ("chromium is not installed" in capsys.readouterr().err) == is_warned


def test_without_node_the_one_of_the_package_is_used(monkeypatch):
    monkeypatch.setattr(setup, "machine_node", lambda: False)
    path = setup.node_env()["PATH"].split(":")[0]
    found = subprocess.run(
        [f"{path}/node", "--version"], capture_output=True, text=True, check=True
    )
    assert int(found.stdout.lstrip("v").split(".")[0]) >= setup.OLDEST_NODE


def test_an_unknown_step_is_refused(capsys):
    assert setup.main(["everything"]) == 2
    assert "usage" in capsys.readouterr().err


def test_what_setup_cannot_bring_is_named(monkeypatch, capsys):
    def fail() -> None:
        raise setup.SetupError("there is neither Node 20 nor …")

    monkeypatch.setattr(setup, "build_frontend", fail)
    assert setup.main(["frontend"]) == 1
    assert "neither Node 20" in capsys.readouterr().err


def test_a_check_that_fails_does_not_hide_the_others(monkeypatch, capsys):
    good = checks.Check("good", [sys.executable, "-c", "pass"])
    bad = checks.Check("bad", [sys.executable, "-c", "raise SystemExit(3)"])
    absent = checks.Check("absent", ["/there/is/no/such/program"])
    monkeypatch.setattr(checks, "lint_checks", lambda: [bad, absent, good])
    assert checks.main(["lint"]) == 1
    shown = capsys.readouterr().out
    assert "bad FAILED" in shown
    assert "absent FAILED" in shown
    assert "good ok" in shown


def test_checks_ask_nothing():
    waits = checks.Check("waits", [sys.executable, "-c", "input()"])
    assert not checks.run_check(waits).passed, "there is nobody to answer"


def test_tests_come_last_so_that_their_summary_is_seen():
    assert [check.name for check in checks.all_checks()][-1] == "tests"


@pytest.mark.slow
@pytest.mark.xdist_group("servers")
def test_the_wheel_holds_everything_that_runs(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        about = archive.read(metadata).decode()
    for wanted in (
        "govern/app.py",
        "govern/templates/base.html",
        "govern/templates/pdf/base.typ",
        "govern/migrations/env.py",
        "govern/migrations/versions/0001_house.py",
        "govern/static/dist/manifest.json",
        "govern/static/dist/booth.js",
        "govern/translations/fr/LC_MESSAGES/messages.mo",
    ):
        assert wanted in names, wanted
    assert "License-Expression: EUPL-1.2" in about
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "tools/", "frontend/"))]


def test_the_package_needs_what_it_says():
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert about["requires-python"] == ">=3.11"
    assert about["license"] == "EUPL-1.2"
