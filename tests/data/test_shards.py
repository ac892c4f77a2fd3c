from __future__ import annotations

import pickle
from io import SEEK_END
from pathlib import Path

import pytest
from tests.tars import write_tar

from semicoupled.data.shards import expand_braces, samples_of, shard_files
from semicoupled.errors import DataError


def test_braces_keep_their_zeros() -> None:
    assert list(expand_braces("d-{08..11}.tar")) == ["d-08.tar", "d-09.tar", "d-10.tar", "d-11.tar"]
    assert list(expand_braces("{a,b}/{0..1}.tar")) == ["a/0.tar", "a/1.tar", "b/0.tar", "b/1.tar"]
    with pytest.raises(DataError, match=r"the range 9\.\.1 holds no or too many numbers"):
        list(expand_braces("d-{9..1}.tar"))
    with pytest.raises(DataError, match="holds no or too many numbers"):
        list(expand_braces("d-{0..99999999999}.tar"))


def test_shards_are_found_by_folder_glob_braces_and_name(tmp_path: Path) -> None:
    shards = [write_tar(tmp_path / f"train/d-{number:06}.tar", {}) for number in range(3)]
    (tmp_path / "train/list.txt").write_text("no shard")
    assert shard_files(str(tmp_path)) == shards
    assert shard_files(f"{tmp_path}/*/d-00000[01].tar") == shards[:2]
    assert shard_files(f"{tmp_path}/train/d-{{000001..000002}}.tar") == shards[1:]
    assert shard_files(str(shards[2])) == shards[2:]
    assert shard_files(f"{tmp_path}/none-*.tar") == []
    with pytest.raises(DataError, match=r"d-000003\.tar: no such shard, of .*\{000002\.\.000003\}"):
        shard_files(f"{tmp_path}/train/d-{{000002..000003}}.tar")


def test_files_up_to_their_first_dot_make_a_sample(tmp_path: Path) -> None:
    names = ["a.b/one.CLS", "a.b/one.seg.png", "__meta__", ".hidden", "README", "two.cls", "a.b/one.cls"]
    shard = write_tar(tmp_path / "a.tar", {name: name.encode() for name in names})
    samples = list(samples_of(shard))
    assert [(sample.key, sorted(sample.parts)) for sample in samples] == [
        ("a.b/one", ["cls", "seg.png"]), ("two", ["cls"]), ("a.b/one", ["cls"])
    ]  # fmt: skip
    assert samples[0].parts["seg.png"].read() == b"a.b/one.seg.png"
    assert str(samples[1].parts["cls"]) == f"{shard}: two.cls"


def test_a_file_that_comes_twice_in_a_sample_is_refused(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "a.tar", {"one.cls": b"1", "one.CLS": b"2"})
    with pytest.raises(DataError, match=r"a\.tar: one\.CLS: is there twice in its sample"):
        list(samples_of(shard))


def test_a_packed_file_reads_as_a_file_of_its_own(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "a.tar", {"one.bin": bytes(range(200)), "two.bin": b"other"})
    packed = pickle.loads(pickle.dumps(next(samples_of(shard)).parts["bin"]))
    with packed.open() as file:
        assert file.read(3) == bytes([0, 1, 2])
        assert file.seek(-2, SEEK_END) == 198
        assert file.read() == bytes([198, 199])
        assert file.read(1) == b""
        assert file.seek(500) == 500
        assert file.read(1) == b""
        assert file.seek(10) == 10
        assert file.read(1) == bytes([10])
    shard.write_bytes(shard.read_bytes()[:600])
    with pytest.raises(DataError, match=r"one\.bin: is cut off; the shard changed"):
        packed.read()
    shard.unlink()
    with pytest.raises(DataError, match=r"one\.bin: cannot be read \(No such file"):
        packed.read()
