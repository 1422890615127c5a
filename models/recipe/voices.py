"""The voices of the training speech: espeak-ng's own variants but the held-out ones, and invented variants.

espeak-ng's variants are few and alike; a model that heard only them fails on an odd one. So the recipe invents
more: formants moved one by one, strengths, widths, pitch, roughness, Klatt sources, all at random with a seed.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import espeakng_loader

NAMED = tuple(
    (  # noqa: SIM905
        "m1 m2 m3 m4 m5 m7 m8 f1 f2 f3 f5 Alex Andrea Andy aunty belinda benjamin boris caleb ed "
        "gene iven iven2 john Jacky Lee Marco max Michael mike2 paul quincy rob robert steph steph2 "
        "victor zac antonio kaukovalta Diogo Denis anika travis sandro Henrique klatt klatt2 klatt3 "
        "klatt4 pedro marcelo michel ian"
    ).split()
)
INVENTED = tuple(f"invented{i:03d}" for i in range(200))
WILD = tuple(f"wild{i:03d}" for i in range(200))
# Files that are written anew for every utterance of the step `sharpen`, one for each child process.
OWN = tuple(f"own{i:02d}" for i in range(40))
# Voices that only tuning and calibration hear: neither trained on nor tested with.
DEVELOPMENT = ("Alicia", "edward", "linda", "Mario", *(f"invented{i:03d}" for i in range(200, 212)))


def _invent(name: str, random: Random, *, wild: bool = False) -> str:
    """The text of one variant file; `wild` ones go further and are half of them Klatt voices."""
    tract = random.uniform(0.72, 1.28) if wild else random.uniform(0.82, 1.22)
    pitch = random.uniform(65, 230)
    odd = random.random() < (0.5 if wild else 0.35)
    lines = ["language variant", f"name {name}", f"pitch {pitch:.0f} {pitch * random.uniform(1.15, 1.75):.0f}"]
    for formant in range(9):
        spread = (0.78, 1.25) if odd and 1 <= formant <= 3 else (0.9, 1.1)
        frequency = 100 * (tract if formant else 1) * random.uniform(*spread)
        strength = random.uniform(45, 160) if formant < 6 else random.uniform(0, 120)
        lines.append(
            f"formant {formant} {max(70, min(140, frequency)):.0f} {strength:.0f} {random.uniform(70, 160):.0f}"
        )
    lines.append(f"flutter {random.randint(0, 10)}")
    lines.append(f"roughness {random.randint(0, 5)}")
    lines.append(f"voicing {random.uniform(35, 180):.0f}")
    lines.append(f"consonants {random.uniform(50, 130):.0f} {random.uniform(40, 130):.0f}")
    if random.random() < 0.3:
        lines.append("breath " + " ".join(str(random.randint(0, 5)) for _ in range(8)))
    if random.random() < 0.4:
        points = (random.randint(200, 600), random.randint(800, 1600), random.randint(2000, 5000))
        lines.append("tone " + " ".join(f"{point} {random.randint(50, 255)}" for point in points))
    if random.random() < 0.3:
        lines.append(f"echo {random.randint(20, 160)} {random.randint(5, 20)}")
    if random.random() < (0.5 if wild else 0.25):
        lines.append(f"klatt {random.randint(1, 6)}")
    return "\n".join(lines) + "\n"


def prepare(folder: Path, seed: int = 61, *, wild: bool = False) -> Path:
    """Copy espeak-ng's data to `folder` and add the invented (or wild) variants; returns the folder."""
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(espeakng_loader.get_data_path(), folder)
        for language in (folder / "lang").rglob("*"):  # libespeak lists at most 349 voices in all
            if language.is_file() and not language.name.startswith("cmn"):
                language.unlink()
        random = Random(seed)
        names = WILD if wild else (*INVENTED, *(v for v in DEVELOPMENT if v.startswith("invented")))
        for name in names:
            (folder / "voices" / "!v" / name).write_text(_invent(name, random, wild=wild))
        for name in OWN if wild else ():
            (folder / "voices" / "!v" / name).write_text(_invent(name, random, wild=True))
        (folder / "ready").touch()
    return folder


def reinvent(folder: Path, name: str, random: Random) -> str:
    """Write another wild voice into the file of one of OWN; libespeak reads it again. Returns the name."""
    (folder / "voices" / "!v" / name).write_text(_invent(name, random, wild=True))
    return name


def pick(random: Random, *, development: bool = False, wild: bool = False) -> str:
    """A training voice, three of five invented; one kept for development; or three of four wild."""
    if wild:
        return random.choice(WILD if random.random() < 0.75 else NAMED)
    if development:
        return random.choice(DEVELOPMENT)
    return random.choice(INVENTED if random.random() < 0.6 else NAMED)
