"""The command line: finds the command, and turns errors into one clear block and an exit code.

Nothing heavy is imported before the command is known.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import cast

from semicoupled import __version__
from semicoupled.cli.messages import show_messages
from semicoupled.devices import keep_freed_memory
from semicoupled.errors import SemicoupledError, SettingsError, nearest
from semicoupled.shortage import shortage

COMMANDS = {
    "train": "train a model: semicoupled train TASK [--config F] [--data.root DIR] [--run DIR] ...",
    "evaluate": "score a model beside the baselines: semicoupled evaluate TASK RUN [--json F]",
    "predict": "predict from files: semicoupled predict TASK RUN INPUT... --out PATH",
    "replay": "does a model still say what it said, in time: semicoupled replay driving RUN INPUT --against F.csv",
    "export": "write a model as torch.export and ONNX programs: semicoupled export TASK RUN --out DIR",
    "explain": "look inside: semicoupled explain {chains,maps,importance,probes,focus} ...",
    "data": "look at data, convert it, make some: semicoupled data {check,describe,convert,make} TASK ...",
    "tune": "search the learning rate, the same way for every model: semicoupled tune TASK",
    "study": "compare networks and ways to train: semicoupled study {star,ablation,rain,driving,action,motion,outline}",
    "reproduce": "the paper's tables and figures beside ours: semicoupled reproduce {table2,...,figure5} [--dry-run]",
    "serve": "the local web app: semicoupled serve [RUN ...] [--root DIR ...] [--port 8642]",
    "bench": "speed and memory on this machine: semicoupled bench {speed,memory,ways,scaling}",
    "demo": "the paper's first claim in minutes: semicoupled demo [--full] [--json F]",
    "doctor": "versions, devices, speed, and what is missing: semicoupled doctor",
}

HELP = f"""usage: semicoupled COMMAND ...

The Semi-Coupled Structure for visual sequences, version {__version__}.

commands:
{chr(10).join(f"  {name:<11}{summary}" for name, summary in COMMANDS.items())}

`semicoupled COMMAND --help` tells more.

exit codes:
  0  success                             4  a run folder or a checkpoint cannot be used
  1  an unexpected failure               5  an optional part is not installed
  2  wrong options or settings           6  the newest input is older than asked
  3  a file or a folder cannot be used   7  the machine ran short of disk or memory
                                         130  interrupted
"""


def main(arguments: Sequence[str]) -> int:
    """Run a command.

    Args:
        arguments: what follows ``semicoupled``.

    Returns:
        The exit code.
    """
    command, rest = (arguments[0], list(arguments[1:])) if arguments else ("--help", [])
    if command in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if command == "--version":
        print(f"semicoupled {__version__}")
        return 0
    show_messages()
    _ = keep_freed_memory()
    try:
        return _command(command)(rest)
    except SemicoupledError as error:
        print(f"semicoupled: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("semicoupled: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        told = shortage(error, _what_to_lower(command, rest))
        if told is None:
            raise
        print(f"semicoupled: error: {told}", file=sys.stderr)
        return told.exit_code


def run() -> None:
    """Be the program: what the installed ``semicoupled`` command calls."""
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads our output, such as `head`, has gone; Python must not flush it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def _what_to_lower(command: str, rest: Sequence[str]) -> str | None:
    """Say what of a command needs memory; None where its task has nothing of its own to say."""
    from semicoupled.find_task import less_memory, task_folders

    return less_memory(rest[0], command) if rest and rest[0] in task_folders() else None


def _command(name: str) -> Callable[[Sequence[str]], int]:
    if name not in COMMANDS:
        raise SettingsError(f"there is no command {name!r}. {nearest(name, COMMANDS)}")
    return cast("Callable[[Sequence[str]], int]", importlib.import_module(f"semicoupled.cli.{name}").main)
