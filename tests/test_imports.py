"""What is imported when: nn needs torch alone, the package and the command's help need next to nothing."""

from __future__ import annotations

import pkgutil
import resource
import statistics
import subprocess
import sys

import pytest

import semicoupled
import semicoupled.nn

LIMIT = 0.5  # seconds, as promised

BLOCKED = r"""
import importlib.abc, importlib.metadata, re, sys

# torch, what torch itself requires, and the standard library stay; numpy is an extra that torch does without
allowed, waiting = {"torch", "torchgen", "functorch", "semicoupled"}, ["torch"]
while waiting:
    for requirement in importlib.metadata.requires(waiting.pop()) or ():
        name = re.match(r"[\w.-]+", requirement)[0].lower().replace("-", "_")
        try:
            files = importlib.metadata.files(name) or ()
        except importlib.metadata.PackageNotFoundError:
            continue
        if "extra ==" not in requirement and name not in allowed:
            allowed |= {name} | {file.parts[0].removesuffix(".py") for file in files}
            waiting.append(name)


class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and top not in sys.stdlib_module_names and not top.startswith("_"):
            raise ModuleNotFoundError(f"{name} is blocked in this test", name=name)


sys.meta_path.insert(0, Block())
"""


def python(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )


def test_the_block_blocks() -> None:
    result = python(BLOCKED + "import yaml")
    assert "yaml is blocked in this test" in result.stderr
    assert "numpy is blocked in this test" in python(BLOCKED + "import numpy").stderr


def test_nn_imports_and_runs_with_torch_alone() -> None:
    modules = [module.name for module in pkgutil.iter_modules(semicoupled.nn.__path__, "semicoupled.nn.")]
    assert "semicoupled.nn.stack" in modules
    code = f"""
import torch, {", ".join(modules)}
from semicoupled.nn import SemiCoupledStack
net = SemiCoupledStack(in_channels=1, widths=[4, 4])
out = net(torch.zeros(1, 2, 1, 5, 5), streams=("main", "spatial", "temporal"))
(out.main.sum() + out.spatial.sum() + out.temporal.sum()).backward()
print(tuple(out.main.shape))
"""
    result = python(BLOCKED + code)
    assert result.stdout == "(1, 2, 4, 5, 5)\n", result.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import semicoupled",
        "from semicoupled.cli.main import main; main(['--help'])",
        "from semicoupled.cli.main import main; main(['train', '--help'])",
        "from semicoupled.find_task import task_folders; from semicoupled.cli.main import main\n"
        "for name in task_folders(): main(['train', name, '--help'])",
    ],
)
def test_help_imports_nothing_heavy(code: str) -> None:
    heavy = ("torch", "numpy", "matplotlib", "lightning_fabric", "xarray", "h5py", "cv2", "PIL")
    result = python(f"{code}\nimport sys\nprint([name for name in {heavy} if name in sys.modules], file=sys.stderr)")
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("code", ["import semicoupled", "from semicoupled.cli.main import main; main(['--help'])"])
def test_help_is_quick(code: str) -> None:
    """CPU time, beside that of an empty Python, so that a busy machine does not count."""

    def seconds(program: str) -> float:
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert python(program).returncode == 0
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime

    ours = statistics.median(seconds(code) - seconds("pass") for _ in range(5))
    assert ours < LIMIT, f"{ours:.2f} s more than an empty Python"


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'laod'; it has: LoadedRun, __version__, load"):
        _ = semicoupled.laod  # pyright: ignore[reportAttributeAccessIssue]
