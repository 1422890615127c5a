"""Put a trained network and the graphs together as a model folder that libvosk reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.recipe import graph
from models.recipe.features import DIMENSIONS, MFCC_CONF
from models.recipe.kaldi_files import Layer, Matrix, Transitions, network, write_model
from models.recipe.language_model import BackOff
from models.recipe.network import BLOCK_OFFSETS, FIRST_OFFSETS, LEFT_FRAMES, RIGHT_FRAMES, SUBSAMPLING


@dataclass(frozen=True)
class Decoding:
    """What `conf/model.conf` says, and how far the network's own priors are divided out (0..1).

    Chosen by the error rate on the development speech. The acoustic scale is low because the network is very sure of
    itself on speech like its own; beams are in the same, scaled nats. The network sees `frames_per_chunk` frames of
    10 ms at a time: the matrix products of 14 outputs take a tenth less time than those of Kaldi's 7, and words come a
    tenth of a second later.
    """

    acoustic_scale: float = 0.2875
    prior_power: float = 0.8
    beam: float = 6.25
    lattice_beam: float = 3.9
    max_active: int = 1200
    frames_per_chunk: int = 14 * SUBSAMPLING
    costs: graph.Costs = field(default_factory=graph.Costs)


def _conf(decoding: Decoding) -> str:
    scale = decoding.costs.scale
    return "".join(
        f"--{name}={value}\n"
        for name, value in (
            ("min-active", 100),
            ("max-active", decoding.max_active),
            ("beam", round(decoding.beam * scale, 4)),
            ("lattice-beam", round(decoding.lattice_beam * scale, 4)),
            ("acoustic-scale", round(decoding.acoustic_scale * scale, 5)),
            ("frame-subsampling-factor", SUBSAMPLING),
            ("frames-per-chunk", decoding.frames_per_chunk),
            ("endpoint.silence-phones", 1),
            ("endpoint.rule2.min-trailing-silence", 0.5),
            ("endpoint.rule3.min-trailing-silence", 0.8),
            ("endpoint.rule4.min-trailing-silence", 1.5),
        )
    )


def _folded(weights: Matrix, bias: Matrix, saved: dict[str, Matrix], norm: str) -> tuple[Matrix, Matrix]:
    """An affine layer with the batch normalisation after it multiplied in."""
    gain = saved[f"{norm}.weight"] / np.sqrt(saved[f"{norm}.running_var"] + 1e-5)
    return weights * gain[:, None], (bias - saved[f"{norm}.running_mean"]) * gain + saved[f"{norm}.bias"]


def layers(saved: dict[str, Matrix]) -> list[Layer]:
    """The network as nnet3 layers."""
    taps = len(FIRST_OFFSETS)
    gain = np.tile(1 / saved["deviation"], taps)
    shift = np.tile(-saved["mean"] / saved["deviation"], taps)
    weights = saved["first.weight"]
    bias = saved["first.bias"] + weights @ shift
    weights, bias = _folded(weights * gain, bias, saved, "first_norm")
    out = [Layer("first", tuple(("input", o) for o in FIRST_OFFSETS), weights, bias, relu=True)]
    previous = out[-1].output
    for index, offsets in enumerate(BLOCK_OFFSETS):
        squeeze = saved[f"blocks.{index}.squeeze.weight"]
        inputs = tuple((previous, SUBSAMPLING * o) for o in offsets)
        out.append(Layer(f"squeeze{index}", inputs, squeeze, None))
        weights, bias = _folded(
            saved[f"blocks.{index}.expand.weight"], saved[f"blocks.{index}.expand.bias"], saved, f"blocks.{index}.norm"
        )
        out.append(Layer(f"block{index}", ((out[-1].output, 0),), weights, bias, relu=True, skip=(previous, 0)))
        previous = out[-1].output
    out.append(Layer("output", ((previous, 0),), saved["output.weight"], saved["output.bias"]))
    return out


def export(
    folder: Path,
    weights: Path,
    entries: Sequence[graph.Pronunciation],
    model: BackOff,
    decoding: Decoding,
) -> Path:
    """Write `am/`, `conf/` and `graph/` under `folder`; returns it."""
    for name in ("am", "conf", "graph"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    transitions = Transitions(graph.phones().pdf)
    with np.load(weights) as file:
        saved = {name: file[name].astype(np.float64) for name in file.files}
    priors = saved["priors"] ** decoding.prior_power
    nnet = network(DIMENSIONS, layers(saved), LEFT_FRAMES, RIGHT_FRAMES, priors)
    write_model(folder / "am" / "final.mdl", transitions, nnet)
    (folder / "conf" / "mfcc.conf").write_text(MFCC_CONF)
    (folder / "conf" / "model.conf").write_text(_conf(decoding))
    graph.write_graph(folder / "graph", entries, model, transitions, decoding.costs)
    return folder
