from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import pytest

from semicoupled.cli.main import main

pytest.importorskip("fastapi", reason="no fastapi: pip install 'semicoupled[serve]'")
pytest.importorskip("uvicorn", reason="no uvicorn: pip install 'semicoupled[serve]'")

from semicoupled.serving import server
from semicoupled.serving.settings import ServeSettings


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServeSettings]:
    """What would be served: nothing is."""
    found: list[ServeSettings] = []

    def serve(settings: ServeSettings, listening: socket.socket) -> None:
        with socket.create_connection(listening.getsockname()[:2], timeout=5):
            pass  # whoever opens the printed address at once waits, and is not refused
        found.append(settings)
        listening.close()

    monkeypatch.setattr(server, "serve", serve)
    return found


def test_it_listens_here_without_a_token(
    served: list[ServeSettings], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["serve", "--port", "0", "--root", str(tmp_path), "pretrained", "--timeout", "7"]) == 0
    assert re.search(r"serves at http://127\.0\.0\.1:\d+/\n", capsys.readouterr().out)
    assert served[0].token is None
    assert served[0].roots == (tmp_path,)
    assert served[0].runs == ("pretrained",)
    assert served[0].limits.seconds == 7


@pytest.mark.parametrize("options", [["--token"], ["--host", "0.0.0.0"]])
def test_a_token_is_printed_once(
    served: list[ServeSettings], capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert main(["serve", "--port", "0", *options]) == 0
    token = served[0].token
    assert token is not None
    assert len(token) >= 43  # 256 bits
    said = capsys.readouterr()
    assert said.out.count(token) == 1
    assert token not in said.err
    assert main(["serve", "--port", "0", *options]) == 0
    assert served[1].token != token


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err
    assert main(["serve", "--port", "70000"]) == 2
    assert "--port: expected 0 to 65535, got 70000" in capsys.readouterr().err


def test_a_missing_part_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "semicoupled.serving.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve"]) == 5
    assert "pip install 'semicoupled[serve]'" in capsys.readouterr().err
