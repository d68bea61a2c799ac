#!/usr/bin/env python3
"""Sets the project up and starts it, from nothing but Python, pip and venv:

    python3 bootstrap.py demo       set up, then `cashless demo`
    python3 bootstrap.py test       set up, then the tests (further arguments go to pytest)
    python3 bootstrap.py install    set up only

Set-up happens once: later calls notice in a fraction of a second that nothing changed. Standard library only,
and syntax that older Pythons can read, so that they can say what is wrong. Does not belong here: anything
the installed project can do itself.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, ".bootstrap-done")
STARTED = os.path.join(VENV, ".bootstrap-started")
OLDEST, NEWEST = (3, 11), (3, 13)
# The tests: a server and a run for each processor, but no more than an ordinary machine has memory for.
PARALLEL = ("-n", "auto", "--maxprocesses", "4", "--dist", "worksteal")


class SetupError(Exception):
    """One line for people."""


def main(arguments):
    command = arguments[0] if arguments else ""
    if command not in ("demo", "test", "install"):
        print(__doc__)
        return 0 if command in ("-h", "--help") else 2
    try:
        install()
    except SetupError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(
            f"bootstrap: no permission for {error.filename}: this user needs a clone of its own.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nbootstrap: interrupted; the next call starts over.", file=sys.stderr)
        return 130
    if command == "demo":
        start([os.path.join(VENV, "bin", "cashless"), "demo", *arguments[1:]])
    if command == "test":
        start([VENV_PYTHON, "-m", "pytest", *PARALLEL, *arguments[1:]])
    return 0


def start(command):
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(command[0], command, clean_environment())


def install():
    """Makes .venv what requirements.lock and pyproject.toml say; two calls at once queue up."""
    check_python()
    # The folder itself is the lock: no file to leave behind, and it works where only reading is allowed.
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        if not is_done():
            fcntl.flock(folder, fcntl.LOCK_EX)
            if not is_done():
                make()
    finally:
        os.close(folder)


def check_python():
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SetupError(
            f"Python {dotted(OLDEST)} to {dotted(NEWEST)} is needed and this is {dotted(sys.version_info)}: "
            "call it with another one, e.g. python3.11 bootstrap.py"
        )


def is_done():
    try:
        with open(STAMP, encoding="utf-8") as file:
            return file.read() == fingerprint()
    except FileNotFoundError:
        return False


def fingerprint():
    """What the environment was made from and with, and where: a copied one does not work elsewhere."""
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml", "bootstrap.py"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return f"{digest.hexdigest()} {sys.version.split()[0]} {VENV}\n"


def make():
    begun = time.monotonic()
    if not is_usable():
        if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
            raise SetupError(
                "this Python cannot make virtual environments: install them "
                f"(Debian: apt install python{dotted(sys.version_info)}-venv)."
            )
        say(f"making {VENV}")
        shutil.rmtree(VENV, ignore_errors=True)
        # Not the Python of an environment that may just have been removed.
        base = getattr(sys, "_base_executable", None) or sys.executable
        step([base, "-m", "venv", VENV], "python -m venv failed")
    # From here to the stamp the environment is incomplete; an interrupted call leaves this file.
    if os.path.exists(STAMP):
        os.remove(STAMP)
    with open(STARTED, "w", encoding="utf-8"):
        pass
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-compile", *quiet]
    advice = "pip failed: its reason is above; docs/install.md says how to use a proxy or a folder of wheels"
    say("installing the packages of requirements.lock (the first time takes minutes)")
    step([*pip, "-r", "requirements.lock"], advice)
    # With the setuptools of the lock, so that nothing more is fetched.
    step([*pip, "--no-deps", "--no-build-isolation", "-e", "."], advice)
    say("compiling")
    # Explicitly: where PYTHONDONTWRITEBYTECODE is set, every start would compile everything again. Some
    # packages carry files for other Pythons, which do not compile; that is not an error.
    site = os.path.join(VENV, "lib", f"python{dotted(sys.version_info)}", "site-packages")
    subprocess.call(
        [VENV_PYTHON, "-m", "compileall", "-qq", "-j", "0", site, os.path.join(ROOT, "dagster_project")],
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
    )
    say("preparing dbt")
    step([VENV_PYTHON, "-m", "dagster_project.transform.prepare"], "dbt could not be prepared")
    with open(STAMP + ".new", "w", encoding="utf-8") as file:
        file.write(fingerprint())
    os.replace(STAMP + ".new", STAMP)
    os.remove(STARTED)
    say("ready after %.0f s" % (time.monotonic() - begun))


def is_usable():
    """Whether .venv can be brought up to date in place: complete, of this Python, made here."""
    if os.path.exists(STARTED) or not os.path.exists(VENV_PYTHON):
        return False
    said = subprocess.run(
        [VENV_PYTHON, "-c", "import pip, sys; print(sys.version.split()[0], sys.prefix)"],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    ).stdout.decode()
    script = os.path.join(VENV, "bin", "pip")  # its first line tells where the environment was made
    try:
        with open(script, encoding="utf-8") as file:
            made_here = VENV in file.read(4096)
    except OSError:
        made_here = False
    return made_here and said.strip() == f"{sys.version.split()[0]} {VENV}"


def step(command, fault):
    if subprocess.call(command, cwd=ROOT, env=clean_environment()) != 0:
        raise SetupError(fault + ".")


def clean_environment():
    """The caller's environment (PIP_* settings, proxies) without what points Python or pip elsewhere."""
    elsewhere = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
    return {name: value for name, value in os.environ.items() if name not in elsewhere}


def dotted(version):
    return f"{version[0]}.{version[1]}"


def say(text):
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
