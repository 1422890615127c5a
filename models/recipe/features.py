"""The features libvosk computes from `conf/mfcc.conf`, computed the same way: 40 MFCC, 10 ms, 8 kHz."""

from __future__ import annotations

import kaldi_native_fbank as knf
import numpy as np
from numpy.typing import NDArray

MFCC_CONF = """--use-energy=false
--sample-frequency=8000
--num-mel-bins=40
--num-ceps=40
--low-freq=40
--high-freq=-200
--dither=0.0
--energy-floor=0.0
"""
DIMENSIONS = 40
SHIFT_SAMPLES = 80
FIRST_CENTRE_SAMPLES = 100


def _options() -> knf.MfccOptions:
    options = knf.MfccOptions()
    options.frame_opts.samp_freq = 8000
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 40
    options.mel_opts.low_freq = 40
    options.mel_opts.high_freq = -200
    options.num_ceps = 40
    options.use_energy = False
    options.energy_floor = 0.0
    return options


_OPTIONS = _options()


def mfcc(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """8 kHz samples -> [frames, 40]; frame i is centred on sample 100 + 80 i."""
    computer = knf.OnlineMfcc(_OPTIONS)
    computer.accept_waveform(8000, samples.astype(np.float32).tolist())
    computer.input_finished()
    return np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)]).astype(np.float32)
