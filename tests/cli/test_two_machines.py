"""`torchrun` over two machines: two network namespaces, joined by a pair of virtual network devices."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file

from semicoupled.training.log import read_log

pytestmark = pytest.mark.slow
ADDRESSES = ("10.83.9.1", "10.83.9.2")
TRAIN = [
    "train", "toy", "--model.widths=[4,4]", "--model.strides=[1,1]", "--model.norm=none", "--data.frames=5",
    "--data.test=8", "--data.clips=16", "--data.validation=8", "--training.steps=6", "--training.batch=4",
    "--training.checkpoint_every=3", "--training.log_every=1", "--training.tensorboard=false", "--segments.length=3",
    "--switches.method=stsgd", "--switches.scope=sample", "--device=cpu",
]  # fmt: skip


class Machine:
    """A network namespace, and its network device."""

    def __init__(self, name: str, link: str) -> None:
        self.name, self.link = name, link

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, *arguments],
            env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": self.link, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@pytest.fixture
def machines() -> Iterator[list[Machine]]:
    if shutil.which("ip") is None:
        pytest.skip("needs ip of iproute2")
    mark = secrets.token_hex(2)
    names = [f"scale{mark}{side}" for side in "ab"]
    made: list[str] = []
    try:
        try:
            for name in names:
                _ip("netns", "add", name)
                made.append(name)
            links = [f"v{mark}{side}" for side in "ab"]
            _ip("link", "add", links[0], "netns", names[0], "type", "veth", "peer", links[1], "netns", names[1])
            for name, link, address in zip(names, links, ADDRESSES, strict=True):
                _ip("-n", name, "addr", "add", f"{address}/24", "dev", link)
                _ip("-n", name, "link", "set", link, "up")
                _ip("-n", name, "link", "set", "lo", "up")
        except OSError as error:
            pytest.skip(f"network namespaces cannot be made here: {error}")
        yield [Machine(name, link) for name, link in zip(names, links, strict=True)]
    finally:
        for name in made:  # its devices go with it
            _ip("netns", "del", name)


def test_two_machines_train_as_one_process(machines: list[Machine], tmp_path: Path) -> None:
    alone = [sys.executable, "-m", "semicoupled", *TRAIN, "--run", str(tmp_path / "one")]
    subprocess.run(alone, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=900)
    launcher = [
        sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1",
        "--master-addr", ADDRESSES[0], "--master-port", "29523",
    ]  # fmt: skip
    command = ["-m", "--", "semicoupled", *TRAIN, "--run", str(tmp_path / "two")]
    started = [
        machine.start(*launcher, "--node-rank", str(number), "--local-addr", address, *command)
        for number, (machine, address) in enumerate(zip(machines, ADDRESSES, strict=True))
    ]
    try:
        said = [process.communicate(timeout=900)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], "\n".join(said)
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for name, value in one.items():
        assert (two[name] - value).abs().max() <= 1e-5, name
    lines = [[line for line in read_log(tmp_path / name) if line["kind"] == "training"] for name in ("one", "two")]
    assert len(lines[0]) == 6
    for single, shared in zip(*lines, strict=True):
        single, shared = ({k: v for k, v in line.items() if k != "seconds"} for line in (single, shared))
        assert shared == pytest.approx(single, abs=1e-5)
    assert (tmp_path / "two/report.html").is_file()
