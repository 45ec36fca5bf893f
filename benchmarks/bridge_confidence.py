"""Of the bridges made with a given confidence, how many are true? Fits the constants of BridgeSettings and checks them.

    OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python benchmarks/bridge_confidence.py [--scenes 200] [--fit]

Each scene holds a dozen curved, branching neurites in one of four voxel sizes, their thickness, brightness and noise drawn at
random. Stretches of 1 to 8 voxels are erased or dimmed, in the middle of branches and at their base: these are the true gaps.
False ones are there by chance: neurites end near others, pass by, cross. A candidate is true if both its ends lie on one neurite
and its way runs along the axis of that. Constants come from the scenes with even numbers, the table from the others.
"""

import argparse
from dataclasses import asdict, fields
from itertools import pairwise

import numpy as np
from scipy import ndimage, optimize
from scipy.spatial import KDTree

from neurotome.core import Skeleton
from neurotome.tracing.bridging import BridgeSettings, candidates, confidence, score
from neurotome.tracing.bridging.score import Gaps
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.distance import distance_to_background
from neurotome.tracing.starting.foreground import Level, foreground
from neurotome.tracing.starting.starts import find_starts
from neurotome.tracing.trace import TraceSettings, grown_trees

SHAPE = (64, 140, 140)
VOXELS = ((300.0, 300.0, 300.0), (600.0, 600.0, 600.0), (1000.0, 1000.0, 1000.0), (1000.0, 300.0, 300.0))
BINS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
FALSE, ELSEWHERE = -1, -2
BESIDE = 3.0
"""How many voxels beside the axis a true way may run."""
NAMES = tuple(field.name for field in fields(Gaps))


def walk(rng, start, direction, steps, bend):
    """Points one voxel apart along a line that bends a little at every step."""
    points = [np.array(start, float)]
    for _ in range(steps):
        direction = direction + rng.normal(size=3) * bend
        direction /= np.linalg.norm(direction)
        points.append(points[-1] + direction)
    return np.array(points), direction


def unit(rng):
    way = rng.normal(size=3) * (0.6, 1, 1)
    return way / np.linalg.norm(way)


def neurite(rng):
    """A trunk and its branches: lists of (points, radius); and the gaps: (branch, first point, number of points)."""
    radius, bend = rng.uniform(1.0, 3.2), rng.uniform(0.02, 0.15)
    trunk, _ = walk(rng, rng.uniform(0.1, 0.9, 3) * SHAPE, unit(rng), int(rng.integers(50, 130)), bend)
    branches, gaps = [(trunk, radius)], []
    for _ in range(rng.integers(0, 4)):
        at = int(rng.integers(5, len(trunk) - 5))
        along = trunk[at + 1] - trunk[at]
        way = along * rng.uniform(0, 1) + np.cross(along, unit(rng)) + 1e-6
        branch, _ = walk(rng, trunk[at], way / np.linalg.norm(way), int(rng.integers(25, 70)), bend)
        branches.append((branch, radius * rng.uniform(0.5, 1.0)))
        if rng.random() < 0.35:
            gaps.append((len(branches) - 1, int(np.ceil(radius)) + 1, int(rng.integers(1, 8))))
    for number, (points, _) in enumerate(branches):
        gaps += [(number, int(at), int(rng.integers(1, 9))) for at in rng.integers(12, len(points) - 12, rng.integers(0, 3))]
    return branches, gaps


def paint(image, points, radii, value):
    """Write `value` within the radius of each point."""
    radii = np.broadcast_to(radii, len(points))
    reach = int(np.ceil(radii.max()))
    ball = np.argwhere(np.ones((2 * reach + 1,) * 3)) - reach
    for point, radius in zip(points, radii, strict=True):
        middle = np.rint(point).astype(int)
        voxels = middle + ball
        voxels = voxels[((voxels - point) ** 2).sum(1) <= radius**2]
        voxels = voxels[((voxels >= 0) & (voxels < SHAPE)).all(1)]
        image[tuple(voxels.T)] = value


def scene(number):
    """The volume (uint8), its voxel size, the axis points (n, 3), whose each is (n,), and gaps: (neurite, middle, length)."""
    rng = np.random.default_rng([number, 7])
    voxel_nm = VOXELS[number // 2 % len(VOXELS)]
    owner, image, bright = np.zeros(SHAPE, np.int16), np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    axes, whose, made = [], [], []
    for name in range(1, 13):
        branches, gaps = neurite(rng)
        own = np.zeros(SHAPE, np.float32)
        for points, radius in branches:
            swelling = ndimage.gaussian_filter1d(rng.normal(size=len(points)), 8, mode="nearest") * 1.3
            paint(own, points, radius * np.clip(1 + swelling, 0.6, 1.6), rng.uniform(0.75, 1.0))
            axes.append(points)
            whose.append(np.full(len(points), name))
        for branch, at, length in gaps:
            points, radius = branches[branch]
            cut = points[at : at + length]
            hole = np.zeros(SHAPE, bool)
            paint(hole, cut, 1.6 * radius + 1.0, 1)
            # Only a slice across the branch: what of the ball lies before or behind the gap stays.
            way = cut[-1] - cut[0] + points[at + 1] - points[at]
            way /= np.linalg.norm(way)
            along = (np.argwhere(hole) - cut[0]) @ way
            voxels = np.argwhere(hole)[(along >= 0) & (along <= length)]
            own[tuple(voxels.T)] *= 0.0 if rng.random() < 0.5 else rng.uniform(0.05, 0.4)
            made.append((name, cut.mean(0), length))
        bright = np.maximum(bright, own)
        owner[own > 0] = name
    image = ndimage.gaussian_filter(bright, 0.5) * 255 + rng.normal(size=SHAPE) * 8 * (ndimage.maximum_filter(bright, 3) > 0)
    return np.clip(image, 0, 255).astype(np.uint8), voxel_nm, np.concatenate(axes), np.concatenate(whose), made


def seen(number):
    """What the candidates of a scene look like, the gap each leads through, and which ends it would use."""
    volume, voxel_nm, axes, whose, made = scene(number)
    bricks, settings = Bricks.of(volume, voxel_nm), TraceSettings(bridges="neurotome", somata=False)
    found = foreground(bricks, Level(128))
    starts = find_starts(found, distance_to_background(found.voxels), settings, None)
    trees: Skeleton = grown_trees(bricks, found, starts, settings)
    found_here = candidates(trees, bricks, 128, BridgeSettings(), least_score=1e-4)
    which = [gap_of(c, trees.points_nm / np.array(voxel_nm), axes, whose, made) for c in found_here]
    gaps = {name: np.array([getattr(c.gap, name)[0] for c in found_here]) for name in NAMES}
    ends = np.array([(c.row, -1 - c.other if c.gap.to_side[0] else c.other) for c in found_here], np.int64).reshape(-1, 2)
    offset = number * 1_000_000
    return gaps, np.array([gap if gap < 0 else gap + offset for gap in which]), ends + offset


def gap_of(candidate, points, axes, whose, made):
    """FALSE; or, for a way along the axis of one neurite, the number of the gap it leads through, ELSEWHERE if none was made."""
    names = {int(whose[np.argmin(((axes - p) ** 2).sum(1))]) for p in (points[candidate.row], points[candidate.other])}
    if len(names) > 1:
        return FALSE
    (own,) = names
    beside = KDTree(axes[whose == own]).query(candidate.path)[0].max()
    middle = candidate.path.mean(0)
    away = [np.sqrt(((middle - place) ** 2).sum()) - length / 2 if name == own else np.inf for name, place, length in made]
    if beside > BESIDE:
        return FALSE
    return int(np.argmin(away)) if min(away, default=np.inf) <= 3.5 else ELSEWHERE


def together(parts):
    gaps = {name: np.concatenate([part[0][name] for part in parts]) for name in NAMES}
    return Gaps(**gaps), np.concatenate([part[1] for part in parts]), np.concatenate([part[2] for part in parts])


def taken(gaps, ends, settings):
    """Which candidates are left when the best come first and every end is used once, as `bridge` does it."""
    scores, used = score(gaps, settings), set()
    left = np.zeros(len(scores), bool)
    for i in np.argsort(-scores, kind="stable").tolist():
        mine = {end for end in ends[i].tolist() if end % 1_000_000 < 500_000}
        left[i] = not mine & used
        used |= mine if left[i] else set()
    return left


def fitted(gaps, which_gap, ends):
    """The constants with the least log loss: of the score on all candidates, of the confidence on those that may be made."""

    def settings_of(p):
        names = ("gap_scale", "angle_power", "radius_power", "even_score", "steepness")
        shares = {"empty": float(1 / (1 + np.exp(-p[5]))), "side": float(1 / (1 + np.exp(-p[6])))}
        return BridgeSettings(**{name: float(np.exp(v)) for name, v in zip(names, p, strict=False)}, **shares)

    def loss(p, which):
        settings = settings_of(p)
        sure = np.clip(confidence(score(gaps, settings), settings)[which], 1e-4, 1 - 1e-4)
        # The score is a product, so any power of it orders gaps alike: hold the power of the length at 1.
        return -np.mean(np.where(truth[which], np.log(sure), np.log(1 - sure))) + 0.01 * (p[4] - np.log(2)) ** 2

    truth = which_gap != FALSE

    def least(what, start):
        simplex = np.concatenate(([start], start + 0.5 * np.eye(len(start))))
        options = {"maxiter": 20000, "maxfev": 20000, "xatol": 1e-3, "fatol": 1e-7, "initial_simplex": simplex}
        return optimize.minimize(what, start, method="Nelder-Mead", options=options).x

    everything = np.ones(len(truth), bool)
    p = least(lambda p: loss(p, everything), np.array([np.log(3), 0, 0, np.log(0.1), np.log(2), 0, 0]))
    left = taken(gaps, ends, settings_of(p))
    last = least(lambda two: loss(np.concatenate((p[:3], two, p[5:])), left), p[3:5])
    return settings_of(np.concatenate((p[:3], last, p[5:])))


def table(gaps, which_gap, ends, settings):
    left = taken(gaps, ends, settings)
    sure, true = confidence(score(gaps, settings), settings)[left], which_gap[left] != FALSE
    all_gaps = len(set(which_gap.tolist()) - {FALSE, ELSEWHERE})
    print("confidence      n      mean  share of true bridges")
    error = 0.0
    for low, high in pairwise(BINS):
        here = (sure >= low) & (sure < high)
        if here.any():
            print(f"{low:.2f}-{high:.2f}  {here.sum():7d}  {sure[here].mean():8.3f}  {true[here].mean():8.3f}")
            error += here.sum() * abs(sure[here].mean() - true[here].mean())
    print(f"expected calibration error {error / max(1, (sure >= BINS[0]).sum()):.3f}")
    for least in (0.3, 0.4, 0.5, 0.6, 0.7):
        made = sure >= least
        share = len(set(which_gap[left][made].tolist()) - {FALSE, ELSEWHERE}) / all_gaps
        print(f"from {least}: {made.sum()} made, {true[made].mean():.3f} of them true, {share:.3f} of the gaps")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    parts = [seen(number) for number in range(options.scenes)]
    settings = BridgeSettings()
    if options.fit:
        settings = fitted(*together(parts[::2]))
        print({name: round(value, 3) for name, value in asdict(settings).items()})
        print("on the scenes it was fitted to:")
        table(*together(parts[::2]), settings)
    print("on the other scenes:")
    table(*together(parts[1::2]), settings)
    print("the same, constants of the package:")
    table(*together(parts[1::2]), BridgeSettings())


if __name__ == "__main__":
    main()
