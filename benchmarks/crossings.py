"""Where neurites of several neurons cross, how much of each neuron's length does its own tree have, before and after the repair?

    OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python benchmarks/crossings.py [--scenes 140] [--first 0] [--fit]

Each scene holds two or three grown neurons with somata in a thin slab, in one of three voxel sizes, thickness and brightness
drawn at random; they cross, touch and pass each other by chance. The weights of CrossingSettings come from the scenes with even
numbers (--fit chooses them anew), the table from the others. Only scenes count in which neurons share an object.
"""

import argparse
from dataclasses import asdict, astuple, replace
from itertools import pairwise

import numpy as np
from scipy import ndimage, optimize
from scipy.spatial import KDTree

from neurotome.core import Skeleton, silent
from neurotome.datasets.fluorescence import joined
from neurotome.datasets.fluorescence.grow import grown, random_habit
from neurotome.datasets.fluorescence.render import mark
from neurotome.measure.trees import compare_trees, tree_objects
from neurotome.tracing.crossing import CrossingSettings, links, repaired, ways
from neurotome.tracing.crossing.decide import Weights
from neurotome.tracing.crossing.forest import Forest
from neurotome.tracing.sparse.bricks import Bricks
from neurotome.tracing.sparse.distance import distance_to_background
from neurotome.tracing.starting.foreground import Level, foreground
from neurotome.tracing.starting.starts import find_starts
from neurotome.tracing.trace import TraceSettings, _probability, grown_trees

EXTENT, ROOM = np.array((34.0, 150.0, 150.0)), np.array((6.0, 60.0, 60.0))
"""What a neuron may fill and by how much two of them may be shifted, in um."""

VOXELS = ((1000.0, 1000.0, 1000.0), (1000.0, 500.0, 500.0), (2000.0, 1000.0, 1000.0))
SOMA_UM, APART_UM = 7.0, 45.0
SETTINGS = TraceSettings(bridges="none", crossings=False)


def neurons(rng):
    """Two or three grown trees with somata that do not touch, in um."""
    trees, count = [], 2 + int(rng.random() < 0.3)
    while len(trees) < count:
        radius = np.sort(rng.uniform(1.0, 2.6, 2))
        tree = grown(EXTENT, random_habit(rng, tuple(radius), rng.uniform(300, 800), SOMA_UM), rng, margin=0.0)
        tree = replace(tree, points_nm=tree.points_nm + 4 + rng.uniform(0, 1, 3) * ROOM)
        if all(np.sqrt(((tree.points_nm[0] - other.points_nm[0]) ** 2).sum()) > APART_UM for other in trees):
            trees.append(tree)
    return [replace(tree, points_nm=1000 * tree.points_nm, radii_nm=1000 * tree.radii_nm) for tree in trees]


def scene(number):
    """The volume (uint8), its voxel size and the neurons."""
    rng = np.random.default_rng([number, 11])
    voxel_nm = VOXELS[number // 2 % len(VOXELS)]
    shape = tuple(np.ceil(1000 * (EXTENT + ROOM + 8) / voxel_nm).astype(int).tolist())
    trees, bright = neurons(rng), np.zeros(shape, np.float32)
    for tree in trees:
        mask = np.zeros(shape, np.uint8)
        mark(mask, tree, 1, voxel_nm)
        bright = np.maximum(bright, mask * np.float32(rng.uniform(0.75, 1.0)))
    image = ndimage.gaussian_filter(bright, 0.5) * 255 + rng.normal(size=shape) * 8 * (ndimage.maximum_filter(bright, 3) > 0)
    return np.clip(image, 0, 255).astype(np.uint8), voxel_nm, trees


class Scene:
    """A scene as it is traced before the repair."""

    def __init__(self, number):
        volume, self.voxel_nm, self.neurons = scene(number)
        self.gold: Skeleton = joined(tuple(self.neurons), "gold")
        bricks = Bricks.of(volume, self.voxel_nm)
        found = foreground(bricks, Level(128))
        starts = find_starts(found, distance_to_background(found.voxels), SETTINGS, None)
        self.trees = grown_trees(bricks, found, starts, SETTINGS, silent)
        self.probability, self.contested = _probability(self.trees, bricks), starts.contested
        somata = np.array([tree.points_nm[0] for tree in self.neurons])
        roots = self.trees.points_nm[self.trees.roots]
        away = np.sqrt(((somata[:, None] - roots) ** 2).sum(-1))
        self.own = away.argmin(1)
        # A scene counts if each neuron has a soma that was found, and two of them are in one object.
        self.counts = bool((away.min(1) < 1000 * SOMA_UM).all()) and len(set(self.own)) == len(somata) and len(self.contested) > 0
        if self.counts:
            self.before = self.scores(self.trees)
        else:
            self.reason = "apart" if (away.min(1) < 1000 * SOMA_UM).all() else "soma"

    def repaired(self, settings=None):
        return repaired(self.trees, self.probability, self.contested, settings, voxel_nm=self.voxel_nm)

    def scores(self, trees):
        """Length in um by whose tree has it (own, another's, none, sum), topology, and the share whose partner is their own."""
        comparison = compare_trees(trees, self.gold, voxel_nm=self.voxel_nm)
        found = comparison.in_unit("voxel")
        labels, samples = found.topology.labels, found.gold_samples
        weights = samples.weights_of(self.gold.edge_nm / 1000)
        own = self.own[self.gold.trees[samples.edges]]
        table = tree_objects(comparison, unit="voxel").query("side == 'gold'")
        matched = (table["partner"].to_numpy() == self.own[table["tree"].to_numpy()]).mean()
        at = [weights[labels == own].sum(), weights[(labels >= 0) & (labels != own)].sum(), weights[labels < 0].sum()]
        return np.array([*at, weights.sum(), found.topology.edge_accuracy, found.topology.erl_share, matched])

    def readings(self):
        """For each contact (n, 7) features of its readings and (n,) whether each is right, by where the neurons are."""
        names = np.concatenate([np.full(len(tree), i) for i, tree in enumerate(self.neurons)])
        nearest = KDTree(np.concatenate([tree.points_nm for tree in self.neurons])).query(self.trees.points_nm)[1]
        whose = self.trees.roots[self.own[names[nearest]]]
        forest, found = Forest(self.trees, self.probability), []
        for link in links.contact_links(self.trees, self.contested, self.voxel_nm, 3000.0):
            seen = [reading for _, reading in ways.readings_on(forest, link)]
            if seen:
                roots = forest.root_of(link.one), forest.root_of(link.other)
                right = [is_right(reading, whose, roots) for reading in seen]
                found.append((np.array([reading.features for reading in seen]), np.array(right)))
        return found


def is_right(reading, whose, roots):
    """Whether most of each arm lies in the neuron that it is given to."""
    sides = ((reading.place.here, *reading.to_here), (reading.place.there, *reading.to_there))
    return all((whose[list(arm.rows)] == root).mean() > 0.5 for arms, root in zip(sides, roots, strict=True) for arm in arms)


def fitted(scenes):
    """The weights that make the right readings likely, and the least confidence that then helps most."""
    best = None
    weights = likely_weights(scenes)
    for least in (0.2, 0.3, 0.4, 0.5, 0.6):
        settings = CrossingSettings(weights=weights, least_confidence=least)
        after = [one.scores(one.repaired(settings).trees)[0] for one in scenes]
        gain = np.mean([100 * (own - one.before[0]) / one.before[3] for own, one in zip(after, scenes, strict=True)])
        print(f"least confidence {least}: own tree {gain:+.2f} %", flush=True)
        if best is None or gain > best[0]:
            best = gain, settings
    return best[1]


def likely_weights(scenes):
    """The weights by a conditional logit, a little drawn to 0; contacts without a right reading count as none."""
    contacts = [(features, np.append(right, not right.any())) for one in scenes for features, right in one.readings()]

    def loss(p):
        total = 0.0
        for features, right in contacts:
            score = np.append(features @ p[:-1], p[-1])
            total += np.logaddexp.reduce(score) - np.logaddexp.reduce(score[right])
        return total / len(contacts) + 0.003 * (p**2).sum()

    found = optimize.minimize(loss, np.array(astuple(Weights())), method="L-BFGS-B")
    weights = Weights(**dict(zip(asdict(Weights()), found.x.round(2).tolist(), strict=True)))
    none = sum(right[-1] for _, right in contacts)
    print(f"{len(contacts)} contacts, {none} without a right reading, loss {found.fun:.3f}, {weights}")
    return weights


def reliability(scenes, settings):
    sure, true = [], []
    *of_features, none = astuple(settings.weights)
    for features, right in (way for one in scenes for way in one.readings()):
        score = features @ np.array(of_features)
        power = np.exp(score)
        sure.append(power.max() / (power.sum() + np.exp(none)))
        true.append(right[np.argmax(score)])
    sure, true = np.array(sure), np.array(true)
    print("probability of the best reading      n    mean  share that is right")
    for low, high in pairwise((0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.01)):
        here = (sure >= low) & (sure < high)
        if here.any():
            print(f"{low:.2f}-{min(high, 1):.2f}  {here.sum():7d}  {sure[here].mean():6.3f}  {true[here].mean():6.3f}")


def table(scenes, settings):
    names = ("own tree %", "another's %", "none %", "um", "edge accuracy", "ERL share", "matched trees")
    before = np.array([one.before for one in scenes])
    done = [one.repaired(settings) for one in scenes]
    after = np.array([one.scores(result.trees) for one, result in zip(scenes, done, strict=True)])
    for scores in (before, after):
        scores[:, :3] *= 100 / scores[:, 3:4]
    print(f"{len(scenes)} scenes    before: mean  sd   after: mean  sd   paired difference: mean, standard error")
    for k, name in enumerate(names):
        gain = after[:, k] - before[:, k]
        two = "  ".join(f"{scores[:, k].mean():8.3f} {scores[:, k].std(ddof=1):8.3f}" for scores in (before, after))
        print(f"{name:14s} {two}  {gain.mean():+8.3f} {gain.std(ddof=1) / np.sqrt(len(gain)):6.3f}")
    gain = after[:, 0] - before[:, 0]
    print(f"better in {(gain > 0.5).sum()}, worse in {(gain < -0.5).sum()}, the rest within 0.5 %; worst {gain.min():+.1f} %")
    verdicts = np.concatenate([result.contested["verdict"].to_numpy() for result in done])
    print("contacts:", {str(name): int((verdicts == name).sum()) for name in np.unique(verdicts)})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenes", type=int, default=140)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    scenes = [Scene(number) for number in range(options.first, options.first + options.scenes)]
    for reason in ("apart", "soma"):
        print(f"left out, {reason}:", sum(not one.counts and one.reason == reason for one in scenes))
    even, odd = ([one for one in scenes[k::2] if one.counts] for k in (0, 1))
    settings = CrossingSettings()
    if options.fit:
        settings = fitted(even)
        print("on the scenes it was fitted to:")
        table(even, settings)
    print("on the other scenes:")
    reliability(odd, settings)
    table(odd, settings)


if __name__ == "__main__":
    main()
