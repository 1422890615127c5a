"""The acoustic network and its training: factored time-delay layers on 40 MFCC, one output each 30 ms.

Trained by frame cross-entropy on espeak's own phone times. CTC from scratch does not get going on so little speech.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.recipe import sequence
from models.recipe.features import DIMENSIONS
from models.recipe.phones import phone_names
from models.recipe.progress import Progress
from models.recipe.synthesis import Utterance

SUBSAMPLING = 3
FIRST_OFFSETS = tuple(range(-3, 4))  # in frames of 10 ms
# In frames of 30 ms. Right context is short: it is how far the words lag behind the voice (0.33 s in all).
BLOCK_OFFSETS = ((-1, 0, 1), (-1, 0, 1), (-1, 0, 1), (-1, 0, 1), (-2, 0, 1), (-2, 0, 1), (-3, 0, 2), (-3, 0, 2))
WIDTH = 512
BOTTLENECK = 128
LEFT_FRAMES = 3 + SUBSAMPLING * -sum(o[0] for o in BLOCK_OFFSETS)
RIGHT_FRAMES = 3 + SUBSAMPLING * sum(o[-1] for o in BLOCK_OFFSETS)


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: epochs over the data, utterances per step, peak learning rate, seed.

    `edges` is how many frames of the silence at either end of an utterance are kept; None keeps all of it.
    `sequence` is the weight of the sequence criterion beside frame cross-entropy; `scale` and `prior_power` are how
    the network's outputs are weighed in it, about as the decoder does.
    """

    epochs: int = 5
    batch: int = 32
    learning_rate: float = 2e-3
    seed: int = 3
    edges: int | None = 12
    sequence: float = 0.0
    scale: float = 0.35
    prior_power: float = 0.8


class Block(nn.Module):
    """x + relu(norm(expand(squeeze(x at three offsets)))); shortens the sequence by its context."""

    def __init__(self, offsets: tuple[int, ...]) -> None:
        super().__init__()
        self.offsets = offsets
        self.squeeze = nn.Linear(WIDTH * len(offsets), BOTTLENECK, bias=False)
        self.expand = nn.Linear(BOTTLENECK, WIDTH)
        self.norm = nn.BatchNorm1d(WIDTH)

    def forward(self, x: Tensor, dropout: float) -> Tensor:
        left, right = -self.offsets[0], self.offsets[-1]
        length = x.shape[1] - left - right
        # each frame by the matrix of each offset, then shifted: four times less to copy than frames spliced first
        matrices = self.squeeze.weight.view(BOTTLENECK, -1, WIDTH).transpose(0, 1).reshape(-1, WIDTH)
        parts = functional.linear(x, matrices).split(BOTTLENECK, -1)
        first, *others = (
            part[:, left + o : left + o + length] for part, o in zip(parts, self.offsets, strict=True)
        )
        y = self.expand(sum(others, first))
        y = functional.relu(self.norm(y.flatten(0, 1)).view_as(y))
        if self.training and dropout:
            kept = (torch.rand(y.shape[0], 1, y.shape[2]) > dropout) / (1 - dropout)
            y = y * kept.to(y.dtype)  # in half precision all the way: twice as fast
        return x[:, left : left + length] + y


class Network(nn.Module):
    """[batch, frames, 40], padded by LEFT_FRAMES and RIGHT_FRAMES -> [batch, frames/3, phones and silence] logits."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(DIMENSIONS))
        self.register_buffer("deviation", torch.ones(DIMENSIONS))
        self.first = nn.Linear(DIMENSIONS * len(FIRST_OFFSETS), WIDTH)
        self.first_norm = nn.BatchNorm1d(WIDTH)
        self.blocks = nn.ModuleList([Block(offsets) for offsets in BLOCK_OFFSETS])
        self.output = nn.Linear(WIDTH, len(phone_names()) + 1)

    def forward(self, x: Tensor, dropout: float = 0.0) -> Tensor:
        x = (x - self.mean) / self.deviation
        if self.training:
            x = x + 0.1 * torch.randn_like(x)
        x = x.unfold(1, len(FIRST_OFFSETS), SUBSAMPLING).transpose(2, 3).flatten(2)
        y = self.first(x)
        y = functional.relu(self.first_norm(y.flatten(0, 1)).view_as(y))
        for block in self.blocks:
            y = block(y, dropout)
        logits: Tensor = self.output(y)
        return logits


def pad(frames: NDArray[np.float16], outputs: int) -> NDArray[np.float32]:
    """Repeat the edge frames, as libvosk does, so that there are `outputs` outputs."""
    right = SUBSAMPLING * (outputs - 1) + RIGHT_FRAMES - (len(frames) - 1)
    return np.concatenate(
        [
            np.repeat(frames[:1], LEFT_FRAMES, 0),
            frames[: len(frames) + min(0, right)],
            np.repeat(frames[-1:], max(0, right), 0),
        ]
    ).astype(np.float32)


def batch(utterances: Sequence[Utterance], phase: int = 0) -> tuple[Tensor, Tensor]:
    """Features and labels (-100 beyond the end) of utterances, sampled from frame `phase` on."""
    outputs = max(-(-(len(u.frames) - phase) // SUBSAMPLING) for u in utterances)
    x = np.stack([pad(u.frames[phase:], outputs) for u in utterances])
    labels = np.full((len(utterances), outputs), -100, np.int64)
    for row, u in zip(labels, utterances, strict=True):
        wanted = u.labels[phase::SUBSAMPLING]
        row[: len(wanted)] = wanted
    return torch.from_numpy(x), torch.from_numpy(labels)


def prepared(batches: Sequence[Sequence[Utterance]], random: Random) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches in random order, each from a random phase; the next is made while the last is learnt from."""
    order = list(range(len(batches)))
    random.shuffle(order)
    wanted = [(batches[index], random.randrange(SUBSAMPLING)) for index in order]
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(batch, *wanted[0])
        for following in wanted[1:]:
            ready = coming.result()
            coming = maker.submit(batch, *following)
            yield ready
        yield coming.result()


def accuracy(network: Network, utterances: Sequence[Utterance]) -> float:
    """Share of frames whose phone is right."""
    network.eval()
    right = total = 0
    with torch.no_grad():
        for start in range(0, len(utterances), 32):
            x, labels = batch(utterances[start : start + 32])
            with torch.autocast("cpu", torch.bfloat16):
                best = network(x).argmax(-1)
            counted = labels >= 0
            right += int((best[counted] == labels[counted]).sum())
            total += int(counted.sum())
    return right / total


def priors(utterances: Sequence[Utterance]) -> NDArray[np.float64]:
    """How often each output is the label, floored."""
    counts = np.bincount(np.concatenate([u.labels for u in utterances]), minlength=len(phone_names()) + 1) + 10.0
    return np.asarray(counts / counts.sum())


def trimmed(utterance: Utterance, edges: int) -> Utterance:
    """The utterance with at most `edges` frames of silence before and after what is said: a third is silence."""
    spoken = np.flatnonzero(utterance.labels)
    if not len(spoken):
        return utterance
    kept = slice(max(0, spoken[0] - edges), spoken[-1] + 1 + edges)
    return Utterance(utterance.frames[kept], utterance.labels[kept])


def train(
    folder: Path,
    training: list[Utterance],
    development: list[Utterance],
    schedule: Schedule,
    start: Path | None = None,
) -> Path:
    """Train in `folder`, resuming at the last finished epoch; returns the file with weights and priors.

    `start` is the result of an earlier training to go on from, whose priors are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, result = folder / "checkpoint.pt", folder / "network.npz"
    torch.set_num_threads(2)
    torch.manual_seed(schedule.seed)
    network = Network()
    sample = np.concatenate([u.frames for u in training[:1500]]).astype(np.float32)
    network.mean.copy_(torch.from_numpy(sample.mean(0)))
    network.deviation.copy_(torch.from_numpy(sample.std(0)))
    kept_priors = priors(training)
    if start is not None:
        with np.load(start) as earlier:
            kept_priors = earlier["priors"]
            network.load_state_dict({k: torch.from_numpy(earlier[k]) for k in earlier.files if k != "priors"})
    if schedule.edges is not None:
        edges = schedule.edges
        training = [trimmed(utterance, edges) for utterance in training]
    log_priors = torch.from_numpy(np.log(kept_priors)).float()
    grammar = sequence.bigram(training, len(log_priors), SUBSAMPLING)
    optimiser = torch.optim.AdamW(network.parameters(), lr=schedule.learning_rate, weight_decay=1e-3, fused=True)
    in_order = sorted(training, key=lambda u: len(u.frames))
    batches = [in_order[i : i + schedule.batch] for i in range(0, len(in_order), schedule.batch)]
    steps = len(batches) * schedule.epochs
    epoch = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        epoch = saved["epoch"]
    progress = Progress("training", steps)
    progress.advance(epoch * len(batches))
    loss_mean = 0.0
    while epoch < schedule.epochs:
        random = Random(schedule.seed * 1000 + epoch)
        torch.manual_seed(schedule.seed * 1000 + epoch)
        network.train()
        for position, (x, labels) in enumerate(prepared(batches, random)):
            step = epoch * len(batches) + position
            rate = schedule.learning_rate * min(1.0, (step + 1) / 300)
            rate *= 0.5 * (1 + math.cos(math.pi * step / steps)) * 0.99 + 0.01
            for group in optimiser.param_groups:
                group["lr"] = rate
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(x, dropout=0.05)
            logits = logits.float()
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
            if schedule.sequence:
                scores = schedule.scale * (functional.log_softmax(logits, -1) - schedule.prior_power * log_priors)
                loss = loss + schedule.sequence / schedule.scale * sequence.surrogate(scores, labels, grammar)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimiser.step()
            loss_mean = loss.item() if not loss_mean else 0.98 * loss_mean + 0.02 * loss.item()
            progress.advance(1, f"epoch {epoch + 1}/{schedule.epochs} loss {loss_mean:.3f}")
        epoch += 1
        partial = checkpoint.with_suffix(".partial")
        torch.save({"network": network.state_dict(), "optimiser": optimiser.state_dict(), "epoch": epoch}, partial)
        partial.rename(checkpoint)
        print(f"epoch {epoch}: {100 * accuracy(network, development):.2f} % of development frames right", flush=True)
    progress.done()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    np.savez(result, priors=kept_priors, **weights)
    return result
