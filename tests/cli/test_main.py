import subprocess
import sys
from types import SimpleNamespace

import pytest

import phosphene
from phosphene.cli.main import COMMANDS, main


@pytest.fixture
def command(monkeypatch):
    """Replace `report` by a function; return a setter."""

    def set_to(function):
        module = SimpleNamespace(main=function)
        monkeypatch.setitem(sys.modules, COMMANDS["report"].module, module)

    return set_to


def _raise(error):
    def function(argv):
        raise error

    return function


def test_arguments_reach_the_command(command):
    seen = []
    command(seen.append)
    assert main(["report", "runs/a", "--json"]) == 0
    assert seen == [["runs/a", "--json"]]


def test_group_commands_are_two_words(monkeypatch):
    seen = []
    module = SimpleNamespace(main=seen.append)
    monkeypatch.setitem(sys.modules, "phosphene.cli.data_inspect", module)
    assert main(["data", "inspect", "a.csv"]) == 0
    assert seen == [["a.csv"]]


@pytest.mark.parametrize("error", [ValueError("too few."), OSError("no disk.")])
def test_expected_errors_are_one_paragraph(command, capsys, error):
    command(_raise(error))
    assert main(["report"]) == 1
    assert capsys.readouterr().err == f"phosphene: {error}\n"


def test_debug_shows_the_traceback_wherever_it_stands(command, capsys):
    command(_raise(ValueError("too few.")))
    assert main(["report", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert main(["--debug", "report"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_defects_ask_for_debug(command, capsys):
    command(_raise(KeyError("colour")))
    assert main(["report"]) == 1
    error = capsys.readouterr().err
    assert "unexpected KeyError" in error
    assert "--debug" in error
    assert "Traceback" not in error


def test_ctrl_c_during_training_names_resume(monkeypatch, capsys):
    module = SimpleNamespace(main=_raise(KeyboardInterrupt()))
    monkeypatch.setitem(sys.modules, "phosphene.cli.train", module)
    assert main(["train"]) == 130
    assert "--resume continues" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "Did you mean 'train'"),
        (["data", "improt"], "Did you mean 'import'"),
        (["data"], "data inspect"),
        ([], "Begin with `phosphene demo`"),
    ],
)
def test_wrong_use_ends_with_code_2(capsys, words, message):
    assert main(words) == 2
    assert message in capsys.readouterr().err


def test_codes_of_the_option_parser_pass_through(command):
    command(_raise(SystemExit(2)))
    assert main(["report"]) == 2


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"phosphene {phosphene.__version__}\n"


def test_overview_lists_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert [name for name in COMMANDS if f"  {name} " not in text] == []


def test_overview_of_the_data_group(capsys):
    assert main(["data", "--help"]) == 0
    text = capsys.readouterr().out
    assert "data import" in text
    assert "train a recipe" not in text


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 3.2 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 3.2 GiB"),
    ],
)
def test_too_little_memory_is_no_defect(command, capsys, error):
    command(_raise(error))
    assert main(["report"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("phosphene: this command must fit in memory; it does not (")
    assert "3.2 GiB" in said
    assert "fewer or shorter recordings" in said
    assert "defect" not in said


def test_memory_without_a_number_is_named_too(command, capsys):
    command(_raise(MemoryError()))
    assert main(["report"]) == 1
    assert "it does not; " in capsys.readouterr().err


@pytest.mark.parametrize("printer", ["print", "rich.print"])
def test_a_reader_that_leaves_early_is_no_failure(printer):
    """Lines are larger than what a pipe holds, so that the writer notices."""
    program = (
        "import sys, types, rich; from phosphene.cli.main import COMMANDS, main\n"
        f"many = lambda argv: [{printer}('x' * 9000) for _ in range(99)]\n"
        "sys.modules[COMMANDS['report'].module] = types.SimpleNamespace(main=many)\n"
        "sys.exit(main(['report']))"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    writer.stdout.readline()
    writer.stdout.close()
    said = writer.stderr.read()
    writer.stderr.close()
    assert (writer.wait(), said) == (141, "")
