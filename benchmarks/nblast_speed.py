"""All-by-all NBLAST-like scores of many neurons, beside one scipy cKDTree query per pair.

    python benchmarks/nblast_speed.py [--neurons 1000] [--points 1000] [--folder FOLDER] [--threads 2]

Neurons are grown (steps of a micrometre that keep their direction for a while and branch once in fifty) about one place, or read
from a folder of SWC files in um and used again, turned, until there are enough. The peer answers the same question, without the
scores, for some pairs; its time for all is what they say. Scores of some pairs are checked against it. Prints Markdown.
"""

import argparse
import logging
import os
import time
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from neurotome.core import Skeleton
from neurotome.io.swc import read_swc
from neurotome.morphology.similarity import AnalyticScores, TangentPoints, nblast_scores, tangent_points


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=1000)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--sigma-um", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    neurons = read(options.folder, options.neurons, options.points) if options.folder else grown(options.neurons, options.points)
    rule = AnalyticScores(options.sigma_um * 1000)
    nblast_scores(neurons[:2], neurons[:2], scores=rule)  # compiles
    start, used = time.perf_counter(), time.process_time()
    found = nblast_scores(neurons, neurons, scores=rule, threads=options.threads)
    wall, used = time.perf_counter() - start, time.process_time() - used
    pairs = np.random.default_rng(0).integers(len(neurons), size=(500, 2))
    peer = require_equal(found, neurons, pairs, rule)
    print(f"{len(neurons):,} neurons of {options.points:,} points, {options.threads} threads\n")
    print("| | seconds | CPU seconds |\n|---|---|---|")
    print(f"| neurotome, {len(neurons) ** 2:,} scores | {wall:.1f} | {used:.1f} |")
    print(f"| cKDTree, nearest points alone, from {len(pairs)} pairs | | {peer / len(pairs) * len(neurons) ** 2:.0f} |")


def grown(neurons: int, points: int) -> list[TangentPoints]:
    rng, found = np.random.default_rng(0), []
    for number in range(neurons):
        parents, place, heading = np.full(points, -1), np.zeros((points, 3)), np.zeros((points, 3))
        heading[0] = rng.normal(size=3)
        for row in range(1, points):
            parents[row] = row - 1 if rng.random() > 0.02 else rng.integers(row)
            step = heading[parents[row]] + 0.3 * rng.normal(size=3)
            heading[row] = step / np.linalg.norm(step)
            place[row] = place[parents[row]] + 1000 * heading[row]
        found.append(tangent_points(Skeleton.of(parents, place, name=f"n{number}"), points=points))
    return found


def read(folder: Path, neurons: int, points: int) -> list[TangentPoints]:
    rng = np.random.default_rng(0)
    skeletons = [read_swc(path, unit="um").skeleton for path in sorted(folder.glob("*.swc"))]
    made = [tangent_points(skeleton, points=points, frame="centred") for skeleton in skeletons[:neurons]]
    found = list(made)
    while len(found) < neurons:
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        neuron = made[len(found) % len(made)]
        found.append(TangentPoints(neuron.points_nm @ turn, neuron.tangents @ turn, f"{neuron.name}_{len(found)}"))
    return found


def require_equal(found: np.ndarray, neurons: list[TangentPoints], pairs: np.ndarray, rule: AnalyticScores) -> float:
    """The processor's seconds for the nearest points of the pairs."""
    seconds = 0.0
    for a, b in pairs:
        start = time.process_time()
        distance, nearest = cKDTree(neurons[b].points_nm).query(neurons[a].points_nm)
        seconds += time.process_time() - start
        cosine = np.abs((neurons[a].tangents * neurons[b].tangents[nearest]).sum(1))
        score = np.where(distance < rule.reach_nm, np.sqrt(cosine * np.exp(-(distance**2) / 2 / rule.sigma_nm**2)), 0).mean()
        if not np.isclose(score, found[a, b], rtol=0, atol=1e-9):
            raise SystemExit(f"Scores of {neurons[a].name} and {neurons[b].name} are {found[a, b]}, not {score}")
    return seconds


if __name__ == "__main__":
    main()
