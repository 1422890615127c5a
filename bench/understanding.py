"""How well the understanding labels the hand-written evaluation sentences, and how long one takes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from callcenter.speech.linear import LinearModel
from callcenter.speech.understand import MODEL, Understander
from callcenter.speech.understanding_figures import evaluation_files, figures_of, read_labelled

LIMITS = {
    "category_error": ("<=", 0.10),
    "urgency_error": ("<=", 0.05),
    "emergencies_missed": ("<=", 0),
    "false_emergencies": ("<=", 0.03),
    "understand_p95_ms": ("<=", 50.0),
}
HOME = Path(__file__).resolve().parent.parent / "models" / "understanding"


def run() -> dict[str, Any]:
    """Figures of the understanding."""
    model = LinearModel.load(MODEL)
    own, strangers = evaluation_files(HOME)
    understander = Understander(model)
    took_ms = []
    for file in own + strangers:
        for row in read_labelled(file):
            begun = time.perf_counter()
            understander.understand(row.text, "en" if file.stem == "english" else "zh")
            took_ms.append((time.perf_counter() - begun) * 1000)
    took_ms.sort()
    return {
        **figures_of(model, own).as_dict(),
        **{f"strangers_{name}": value for name, value in figures_of(model, strangers).as_dict().items()},
        "understand_p95_ms": round(took_ms[int(len(took_ms) * 0.95)], 2),
    }
