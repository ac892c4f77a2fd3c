"""Claims: of several who want a piece of work one gets it, and what its owner leaves behind is taken up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from semicoupled.claims import Claims


def test_one_of_many_gets_a_piece(tmp_path: Path) -> None:
    got: list[int] = []
    barrier = threading.Barrier(8)

    def run(number: int) -> None:
        with Claims(tmp_path) as claims:
            barrier.wait()
            if claims.take("a piece/of any name"):
                got.append(number)
            barrier.wait()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_what_is_finished_is_taken_by_nobody(tmp_path: Path) -> None:
    with Claims(tmp_path) as claims:
        assert claims.take("a")
        claims.finish("a")
        assert claims.finished("a")
        assert not claims.take("a")
    with Claims(tmp_path) as again:
        assert not again.take("a")
        assert again.take("b")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".done"]  # b was freed


def test_the_piece_of_a_dead_process_of_this_machine_is_taken_at_once(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from semicoupled.claims import Claims\n"
        "print(Claims(pathlib.Path(sys.argv[1])).take('a'), flush=True); os._exit(1)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True", done.stderr
    with Claims(tmp_path) as claims:
        assert claims.take("a")


def test_the_piece_of_another_machine_is_taken_when_nobody_touches_it(tmp_path: Path) -> None:
    with Claims(tmp_path) as claims:
        assert claims.take("a")
        (claim,) = tmp_path.glob("*.claim")
        claim.write_text("another-machine 1 abcd", encoding="utf-8")
        with Claims(tmp_path, stale=5) as other:
            assert not other.take("a")
            old = claim.stat().st_mtime - 6
            os.utime(claim, (old, old))
            assert other.take("a")
            other.finish("a")
        assert claims.finished("a")


def test_a_claim_is_touched_while_its_owner_lives(tmp_path: Path) -> None:
    with Claims(tmp_path, stale=0.2) as claims:
        assert claims.take("a")
        (claim,) = tmp_path.glob("*.claim")
        os.utime(claim, (1, 1))
        beaten = threading.Event()
        for _ in range(100):
            if beaten.wait(0.05) or claim.stat().st_mtime > 1:
                break
        assert claim.stat().st_mtime > 1


def test_a_folder_that_is_gone_gives_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    with Claims(folder) as claims:
        folder.rmdir()
        assert not claims.take("a")
