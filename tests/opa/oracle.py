"""Real OPA: brings it into the cache and asks it."""

import fcntl
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
PINS = HERE / "requirements.txt"
DATA = (".json", ".yaml", ".yml")
LIBRARY = HERE.parent.parent / "policies" / "lib"


def install():
    """Downloads the pinned wheel once, and makes it importable. The folder carries the pin's digest."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    cache = pathlib.Path(base) / "portcullis" / "opa"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]
    with open(cache / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Two runs at once install once.
        if not (folder / ".complete").exists():
            _download(cache, folder)
            (folder / ".complete").touch()
    sys.path.insert(0, str(folder))
    return folder


def _download(cache, folder):
    """An ordinary `pip install` refuses the wheel for this Python; its files are all that is needed."""
    tools = cache / "pip"
    _run([sys.executable, "-m", "venv", "--clear", str(tools)])
    pip = [str(tools / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    _run([*pip, "--no-deps", "--only-binary=:all:", "--python-version=3.14", "--require-hashes", "-r", str(PINS), "-d", str(cache)])
    for wheel in cache.glob("*.whl"):
        with zipfile.ZipFile(wheel) as files:
            files.extractall(folder)
        wheel.unlink()


def _run(command):
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    if ended.returncode != 0:
        raise RuntimeError(f"`{' '.join(command)}` failed ({ended.returncode}): {(ended.stderr or ended.stdout)[-2000:]}")


def files_of(folder):
    """The rules, tests and data of a bundle by their names."""
    wanted = (".rego", *DATA)
    return {path.name: path.read_text() for path in folder.iterdir() if path.name.endswith(wanted) and not path.name.endswith(".cases.yaml")}


def data(name, text):
    """A file of data, read."""
    if name.endswith(".json"):
        return json.loads(text)
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(text)


def roles_of(folder):
    """The names of the roles that a bundle's data knows."""
    read = [data(name, text) for name, text in files_of(folder).items() if name.endswith(DATA)]
    return [role for one in read for role in one.get("roles", {})]


def capabilities(folder):
    """OPA's own list of its builtins with their types, which its library carries as text."""
    library = (folder / "opa_bindings" / "libopabridge.so").read_bytes()
    newest = {}
    for found in re.finditer(rb'\{\n  "builtins": \[', library):
        text = library[found.start() : found.start() + 400_000].decode("utf-8", "replace")
        listed, _ = json.JSONDecoder().raw_decode(text)
        newest = max(newest, listed, key=lambda one: len(one.get("builtins", [])))
    return newest


class Oracle:
    """OPA with the files of one bundle and our library."""

    def __init__(self, files):
        import opa_bindings

        self.failure = None
        self.error = opa_bindings.OpaError
        self.undefined = opa_bindings.OpaUndefinedError
        self.engine = opa_bindings.OpaEngine()
        try:
            for path in sorted(LIBRARY.glob("*.rego")):
                if not path.name.endswith("_test.rego"):
                    self.engine.add_policy(f"lib/{path.name}", path.read_text())
            for name, text in sorted(files.items()):
                if name.endswith(DATA):
                    self.engine.add_data(data(name, text))
                elif not name.endswith("_test.rego"):
                    self.engine.add_policy(name, text)
        except self.error as error:
            self.failure = str(error)

    def ask(self, question, document):
        """`("value", it)`, `("undefined", None)` or `("error", why)`."""
        if self.failure:
            return "error", self.failure
        try:
            return "value", self.engine.eval_document(f"portcullis.{question}.answer", document)
        except self.undefined:
            return "undefined", None
        except self.error as error:
            return "error", str(error)

    def close(self):
        self.engine.close()
