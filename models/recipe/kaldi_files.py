"""Kaldi's binary `final.mdl`: a transition model and an nnet3 network, written without Kaldi.

Binary conventions: a token is its text and a space; int and float are a size byte (4) and four bytes, double is a
size byte (8) and eight; an int vector is the byte 4, a raw count and int32s; `FV ` and `FM ` begin a float vector and
a matrix.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def token(text: str) -> bytes:
    """A token."""
    return text.encode() + b" "


def integer(value: int) -> bytes:
    """An int32."""
    return b"\x04" + struct.pack("<i", value)


def single(value: float) -> bytes:
    """A float."""
    return b"\x04" + struct.pack("<f", value)


def double(value: float) -> bytes:
    """A double."""
    return b"\x08" + struct.pack("<d", value)


def integers(values: Iterable[int]) -> bytes:
    """A vector of int32."""
    array = np.fromiter(values, dtype="<i4")
    return b"\x04" + struct.pack("<i", len(array)) + array.tobytes()


def vector(values: Iterable[float] | Matrix) -> bytes:
    """A float vector."""
    array = np.asarray(list(values), dtype="<f4")
    return b"FV " + integer(array.shape[0]) + array.tobytes()


def matrix(values: Matrix) -> bytes:
    """A float matrix."""
    array = np.ascontiguousarray(values, dtype="<f4")
    return b"FM " + integer(array.shape[0]) + integer(array.shape[1]) + array.tobytes()


_State = tuple[int, tuple[tuple[int, float], ...]]  # pdf class, (next state, probability) each
_SILENCE: tuple[_State, ...] = ((0, ((0, 0.5), (1, 0.5))), (-1, ()))
_PHONE: tuple[_State, ...] = ((0, ((0, 0.4), (1, 0.3), (2, 0.3))), (1, ((1, 0.5), (2, 0.5))), (-1, ()))


class Transitions:
    """Phone 1 is silence (one state, pdf 0); every other phone has a state with its own pdf and then, if it likes,
    one with pdf 0, so that a pause may follow any phone.

    `pdf_of` maps phone number (from 1) to pdf; phones of one sound at different places in a word share it.
    """

    def __init__(self, pdf_of: dict[int, int]) -> None:
        self.phones = len(pdf_of)
        self._tuples = [(1, 0, 0)]
        for phone in range(2, self.phones + 1):
            self._tuples += [(phone, 0, pdf_of[phone]), (phone, 1, 0)]
        self.id: dict[tuple[int, int, int], int] = {}  # (phone, state, next state) -> transition id
        self._log_probabilities = [0.0]
        for phone, state, _ in self._tuples:
            for following, probability in (_SILENCE if phone == 1 else _PHONE)[state][1]:
                self.id[(phone, state, following)] = len(self._log_probabilities)
                self._log_probabilities.append(math.log(probability))
        self.count = len(self._log_probabilities) - 1

    def binary(self) -> bytes:
        """The `<TransitionModel>`."""
        out = [token("<TransitionModel>"), token("<Topology>"), integers(range(1, self.phones + 1))]
        out += [integers([-1, 0] + [1] * (self.phones - 1)), integer(2)]
        for entry in (_SILENCE, _PHONE):
            out.append(integer(len(entry)))
            for pdf_class, transitions in entry:
                out += [integer(pdf_class), integer(len(transitions))]
                for following, probability in transitions:
                    out += [integer(following), single(probability)]
        out += [token("</Topology>"), token("<Triples>"), integer(len(self._tuples))]
        out += [integer(value) for row in self._tuples for value in row]
        out += [token("</Triples>"), token("<LogProbs>"), vector(self._log_probabilities), token("</LogProbs>")]
        return b"".join([*out, token("</TransitionModel>")])


@dataclass(frozen=True)
class Layer:
    """One layer: reads `inputs` (node, frame offset) side by side; `relu` and a sum with `skip` may follow.

    Without a bias it is a LinearComponent: two affine ones in a row would be multiplied into one by libvosk's
    loader, and a bottleneck is there to be narrow.
    """

    name: str
    inputs: tuple[tuple[str, int], ...]
    weights: Matrix
    bias: Matrix | None
    relu: bool = False
    skip: tuple[str, int] | None = None

    @property
    def output(self) -> str:
        """The node that later layers read."""
        return f"{self.name}.sum" if self.skip else (f"{self.name}.relu" if self.relu else f"{self.name}.affine")


def _at(node: str, offset: int) -> str:
    return node if not offset else f"Offset({node}, {offset})"


def _linear(weights: Matrix) -> bytes:
    """A LinearComponent; what follows the parameters matters only to Kaldi's training."""
    return b"".join(
        (
            token("<LinearComponent>"),
            token("<LearningRate>"),
            single(0.001),
            token("<Params>"),
            matrix(weights),
            token("<OrthonormalConstraint>"),
            single(0.0),
            token("<UseNaturalGradient>"),
            b"T",
            token("<RankInOut>"),
            integer(20),
            integer(80),
            token("<Alpha>"),
            single(4.0),
            token("<NumSamplesHistory>"),
            single(2000.0),
            token("<UpdatePeriod>"),
            integer(4),
            token("</LinearComponent>"),
        )
    )


def _affine(weights: Matrix, bias: Matrix) -> bytes:
    return b"".join(
        (
            token("<AffineComponent>"),
            token("<LearningRate>"),
            single(0.001),
            token("<LinearParams>"),
            matrix(weights),
            token("<BiasParams>"),
            vector(bias),
            token("</AffineComponent>"),
        )
    )


def _nonlinearity(kind: str, size: int) -> bytes:
    return b"".join(
        (
            token(f"<{kind}>"),
            token("<Dim>"),
            integer(size),
            token("<ValueAvg>"),
            vector([]),
            token("<DerivAvg>"),
            vector([]),
            token("<Count>"),
            double(0.0),
            token(f"</{kind}>"),
        )
    )


def _copy(size: int) -> bytes:
    return b"".join(
        (
            token("<NoOpComponent>"),
            token("<Dim>"),
            integer(size),
            token("<BackpropScale>"),
            single(1.0),
            token("</NoOpComponent>"),
        )
    )


def network(inputs: int, layers: Sequence[Layer], left: int, right: int, priors: Iterable[float]) -> bytes:
    """An `<Nnet3>` of affine layers that ends in a log-softmax, with its context in frames and its priors."""
    lines = [f"input-node name=input dim={inputs}"]
    components: list[tuple[str, bytes]] = []

    def node(name: str, body: bytes, source: str) -> None:
        lines.append(f"component-node name={name} component={name} input={source}")
        components.append((name, body))

    for layer in layers:
        sources = [_at(name, offset) for name, offset in layer.inputs]
        spliced = sources[0] if len(sources) == 1 else f"Append({', '.join(sources)})"
        body = _linear(layer.weights) if layer.bias is None else _affine(layer.weights, layer.bias)
        node(f"{layer.name}.affine", body, spliced)
        size = layer.weights.shape[0]
        if layer.relu:
            node(f"{layer.name}.relu", _nonlinearity("RectifiedLinearComponent", size), f"{layer.name}.affine")
        if layer.skip:
            node(f"{layer.name}.sum", _copy(size), f"Sum({layer.name}.relu, {_at(*layer.skip)})")
    size = layers[-1].weights.shape[0]
    node("output.softmax", _nonlinearity("LogSoftmaxComponent", size), layers[-1].output)
    lines.append("output-node name=output input=output.softmax objective=linear")
    out = [
        token("<Nnet3>"),
        b"\n",
        "\n".join(lines).encode(),
        b"\n\n",
        token("<NumComponents>"),
        integer(len(components)),
    ]
    for name, body in components:
        out += [token("<ComponentName>"), token(name), body]
    out += [token("</Nnet3>"), token("<LeftContext>"), integer(left), token("<RightContext>"), integer(right)]
    return b"".join([*out, token("<Priors>"), vector(priors)])


def write_model(path: Path, transitions: Transitions, nnet: bytes) -> None:
    """`final.mdl`."""
    path.write_bytes(b"\0B" + transitions.binary() + nnet)
