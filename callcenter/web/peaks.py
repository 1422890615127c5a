"""The waveform of a recording, computed once: the largest amplitude of each of a fixed number of stretches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from callcenter.errors import StoreError

POINTS = 1200
"""Stretches per channel: two pixels each on a wide screen."""
BLOCK_FRAMES = 8000 * 30


def compute_peaks(path: Path, points: int = POINTS) -> list[list[float]]:
    """Peaks per channel, 0..1, scaled to the loudest so that a quiet caller can be seen. Reads in blocks of 30 s.

    Raises StoreError when the file is no audio.
    """
    try:
        with soundfile.SoundFile(path) as file:
            frames, channels = len(file), file.channels
            size = max(1, -(-frames // points))
            peaks = np.zeros((channels, points), dtype=np.float32)
            start = 0
            for block in file.blocks(blocksize=max(1, BLOCK_FRAMES // size) * size, dtype="float32", always_2d=True):
                count = -(-len(block) // size)
                padded = np.zeros((count * size, channels), dtype=np.float32)
                padded[: len(block)] = np.abs(block)
                first = start // size
                peaks[:, first : first + count] = padded.reshape(count, size, channels).max(axis=1).T
                start += len(block)
    except (soundfile.LibsndfileError, OSError) as error:
        raise StoreError(
            "recording.unreadable", "the recording cannot be read", where=path.name,
            mend="compare its checksum with the store's; restore it from the backup",
        ) from error  # fmt: skip
    used = max(1, -(-frames // size))
    loudest = float(peaks.max()) or 1.0
    return [[round(float(value), 3) for value in channel[:used] / loudest] for channel in peaks]
