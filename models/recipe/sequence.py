"""The sequence criterion: how much better the right phones score than all other sequences together (MMI).

Frame cross-entropy teaches each frame alone; a decoder weighs whole sequences. Here the denominator sums over every
sequence of a phone bigram, the numerator over the right sequence with its boundaries moved by up to `SLACK` outputs.
Both are plain matrix products, a step an output, cheap beside the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.recipe.synthesis import Utterance

SLACK = 2


@dataclass(frozen=True)
class Bigram:
    """Transition probabilities between outputs of 30 ms, phone to phone, staying included; and those of the first."""

    between: Tensor
    first: Tensor


def bigram(utterances: Sequence[Utterance], outputs: int, subsampling: int) -> Bigram:
    """Counted on the labels of training speech; a little is left for what was never seen."""
    counts = np.zeros((outputs, outputs))
    first = np.full(outputs, 0.1)
    for utterance in utterances:
        labels = utterance.labels[::subsampling]
        np.add.at(counts, (labels[:-1], labels[1:]), 1)
        first[labels[0]] += 1
    total = counts.sum(0) / counts.sum()
    between = (counts + 3.0 * total) / (counts.sum(1, keepdims=True) + 3.0)
    return Bigram(torch.from_numpy(between).float(), torch.from_numpy(first / first.sum()).float())


def _chains(labels: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
    """Of a batch of frame labels (-100 beyond the end): phones in order [B, P], where each may be [B, T, P], last."""
    rows = []
    for row in labels:
        wanted = row[row >= 0]
        starts = np.flatnonzero(np.concatenate([[True], wanted[1:] != wanted[:-1]]))
        rows.append((wanted[starts], starts, np.concatenate([starts[1:], [len(wanted)]])))
    longest = max(len(phones) for phones, _, _ in rows)
    chain = np.zeros((len(rows), longest), np.int64)
    allowed = np.zeros((len(rows), labels.shape[1], longest), np.float32)
    last = np.zeros(len(rows), np.int64)
    for index, (phones, starts, ends) in enumerate(rows):
        chain[index, : len(phones)] = phones
        last[index] = len(phones) - 1
        for position, (start, end) in enumerate(zip(starts, ends, strict=True)):
            allowed[index, max(0, start - SLACK) : end + SLACK, position] = 1
    return torch.from_numpy(chain), torch.from_numpy(allowed), torch.from_numpy(last)


def loss(scores: Tensor, labels: Tensor, grammar: Bigram) -> Tensor:
    """-log P(right sequence) by output. `scores` [B, T, outputs] are scaled acoustic log-likelihoods."""
    counted = labels >= 0
    lengths = counted.sum(1)
    chain, allowed, last = _chains(labels.numpy())
    peak = scores.max(-1, keepdim=True).values.detach()
    scores = (scores - peak).clamp_min(-30)  # the peaks cancel between numerator and denominator
    likelihood = scores.exp()
    batch, steps, _ = scores.shape
    phones = chain.unsqueeze(1).expand(batch, steps, -1)
    own = likelihood.gather(2, phones) * allowed
    stay = grammar.between.diagonal()[chain]
    move = torch.cat([torch.zeros(batch, 1), grammar.between[chain[:, :-1], chain[:, 1:]]], 1)
    rows = torch.arange(batch)

    every = grammar.first * likelihood[:, 0]
    right = torch.zeros_like(own[:, 0])
    right[:, 0] = 1
    right = right * grammar.first[chain[:, :1]] * own[:, 0]
    every_sums, right_sums = [every.sum(1)], [right.sum(1).clamp_min(1e-20)]
    every, right = every / every_sums[0][:, None], right / right_sums[0][:, None]
    at_end = [right[rows, last]]
    for step in range(1, steps):
        every = (every @ grammar.between) * likelihood[:, step]
        shifted = torch.nn.functional.pad(right[:, :-1], (1, 0))
        right = (right * stay + shifted * move) * own[:, step]
        every_sums.append(every.sum(1))
        right_sums.append(right.sum(1).clamp_min(1e-20))
        every, right = every / every_sums[-1][:, None], right / right_sums[-1][:, None]
        at_end.append(right[rows, last])
    every_log = torch.stack(every_sums, 1).log()
    right_log = torch.stack(right_sums, 1).log()
    inside = counted.float()
    total = ((every_log - right_log) * inside).sum(1)
    ending = torch.stack(at_end, 1)[rows, lengths - 1].clamp_min(1e-20).log()
    usable = (ending > -20).float()  # labels too short for a path of their own are left out
    return ((total - ending) * usable).sum() / (lengths.float() * usable).sum().clamp_min(1.0)


def surrogate(scores: Tensor, labels: Tensor, grammar: Bigram) -> Tensor:
    """Nought that has the gradient of `loss`: its many small products are quicker on one thread than on several."""
    leaf = scores.detach().requires_grad_()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        loss(leaf, labels, grammar).backward()  # type: ignore[no-untyped-call]
    finally:
        torch.set_num_threads(threads)
    assert leaf.grad is not None
    return ((scores - leaf.detach()) * leaf.grad).sum()
