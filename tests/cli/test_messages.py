from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from semicoupled.cli.messages import Messages, show_messages


@pytest.fixture(autouse=True)
def logger_as_before() -> Iterator[None]:
    logger = logging.getLogger("semicoupled")
    before = logger.handlers[:], logger.level
    yield
    logger.handlers = before[0]
    logger.setLevel(before[1])


def test_messages_are_plain_lines_and_warnings_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_messages()
    logging.getLogger("semicoupled.training.loop").info("taken up at step %d", 3)
    logging.getLogger("semicoupled.data").warning("a gap")
    assert capsys.readouterr().err == "taken up at step 3\nwarning: a gap\n"


def test_asking_twice_does_not_show_twice() -> None:
    show_messages()
    show_messages()
    handlers = logging.getLogger("semicoupled").handlers
    assert sum(isinstance(handler, Messages) for handler in handlers) == 1


def test_lightning_keeps_to_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    show_messages()
    logging.getLogger("lightning_fabric.utilities.rank_zero").info("Using bfloat16")
    assert capsys.readouterr().err == ""
