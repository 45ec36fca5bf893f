"""Twelve kinds of neurons as rules of growth: what leaves the soma, where to, and how it branches. Lengths in micrometres.

Directions are z, y, x; y is depth, from 0 at the surface (the pia of a cortex) down. The kinds are caricatures of what
textbooks draw (Ramon y Cajal 1911; Fischbach & Dittrich 1989 for the columnar and tangential cells of the fly).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neurotome.core.geometry import Nm3

__all__ = ["KINDS", "Kind", "Neurite"]

AXON, BASAL, APICAL = 2, 3, 4
UP: Nm3 = (0.0, -1.0, 0.0)
DOWN: Nm3 = (0.0, 1.0, 0.0)
ASIDE: Nm3 = (0.0, 0.0, 1.0)
ANYWHERE: Nm3 = (0.0, 0.0, 0.0)
FREE: Nm3 = (1.0, 1.0, 1.0)
IN_LAYER: Nm3 = (1.0, 0.75, 1.0)
IN_PLANE: Nm3 = (0.7, 1.0, 1.0)


@dataclass(frozen=True)
class Neurite:
    """One rule of growth; every neurite by it is drawn anew.

    kind: as in SWC. count: fewest and most. cable: mean length of each with all its branches. segment: mean length between
    forks; trunk: mean length before the first fork. start: the rule whose main path it leaves, "" for the soma; along: from
    which part of that path, 0 to 1. towards: mean direction at the start; spread: how far directions scatter about it, 1 is
    anywhere. wander: change of direction per square root of length. angle: between a fork's branches, in radians. orders:
    forks from start to tip at most. drift: pull per micrometre. flat: what is left of a direction's z, y, x at each step,
    below 1 to grow in a sheet. radius: at the start.
    """

    name: str
    kind: int
    count: tuple[int, int]
    cable: float
    segment: float
    trunk: float = 0.0
    start: str = ""
    along: tuple[float, float] = (0.0, 1.0)
    towards: Nm3 = ANYWHERE
    spread: float = 0.3
    wander: float = 0.06
    angle: float = 0.9
    orders: int = 8
    drift: Nm3 = (0.0, 0.0, 0.0)
    flat: Nm3 = FREE
    radius: float = 0.8


@dataclass(frozen=True)
class Kind:
    """A class of neurons. depth: range of the soma. soma: mean radius. neurites: rules, each after the one that it leaves."""

    name: str
    depth: tuple[float, float]
    soma: float
    neurites: tuple[Neurite, ...]


_BASAL = Neurite("basal", BASAL, (4, 6), 300, 45, 20, towards=(0.0, 0.3, 0.0), spread=0.9, radius=1.0)
_DENDRITES = Neurite("dendrites", BASAL, (4, 7), 260, 60, 25, spread=1.0, radius=0.9)

_ALL = (
    Kind(
        "pyramidal",
        (250, 700),
        8.0,
        (
            _BASAL,
            Neurite("apical", APICAL, (1, 1), 260, 900, 260, towards=UP, spread=0.06, wander=0.02, radius=1.8),
            Neurite("oblique", APICAL, (3, 6), 110, 50, 15, "apical", (0.1, 0.7), spread=0.9, radius=0.6),
            Neurite("tuft", APICAL, (2, 3), 330, 45, 10, "apical", (0.95, 1.0), UP, 0.6, angle=1.1, radius=0.9),
            Neurite("axon", AXON, (1, 1), 700, 150, 120, towards=DOWN, spread=0.1, angle=1.4, radius=0.4),
        ),
    ),
    Kind(
        "stellate",
        (350, 600),
        6.5,
        (
            Neurite("dendrites", BASAL, (6, 9), 320, 50, 20, spread=1.0, radius=0.9),
            Neurite("axon", AXON, (1, 1), 1500, 60, 60, towards=DOWN, spread=0.5, angle=1.3, wander=0.1, orders=12, radius=0.4),
        ),
    ),
    Kind(
        "basket",
        (150, 650),
        8.5,
        (
            _DENDRITES,
            Neurite(
                "axon",
                AXON,
                (1, 1),
                2800,
                110,
                50,
                towards=UP,
                spread=0.3,
                angle=1.5,
                wander=0.03,
                orders=12,
                flat=(1, 0.93, 1),
                radius=0.6,
            ),
        ),
    ),
    Kind(
        "chandelier",
        (120, 400),
        7.0,
        (
            Neurite("up", BASAL, (2, 3), 250, 70, 30, towards=UP, spread=0.35),
            Neurite("down", BASAL, (2, 3), 250, 70, 30, towards=DOWN, spread=0.35),
            Neurite("axon", AXON, (2, 3), 420, 90, 40, spread=0.9, flat=(1, 0.9, 1), angle=1.2, radius=0.5),
            Neurite("cartridge", AXON, (14, 22), 60, 60, 45, "axon", (0.3, 1.0), DOWN, 0.12, wander=0.03, orders=2, radius=0.4),
        ),
    ),
    Kind(
        "columnar",
        (20, 80),
        4.0,
        (
            Neurite("axis", AXON, (1, 1), 420, 900, 420, towards=DOWN, spread=0.05, wander=0.015, radius=0.8),
            Neurite("outer", BASAL, (4, 6), 150, 22, 8, "axis", (0.20, 0.28), spread=1.0, flat=IN_LAYER, radius=0.4),
            Neurite("middle", BASAL, (3, 5), 150, 22, 8, "axis", (0.50, 0.57), spread=1.0, flat=IN_LAYER, radius=0.4),
            Neurite("inner", AXON, (4, 6), 150, 22, 8, "axis", (0.90, 1.0), spread=1.0, flat=IN_LAYER, radius=0.4),
        ),
    ),
    Kind(
        "starburst",
        (100, 140),
        5.5,
        (Neurite("dendrites", BASAL, (4, 6), 650, 38, 30, spread=1.0, wander=0.03, angle=0.7, flat=(1, 0.5, 1), orders=7),),
    ),
    Kind(
        "purkinje",
        (150, 300),
        12.0,
        (
            Neurite(
                "dendrites",
                BASAL,
                (1, 2),
                2300,
                26,
                30,
                towards=UP,
                spread=0.1,
                angle=1.2,
                orders=16,
                drift=(0.0, -0.004, 0.0),
                flat=(0.55, 1, 1),
                radius=2.5,
            ),
            Neurite("axon", AXON, (1, 1), 450, 200, 250, towards=DOWN, spread=0.1, radius=0.6),
        ),
    ),
    Kind(
        "unipolar_tufted",
        (100, 350),
        5.0,
        (
            Neurite("stem", BASAL, (1, 1), 140, 900, 140, towards=DOWN, spread=0.5, wander=0.03, radius=1.2),
            Neurite(
                "tuft", BASAL, (5, 9), 380, 24, 6, "stem", (0.92, 1.0), DOWN, 0.9, wander=0.12, angle=1.2, orders=12, radius=0.6
            ),
        ),
    ),
    Kind(
        "bipolar",
        (150, 500),
        5.5,
        (
            Neurite("up", BASAL, (1, 2), 750, 70, 80, towards=UP, spread=0.12, angle=0.5, drift=(0.0, -0.004, 0.0)),
            Neurite("down", BASAL, (1, 2), 750, 70, 80, towards=DOWN, spread=0.12, angle=0.5, drift=(0.0, 0.004, 0.0)),
            Neurite("axon", AXON, (1, 1), 500, 80, 60, towards=DOWN, spread=0.2, angle=0.6, drift=(0.0, 0.003, 0.0), radius=0.4),
        ),
    ),
    Kind(
        "tangential",
        (80, 250),
        9.0,
        (
            Neurite("stem", AXON, (1, 1), 160, 900, 160, towards=ASIDE, spread=0.15, wander=0.02, radius=2.0),
            Neurite(
                "sheet",
                BASAL,
                (3, 5),
                900,
                130,
                60,
                "stem",
                (0.9, 1.0),
                ASIDE,
                0.5,
                wander=0.02,
                angle=0.7,
                drift=(0.0, 0.0, 0.003),
                flat=(1, 0.6, 1),
                radius=1.4,
            ),
        ),
    ),
    Kind(
        "granule",
        (200, 450),
        4.5,
        (
            Neurite(
                "dendrites",
                BASAL,
                (2, 4),
                780,
                75,
                25,
                towards=UP,
                spread=0.3,
                angle=0.7,
                orders=5,
                drift=(0.0, -0.005, 0.0),
                radius=0.8,
            ),
            Neurite("axon", AXON, (1, 1), 700, 130, 80, towards=DOWN, spread=0.3, wander=0.08, angle=1.3, radius=0.3),
        ),
    ),
    Kind(
        "projection",
        (300, 700),
        7.5,
        (
            Neurite("dendrites", BASAL, (4, 6), 220, 45, 20, spread=1.0, radius=0.9),
            Neurite("axon", AXON, (1, 1), 900, 2000, 900, towards=ASIDE, spread=0.1, wander=0.015, radius=0.7),
            Neurite("collateral", AXON, (1, 3), 120, 60, 30, "axon", (0.1, 0.5), spread=1.0, radius=0.3),
            Neurite("terminal", AXON, (3, 5), 260, 35, 15, "axon", (0.95, 1.0), spread=0.9, wander=0.1, radius=0.4),
        ),
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
