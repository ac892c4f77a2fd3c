"""Forecasts from every time whose frames are all there, such as of a season that is over, by several processes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from torch import nn

from semicoupled.data.damage import piece_damage_told
from semicoupled.errors import DataError, SettingsError
from semicoupled.shared_pieces import Work, share
from semicoupled.sharing import Group, Sharing, sharing_of
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence, find_files, read_sequences
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.operating.session import NowcastSession
from semicoupled.tasks.nowcasting.operating.writers import TIME, Target, write_targets
from semicoupled.tasks.nowcasting.settings import NowcastingSettings, PredictOptions


class Start(NamedTuple):
    """A time to forecast from.

    Attributes:
        sequence: which.
        frame: its newest frame that goes in.
    """

    sequence: int
    frame: int


def forecast_each(
    session: NowcastSession, targets: Sequence[Target], request: PredictRequest, options: PredictOptions
) -> Iterator[Path]:
    """Forecast from every time, with other processes if asked; what was stopped is gone on with by the next call.

    Args:
        session: makes the forecasts.
        targets: where to; ``{time}`` in each name.
        request: inputs, progress, and whether to stop.
        options: `devices` and `lead`.

    Yields:
        The files, in the order of their times, once all are written.

    Raises:
        DataError: no time has all its frames, two places have the same times, or a file cannot be written.
        SettingsError: a name without ``{time}``.
    """
    for target in targets:
        if TIME not in target.pattern.name:
            raise SettingsError(
                f"--each-time: {target.pattern}: every forecast would take the place of the one before; expected a "
                f"name with {TIME} in it, or a folder"
            )
    sequences = read_all(request.inputs, session.settings)
    begun = starts(sequences, session.settings.data.input_frames)
    names = names_of(sequences, begun)
    out = targets[0].pattern
    how = sharing_of(options.devices, out) or Sharing(Group(0, 1), 1)
    about = {
        "weights": session.fingerprint,
        "settings": [str(session.settings.data), str(session.settings.predict)],
        "lead": options.lead,
        "out": [str(target.pattern) for target in targets],
        "frames": [str(sequences[start.sequence].sources[start.frame]) for start in begun],
    }
    arguments = (session.settings, session.known, tuple(request.inputs), tuple(targets), options.lead)
    work = Work(out, about, names, piece_maker, session.model, arguments)
    pieces = share(work, how, request.progress, request.stopped)
    if pieces is None:
        return
    for name in names:
        yield from written_by(pieces.result(name))
    pieces.end()


def written_by(piece: bytes) -> list[Path]:
    """Give the files that a piece says it has written.

    Raises:
        DataError: it is not whole.
    """
    with piece_damage_told():
        return _names(piece)


def _names(piece: bytes) -> list[Path]:
    names = json.loads(piece)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{str(names)[:80]!r} are no names of files")
    return [Path(name) for name in names]


def read_all(inputs: Sequence[Path], settings: NowcastingSettings) -> list[RadarSequence]:
    """Read what lies in files and folders, in order of time.

    Raises:
        DataError: see `read_sequences`.
    """
    files = sorted({file for path in inputs for file in find_files(path)})
    sequences = read_sequences(files, reading=settings.data.reading).sequences
    return sorted(sequences, key=lambda sequence: (sequence.times[0], sequence.event))


def starts(sequences: Sequence[RadarSequence], input_frames: int) -> list[Start]:
    """Give every frame that has as many before it as go in.

    Raises:
        DataError: none has.
    """
    found = [
        Start(number, frame)
        for number, sequence in enumerate(sequences)
        for frame in range(input_frames - 1, len(sequence))
    ]
    if not found:
        longest = max(map(len, sequences), default=0)
        raise DataError(
            f"no time has its {input_frames} frames in a row; the longest row has {longest}. Give more files"
        )
    return found


def names_of(sequences: Sequence[RadarSequence], begun: Sequence[Start]) -> list[str]:
    """Give the name of each forecast, its time to the minute; a season has a hundred thousand.

    Args:
        sequences: see `read_all`.
        begun: see `starts`.

    Raises:
        DataError: two places have frames of one time.
    """
    names = [f"{sequences[start.sequence].times[start.frame]:%Y%m%dT%H%MZ}" for start in begun]
    counts = Counter(names)
    for name, start in zip(names, begun, strict=True):
        if counts[name] > 1:
            where = sequences[start.sequence].sources[start.frame]
            raise DataError(f"{where}: another place has a frame of {name}, too; expected one. Give one place's files")
    return names


def piece_maker(
    model: nn.Module,
    settings: NowcastingSettings,
    known: Mapping[str, Any],
    inputs: Sequence[Path],
    targets: Sequence[Target],
    lead: float | None,
) -> Callable[[int], bytes]:
    """Give the function that writes the forecast of a position, in one of several processes, and names its files.

    Args:
        model: on its device, in eval mode.
        settings: of the run.
        known: see `NowcastSession.known`.
        inputs: files and folders.
        targets: where to.
        lead: minutes; None for those of the settings.
    """
    session = NowcastSession(settings, cast(NowcastingModel, model), **known)
    sequences = read_all(inputs, settings)
    begun = starts(sequences, settings.data.input_frames)

    def make(index: int) -> bytes:
        start = begun[index]
        first = start.frame + 1 - settings.data.input_frames
        state = session.start([sequences[start.sequence].part(first, start.frame + 1)])
        forecast = session.forecast(state, None if lead is None else session.steps_for(lead, state.step))
        return json.dumps([str(path) for path in write_targets(forecast, targets)]).encode()

    return make
