"""The rules that keep the tree readable; each failure names the file and the rule."""

import ast
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = PROJECT / "src" / "phosphene"
TESTS = PROJECT / "tests"
MAX_LINES = 400
MAX_HELP_SECONDS = 0.3  # beyond interpreter start-up
VAGUE_NAMES = {"utils", "helpers", "common", "misc", "base", "core"}
UNMIRRORED_TESTS = {
    "conftest.py",
    "digits.py",
    "restorations.py",
    "showings.py",
    "test_architecture.py",
    "test_contract.py",
}

SOURCES = sorted(SOURCE.rglob("*.py"))
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]


def _has_code(path):
    """Tell whether a module holds more than a docstring, imports and names."""
    body = ast.parse(path.read_text()).body
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body)


def _mirror(path):
    """Return the test file of a source file; a package's own code is tested under its name."""
    relative = path.relative_to(SOURCE)
    if relative.name == "__init__.py":
        return TESTS / relative.parent / f"test_{path.parent.name}.py"
    return TESTS / relative.parent / f"test_{relative.name}"


def _commands():
    from phosphene.cli.main import COMMANDS

    return [name.split() for name in COMMANDS]


def test_imports_point_downwards():
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_are_short():
    lengths = {
        str(path.relative_to(PROJECT)): len(path.read_text().splitlines())
        for path in [*SOURCES, *TESTS.rglob("*.py")]
    }
    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}


def test_every_module_has_its_tests():
    missing = [
        str(_mirror(path).relative_to(PROJECT))
        for path in SOURCES
        if _has_code(path) and not _mirror(path).is_file()
    ]
    assert not missing, "\n".join(missing)


def test_every_test_file_has_its_module():
    mirrors = {_mirror(path) for path in SOURCES}
    strays = [
        str(path.relative_to(PROJECT))
        for path in TESTS.rglob("*.py")
        if path.name not in UNMIRRORED_TESTS
        and path.relative_to(TESTS).parts[0] != "acceptance"
        and path not in mirrors
    ]
    assert not strays, "\n".join(strays)


def test_names_say_what_is_inside():
    vague = [
        str(path.relative_to(PROJECT))
        for path in SOURCES
        if {path.stem.strip("_"), path.parent.name} & VAGUE_NAMES
    ]
    assert vague == []


def test_packages_say_what_they_hold():
    bare = [
        str(path.relative_to(PROJECT))
        for path in SOURCES
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert bare == []


def test_untrusted_files_are_never_unpickled():
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            call = ast.unparse(node)
            if re.match(r"(pickle|joblib|dill)\.loads?\(|pd\.read_pickle\(", call):
                found.append(f"{path.name}:{node.lineno}: {call}")
            if call.startswith("torch.load(") and "weights_only=True" not in call:
                found.append(f"{path.name}:{node.lineno}: {call}")
            if "allow_pickle=True" in call:
                found.append(f"{path.name}:{node.lineno}: {call}")
    assert found == []


@pytest.mark.parametrize("command", [[], *_commands()], ids=" ".join)
def test_help_is_instant_and_loads_no_torch(command):
    code = (
        "import sys; from phosphene.cli.main import main; code = main(sys.argv[1:]);"
        "sys.exit(code or 3 * ('torch' in sys.modules))"
    )
    _answer(code, *command, "--help")  # compiles and warms the disk cache
    helping = min(_answer(code, *command, "--help") for _ in range(3))
    starting = min(_answer("pass") for _ in range(3))
    assert helping - starting < MAX_HELP_SECONDS


def test_help_of_every_recipe_loads_no_torch():
    from phosphene.recipes import find_recipes

    code = (
        "import sys; from phosphene.cli.main import main; code = main(sys.argv[1:]);"
        "sys.exit(code or 3 * ('torch' in sys.modules))"
    )
    for key in find_recipes():
        _answer(code, "train", key, "--help")


def _answer(code, *words):
    """Return the processor time of a Python process, which other processes cannot lengthen."""
    began = _seconds_of_children()
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return _seconds_of_children() - began


def _seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_the_installation_without_make_takes_torch_as_make_does():
    """On Linux PyPI's torch brings gigabytes for GPUs, which this version does not use."""
    make = (PROJECT / "Makefile").read_text(encoding="utf-8")
    index = re.search(r"^CPU_INDEX := (\S+)$", make, re.MULTILINE)[1]
    page = (PROJECT / "docs" / "first-run.md").read_text(encoding="utf-8")
    lines = [line.strip() for line in page.splitlines() if line.startswith("    .venv/bin/pip ")]
    assert len(lines) == 2
    assert lines[0].endswith(f"-c constraints.txt --index-url {index} torch")
