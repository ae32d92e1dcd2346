"""`phosphene COMMAND ...`: find the command, run it, turn errors into one paragraph."""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from phosphene import __version__
from phosphene.cli.wrong_use import WrongUseError, check_use


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command: its module is imported only when it is called, and has `main(argv)`."""

    module: str
    help: str
    stopped: str = "Stopped; call the same command again to start over."
    """What Ctrl-C leaves, and how to go on."""


COMMANDS = {
    "demo": Command(
        module="phosphene.cli.demo",
        help="simulate, train, evaluate and report, offline and in minutes",
        stopped="Stopped; call `phosphene demo` again.",
    ),
    "recipes": Command(module="phosphene.cli.recipes", help="what can be trained"),
    "data simulate": Command(
        module="phosphene.cli.data_simulate", help="make a data set with a known best accuracy"
    ),
    "data simulate-lfp": Command(
        module="phosphene.cli.data_simulate_lfp",
        help="make a probe's session with known responses to pictures",
    ),
    "data import": Command(
        module="phosphene.cli.data_import", help="make a data set from your recordings"
    ),
    "data import-lfp": Command(
        module="phosphene.cli.data_import_lfp",
        help="make a data set from a probe's LFP (NWB) and pictures",
    ),
    "data inspect": Command(
        module="phosphene.cli.data_inspect", help="look at a raw recording or a data set"
    ),
    "data export": Command(
        module="phosphene.cli.data_export", help="write the trials as a file of MNE epochs"
    ),
    "data fetch": Command(
        module="phosphene.cli.data_fetch", help="get published weights, verified by their hash"
    ),
    "audit": Command(
        module="phosphene.cli.audit", help="what a model could cheat with, before anyone trains"
    ),
    "power": Command(
        module="phosphene.cli.power", help="how many trials and recordings an effect needs"
    ),
    "train": Command(
        module="phosphene.cli.train",
        help="train a recipe on a data set",
        stopped="Stopped; the same command with --resume continues this run.",
    ),
    "evaluate": Command(module="phosphene.cli.evaluate", help="score a finished run again"),
    "report": Command(module="phosphene.cli.report", help="write the report of a run again"),
    "compare": Command(module="phosphene.cli.compare", help="finished runs side by side"),
    "benchmark": Command(
        module="phosphene.cli.benchmark",
        help="train every recipe that fits a data set, then compare",
        stopped="Stopped; the same command goes on where it was.",
    ),
    "ablate": Command(
        module="phosphene.cli.ablate",
        help="train a recipe with parts taken away, then compare",
        stopped="Stopped; the same command goes on where it was.",
    ),
    "generate": Command(
        module="phosphene.cli.generate", help="pictures from signals, or signals from pictures"
    ),
    "restore": Command(
        module="phosphene.cli.restore", help="corrupted pictures as they may have been"
    ),
    "doctor": Command(
        module="phosphene.cli.doctor", help="what is installed here, what is missing"
    ),
}


PIPE_CLOSED = 141
"""What shells report of a program whose reader has gone."""
NO_MEMORY_FOR_TORCH = "DefaultCPUAllocator: can't allocate memory"
"""torch raises a RuntimeError with this."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 1 failed, 2 wrong use, 130 stopped, 141 its reader (such as `head`) closed the pipe.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(message)s")
    stopped = "Stopped."
    try:
        if words[:1] in (["--version"], ["-V"]):
            print(f"phosphene {__version__}")
            return 0
        if words[:1] in (["--help"], ["-h"], ["help"]):
            print(_overview(""))
            return 0
        if words[:1] == ["data"] and words[1:2] in (["--help"], ["-h"]):
            print(_overview("data "))
            return 0
        name, rest = _split_command(words)
        stopped = COMMANDS[name].stopped
        import_module(COMMANDS[name].module).main(rest)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _fail(f"\n{stopped}", debug=debug, code=130)
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except SystemExit as request:  # tyro: 0 after --help, 2 after printing what is wrong
        if isinstance(request.__context__, BrokenPipeError):  # rich saw it first
            return PIPE_CLOSED
        return request.code if isinstance(request.code, int) else 1
    except WrongUseError as error:
        return _fail(f"phosphene: {error}", debug=debug, code=2)
    except (ValueError, OSError) as error:
        return _fail(f"phosphene: {error}", debug=debug, code=1)
    except MemoryError as error:
        return _fail(_out_of_memory(error), debug=debug, code=1)
    except Exception as error:
        if NO_MEMORY_FOR_TORCH in str(error):
            return _fail(_out_of_memory(error), debug=debug, code=1)
        text = (
            f"phosphene: unexpected {type(error).__name__}: {error}. This is a defect; "
            "call the command again with --debug and report what it prints."
        )
        return _fail(text, debug=debug, code=1)
    return 0


def _out_of_memory(error: Exception) -> str:
    """Return one sentence for memory that ran out, with what was asked for if that is known."""
    from phosphene.cli.machine import measure_memory

    available = measure_memory().available
    left = "" if available is None else f"; {available / 1e9:.1f} GB are left"
    asked = f" ({str(error).splitlines()[0][:120]})" if str(error) else ""
    return (
        f"phosphene: this command must fit in memory; it does not{asked}{left}; close other "
        "programs, give it fewer or shorter recordings or fewer channels, or take a machine with "
        "more: docs/own-recordings.md says how much recordings need."
    )


def _split_command(words: list[str]) -> tuple[str, list[str]]:
    if not words:
        raise WrongUseError(f"a command is needed.\n\n{_overview('')}")
    if words[0] == "data":
        if not words[1:]:
            raise WrongUseError(f"`phosphene data` needs a command.\n\n{_overview('data ')}")
        group = [name.removeprefix("data ") for name in COMMANDS if name.startswith("data ")]
        check_use("data command", words[1], group)
        return f"data {words[1]}", words[2:]
    top = [name for name in COMMANDS if " " not in name]
    check_use("command", words[0], [*top, "data"])
    return words[0], words[1:]


def _overview(prefix: str) -> str:
    lines = [
        f"  {name:<19}{command.help}"
        for name, command in COMMANDS.items()
        if name.startswith(prefix)
    ]
    return "\n".join(
        [
            f"usage: phosphene {prefix}COMMAND ...",
            "",
            "Pictures from brain recordings, and an honest answer to whether it worked.",
            "",
            *lines,
            "",
            "`phosphene COMMAND --help` lists the options of a command; --debug anywhere adds the",
            "traceback to an error; `phosphene --version` tells the version.",
            *([] if prefix else ["", "Begin with `phosphene demo`."]),
        ]
    )


def _fail(text: str, *, debug: bool, code: int) -> int:
    if debug:
        traceback.print_exc()
    print(text, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
