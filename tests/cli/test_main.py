from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

import semicoupled
from semicoupled import errors
from semicoupled.cli import doctor
from semicoupled.cli.main import main


def raising(error: BaseException):
    def command(arguments: Sequence[str]) -> int:
        raise error

    return command


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_every_command_and_exit_code(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    text = capsys.readouterr().out
    for command in ("train", "evaluate", "predict", "explain", "data", "tune", "study", "demo", "doctor"):
        assert f"\n  {command} " in text
    for code in (
        "0  success",
        "1  an unexpected",
        "2  wrong",
        "3  a file",
        "4  a run",
        "5  an opt",
        "6  the newest",
        "7  the machine",
        "130",
    ):
        assert code in text


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"semicoupled {semicoupled.__version__}\n"


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    assert "there is no command 'trian'. Did you mean 'train'? Known: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SemicoupledError("sentence"), 1),
        (errors.ShapeError("sentence"), 1),
        (errors.SettingsError("sentence"), 2),
        (errors.DataError("sentence"), 3),
        (errors.RunError("sentence"), 4),
        (errors.MissingExtraError("sentence"), 5),
        (errors.StaleDataError("sentence"), 6),
        (errors.ShortageError("sentence"), 7),
    ],
)
def test_our_errors_are_one_block_and_an_exit_code(
    error: errors.SemicoupledError, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "main", raising(error))
    assert main(["doctor"]) == code
    captured = capsys.readouterr()
    assert captured.err == "semicoupled: error: sentence\n"
    assert captured.out == ""


def test_an_interruption_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "main", raising(KeyboardInterrupt()))
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "semicoupled: interrupted\n"


def test_what_nobody_expected_shows_where_it_happened() -> None:
    code = (
        "from semicoupled.cli import doctor, main\nimport sys\n"
        "def main_(arguments): raise ZeroDivisionError('by nothing')\n"
        "doctor.main = main_\nsys.argv = ['semicoupled', 'doctor']\nmain.run()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError: by nothing" in result.stderr


def test_python_m_is_the_same_program() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "semicoupled", "reproduc"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("semicoupled: error: there is no command 'reproduc'. Did you mean 'reproduce'?")


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "chains"]])
def test_a_reader_that_goes_away_is_no_crash(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "semicoupled", *arguments]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert program.stdout is not None
    program.stdout.close()
    _, error = program.communicate(timeout=60)
    assert error == ""
    assert program.returncode == 1
