"""``semicoupled data``: look at data before training on them, bring them into other formats, make some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semicoupled.cli.data_output import print_report
from semicoupled.cli.options import Parser
from semicoupled.cli.progress import progress
from semicoupled.cli.task_options import add_settings, choose_task, resolve_settings
from semicoupled.errors import SettingsError, nearest

TOPICS = {
    "check": "look at every file, and say what is wrong: semicoupled data check TASK DIR [--json F] [--page F.html]",
    "describe": "what a folder holds, in one table: semicoupled data describe TASK DIR [--json F] [--page F.html]",
    "convert": "write data in another format: semicoupled data convert TASK A B [--format NAME]",
    "make": "write generated data to learn from: semicoupled data make TASK DIR [--count N] [--seed S]",
}


def main(arguments: Sequence[str]) -> int:
    """Check, describe, convert or make data.

    Returns:
        0, or 1 if `check` found a problem.

    Raises:
        SettingsError: no such topic.
    """
    topic, rest = (arguments[0], list(arguments[1:])) if arguments else ("--help", [])
    if topic in ("-h", "--help"):
        print(f"usage: semicoupled data {{{','.join(TOPICS)}}} TASK DIR ...\n")
        for name, summary in TOPICS.items():
            print(f"  {name:<10}{summary}")
        return 0
    if topic not in TOPICS:
        raise SettingsError(f"semicoupled data: there is no {topic!r}. {nearest(topic, TOPICS)}")
    if topic == "make":
        return _make(rest)
    return _convert(rest) if topic == "convert" else _run(topic, rest)


def _make(arguments: Sequence[str]) -> int:
    parser = Parser("data make", "TASK DIR [--count N] [--seed S]", TOPICS["make"])
    parser.add_argument("out", metavar="DIR", type=Path, help="folder to write, new or empty")
    parser.add_argument(
        "--count", type=int, metavar="N", help="samples to learn from; those to validate and to test on come on top"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="everything random follows from it (0)")
    chosen = choose_task(parser, arguments)
    if chosen is None:
        return 0
    options = parser.parse(chosen.rest)

    from semicoupled.find_task import find_task
    from semicoupled.task_requests import MakeRequest

    make = find_task(chosen.task).make
    if make is None:
        raise SettingsError(f"semicoupled data make: no data are generated for task {chosen.task}")
    with progress() as shown:
        report = make(MakeRequest(options.out, options.count, options.seed, shown))
    print_report(report)
    return report.exit_code


def _convert(arguments: Sequence[str]) -> int:
    parser = Parser("data convert", "TASK A B [--format NAME]", TOPICS["convert"])
    parser.add_argument(
        "source", metavar="A", type=Path, help="file or folder to read; its format is told by its content"
    )
    parser.add_argument("out", metavar="B", type=Path, help="file or folder to write")
    parser.add_argument("--format", metavar="NAME", help="format of B, where its name does not tell it")
    chosen = choose_task(parser, arguments)
    if chosen is None:
        return 0
    options = parser.parse(chosen.rest)

    from semicoupled.find_task import find_task
    from semicoupled.task_requests import ConvertRequest

    convert = find_task(chosen.task).convert
    if convert is None:
        raise SettingsError(f"semicoupled data convert: task {chosen.task} has one format alone")
    report = convert(ConvertRequest(options.source, options.out, options.format))
    print_report(report)
    return report.exit_code


def _run(topic: str, arguments: Sequence[str]) -> int:
    parser = Parser(f"data {topic}", "TASK DIR [--json F] [--page F.html] [--SETTING VALUE] ...", TOPICS[topic])
    parser.add_argument("root", metavar="DIR", type=Path, help="folder, file, or pattern in quotes: 'radar/2021*/*.h5'")
    add_settings(parser)
    parser.add_argument("--json", type=Path, metavar="F", help="also write what was found to this file")
    parser.add_argument("--page", type=Path, metavar="F.html", help="also write it as a page")
    chosen = choose_task(parser, arguments, with_settings=True)
    if chosen is None:
        return 0
    if not chosen.rest or chosen.rest[0].startswith("-"):
        parser.error("the folder comes after the task")
    options, rest = parser.split(chosen.rest)
    settings = resolve_settings(chosen.task, options.preset, options.config, rest, parser)

    from semicoupled.data_report import write_json, write_page
    from semicoupled.find_task import find_task
    from semicoupled.task_requests import DataRequest

    task = find_task(chosen.task)
    look = task.check if topic == "check" else task.describe
    if look is None:
        raise SettingsError(
            f"semicoupled data {topic}: task {chosen.task} reads no files that could be looked at. Use it with a task "
            "that has data of its own"
        )
    with progress() as shown:
        report = look(DataRequest(settings, options.root, shown))
    print_report(report)
    if options.json is not None:
        write_json(options.json, chosen.task, str(options.root), report)
    if options.page is not None:
        write_page(options.page, report)
    return report.exit_code
