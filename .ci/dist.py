"""Build the wheel and the sdist, look into them, and use the wheel in a clean environment.

``make dist`` runs it for one Python, ``make dist PYTHONS="python3.11 python3.12 python3.13"`` for several; with
``--matrix`` it prints as JSON which of the Pythons that pyproject.toml promises are on this machine, for a CI to run a
job each.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
USE = ROOT / ".ci" / "use_wheel.py"

IN_WHEEL = (
    "semicoupled/py.typed",
    "semicoupled/__init__.py",
    "dist-info/licenses/LICENSE",
    "dist-info/licenses/NOTICE",
    "dist-info/entry_points.txt",
)
WHOLE = ("presets/*.yaml", "semicoupled/weights/**/*", "semicoupled/serving/static/**/*")
"""What comes whole, beside the code: patterns below `src`."""
IN_SDIST = (
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "NOTICE",
    "Makefile",
    "tests/conftest.py",
    "docs/conf.py",
)
NOT_IN_WHEEL = re.compile(r"(^|/)(tests?|docs|runs|examples|\.ci|\.venv|__pycache__)/|\.(h5|mp4|ckpt|pt|npz|pgm|gz)$")
NOT_IN_SDIST = re.compile(r"(^|/)(runs|\.venv|__pycache__|_build|\.git)/|\.(h5|mp4|ckpt|pgm)$|tests/serving/vendor/")
LARGEST = 8 * 2**20
"""Bytes that the wheel may have: the weights are 4 MB."""
LARGEST_WEIGHTS = 5 * 2**20
"""Bytes of one model."""


def promised() -> list[str]:
    """Give the versions of Python that the classifiers promise, such as ``3.11``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line) for line in project["classifiers"]]
    return [match[1] for match in found if match]


def matrix() -> list[str]:
    """Give the commands of the promised Pythons that are here."""
    commands = [f"python{version}" for version in promised()]
    return [command for command in commands if shutil.which(command) and runs(command)]


def runs(python: str) -> bool:
    """Whether a command is a Python that starts; a version manager's shim may not."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def besides_code() -> list[str]:
    """Name what has to be in a wheel beside the code, as it stands in `src`."""
    source = ROOT / "src"
    found = [file for pattern in WHOLE for file in source.rglob(pattern) if file.is_file()]
    return sorted(file.relative_to(source).as_posix() for file in found)


def look_into_wheel(wheel: Path) -> list[str]:
    """Say what is missing in a wheel, or should not be there."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    wrong = [
        f"{wheel.name}: {name} is missing" for name in IN_WHEEL if not any(there.endswith(name) for there in names)
    ]
    wrong += [f"{wheel.name}: {name} should not be there" for name in names if NOT_IN_WHEEL.search(name)]
    wrong += [f"{wheel.name}: {name} is missing" for name in besides_code() if name not in names]
    with zipfile.ZipFile(wheel) as archive:
        wrong += [
            f"{wheel.name}: {each.filename} has {each.file_size} bytes; expected at most {LARGEST_WEIGHTS}"
            for each in archive.infolist()
            if each.filename.endswith(".safetensors") and each.file_size > LARGEST_WEIGHTS
        ]
    if wheel.stat().st_size > LARGEST:
        wrong.append(f"{wheel.name}: {wheel.stat().st_size} bytes; expected at most {LARGEST}")
    return wrong


def look_into_sdist(sdist: Path) -> list[str]:
    """Say what is missing in a source distribution, or should not be there."""
    with tarfile.open(sdist) as archive:
        names = [member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()]
    wrong = [f"{sdist.name}: {name} is missing" for name in IN_SDIST if name not in names]
    return wrong + [f"{sdist.name}: {name} should not be there" for name in names if NOT_IN_SDIST.search(name)]


def build(folder: Path) -> tuple[Path, Path]:
    """Build the sdist, and from it, not from the checkout, the wheel."""
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)], check=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def use(wheel: Path, python: str, torch: str, checker: str | None) -> None:
    """Install a wheel into a new environment, and do there what its users do first."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True)
        inside = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        pip = [str(inside), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, torch], check=True)
        subprocess.run([*pip, f"{wheel}[serve]"], check=True)
        (folder / "work").mkdir()
        subprocess.run([str(inside), "-I", str(USE)], cwd=folder / "work", check=True)
        if checker is not None:
            consumer = ROOT / ".ci" / "consumer.py"
            subprocess.run(
                [checker, "--pythonpath", str(inside), "--level", "error", str(consumer)], cwd=folder, check=True
            )


def main() -> int:
    """Build, look, use; 1 if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "pythons", nargs="*", default=[sys.executable], help="commands of Pythons to use the wheel with"
    )
    parser.add_argument("--matrix", action="store_true", help="print the Pythons that are here, and end")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the files go")
    parser.add_argument("--torch", default="torch", help="what pip is asked for first")
    parser.add_argument("--checker", help="basedpyright; a program that uses the package is then checked, too")
    options = parser.parse_args()
    if options.matrix:
        print(json.dumps(matrix()))
        return 0
    for old in [*options.out.glob("*.whl"), *options.out.glob("*.tar.gz")]:
        old.unlink()
    wheel, sdist = build(options.out)
    wrong = [*look_into_wheel(wheel), *look_into_sdist(sdist)]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    for python in options.pythons:
        use(wheel, python, options.torch, options.checker)
        print(f"{wheel.name} works with {python}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
