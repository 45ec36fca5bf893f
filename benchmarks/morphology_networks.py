"""The reference's shape networks and ours, trained on the same neurons for the same time on a CPU: memory, F1, embeddings.

    python benchmarks/morphology_networks.py OUT --budget 60            all of it, in about so many minutes
    python benchmarks/morphology_networks.py OUT --only cubes-64        one network; OUT keeps what is finished
    python benchmarks/morphology_networks.py OUT --report               the tables of these

Neurons: the fly and rat collections of the data folder, seven tenths to train on (an eighth of these to choose by),
three tenths to report on; the same division for all. Each network is trained in a process of its own for its share of the budget,
from scratch, then reads back every held-out neuron at the threshold chosen on validation, and embeds all neurons. Embeddings are
judged by 5 nearest neighbours and by logistic regression, ten folds, five seeds, on fly types of at least five members and on
principal cells against interneurons; beside hand-made descriptors and shuffled labels.
Prints Markdown and writes OUT/networks.csv and OUT/embeddings.csv.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SHARES = {
    "dense-64-reference": 1.0,
    "nlat-64-reference": 1.0,
    "nlat-64": 1.0,
    "cubes-64": 1.0,
    "dense-128-reference": 0.5,
    "nlat-128-reference": 0.5,
    "cubes-128": 0.5,
}
"""What is trained, and how the time is divided: as the reference does it; its nLat on our grids, with our cubes; ours."""
BATCH = {"dense-64": 4, "nlat-64": 4, "dense-128": 1, "nlat-128": 1, "cubes-64": 16, "cubes-128": 8}
TRAINED_SHARE = 0.6
"""Of the budget; the rest is for judging."""
LEAST = 5
JUDGED_AT_128 = 12
"""One in so many held-out neurons is read back at 128, where Dense needs seconds for each; embeddings are judged at 64 only."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--budget", type=float, default=60.0, help="minutes for all of it")
    parser.add_argument("--only", choices=list(SHARES), help="train one network and stop")
    parser.add_argument("--minutes", type=float, help="of training, with --only")
    parser.add_argument("--report", action="store_true", help="only the tables of what OUT holds")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    unit = options.budget * TRAINED_SHARE / sum(SHARES.values())
    if options.report:
        report(options.out)
        return
    if options.only:
        train(options.only, options.out, options.minutes or unit * SHARES[options.only])
        return
    for name, share in SHARES.items():
        if not (options.out / name / "result.json").is_file():
            command = [sys.executable, __file__, str(options.out), "--only", name, "--minutes", f"{unit * share:.2f}"]
            subprocess.run(command, check=True)
    report(options.out)


def train(name: str, out: Path, minutes: float) -> None:
    """One network in this process, so that its peak memory is its own; then its scores and the embedding of every neuron."""
    from neurotome.io.run_folder import peak_memory_bytes
    from neurotome.morphology.embedding import embed
    from neurotome.morphology.encoders import load_encoder
    from neurotome.morphology.training import train_shapes

    neurons, parts = real_neurons(), parts_of(real_neurons())
    is_large = "-128" in name
    if is_large:
        neurons = [n for row, n in enumerate(neurons) if parts[n.name] == "train" or row % JUDGED_AT_128 == 0]
        parts = {n.name: parts[n.name] for n in neurons}
    before = peak_memory_bytes()
    card = train_shapes(recipe_of(name, minutes), neurons, out / name, parts=parts, progress=tell)
    encoder = load_encoder(out / name)
    embedded = neurons[:: len(neurons) // 4] if is_large else neurons
    start = time.perf_counter()
    table = embed(embedded, encoder)
    result = {
        "network": name,
        "parameters": card.training["parameters"],
        "steps": card.training["steps"],
        "minutes": card.training["minutes"],
        "memory_mb": card.training["peak_memory_mb"] - before // 2**20,
        "embed_ms": 1000 * (time.perf_counter() - start) / len(embedded),
        "tested": sum(part == "test" for part in parts.values()),
        "numbers": table.n_vars,
        "scores": list(card.scores),
        "neurons": list(map(str, table.obs_names)),
    }
    np.save(out / name / "embedding.npy", table.X)
    (out / name / "result.json").write_text(json.dumps(result))


def recipe_of(name: str, minutes: float) -> Any:
    """The recipe of a row: the reference's with another batch, because its own needs a large GPU; all end when time is up."""
    from neurotome.morphology.training import shape_recipe

    kind, size = name.split("-")[:2]
    fit = {"minutes": minutes, "batch": BATCH[f"{kind}-{size}"], "device": "cpu", "loggers": ("csv",), "warmup": 10}
    every = {"dense": 40, "nlat": 40, "cubes": 150}[kind] if size == "64" else {"dense": 15, "nlat": 15, "cubes": 100}[kind]
    if kind == "cubes":
        return shape_recipe("cubes", int(size), name=name, fit={**fit, "validate_every": every})
    recipe = shape_recipe(kind, int(size), parity=name.endswith("reference"), name=name)
    # The learning rate was made for batches of 50 (10 at 128) and many more steps.
    rate = recipe.fit["learning_rate"] * (fit["batch"] / recipe.fit["batch"]) ** 0.5
    return recipe.model_copy(update={"fit": {**recipe.fit, **fit, "validate_every": every, "learning_rate": rate}})


def real_neurons() -> list[Any]:
    from neurotome.datasets.swc_collection import COLLECTIONS, named_collection

    collections = [named_collection(name) for name in COLLECTIONS]
    return sorted((c.load(name) for c in collections for name in c.files()), key=lambda n: n.name)


def parts_of(neurons: list[Any]) -> dict[str, str]:
    """The one division into training and test that all networks of this package share; an eighth of training is validation."""
    from neurotome.datasets.swc_collection import part_of

    def part(name: str) -> str:
        if part_of(f"{name}.swc") == "test":
            return "test"
        return "val" if hashlib.sha256(f"validation {name}".encode()).digest()[0] < 32 else "train"

    return {neuron.name: part(neuron.name) for neuron in neurons}


def report(out: Path) -> None:
    """Both tables, of the networks that are finished, as Markdown and CSV."""
    results = [json.loads(path.read_text()) for name in SHARES if (path := out / name / "result.json").is_file()]
    networks = pd.DataFrame([network_row(result) for result in results]).fillna("")
    networks.to_csv(out / "networks.csv", index=False)
    print(markdown(networks))
    embeddings = pd.DataFrame(embedding_rows(out, results))
    embeddings.to_csv(out / "embeddings.csv", index=False)
    print(markdown(embeddings))


def network_row(result: dict[str, Any]) -> dict[str, Any]:
    row = {key: result[key] for key in ("network", "parameters", "steps", "minutes", "memory_mb", "embed_ms", "tested")}
    for score in result["scores"]:
        if score["part"] == "test" and score["metric"] in ("f1", "iou", "f1_1vox"):
            source = "" if score["source"] in ("latent", "codes") else f" from {score['source']}"
            row[score["metric"] + source] = f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
    return row


def embedding_rows(out: Path, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from neurotome.cluster import ProbeSettings, probe
    from neurotome.morphology.descriptors import describe
    from neurotome.morphology.encoders import load_encoder

    neurons = real_neurons()
    names = [neuron.name for neuron in neurons]
    features: dict[str, np.ndarray] = {}
    for result in results:
        if "-128" in result["network"]:
            continue
        assert result["neurons"] == names
        features[result["network"]] = np.load(out / result["network"] / "embedding.npy")
    described = describe(neurons)
    features |= {name: table.loc[names].to_numpy() for name, table in described.items()}
    features["all hand-made"] = np.concatenate([table.loc[names].to_numpy() for table in described.values()], 1)
    features["shipped encoder"] = shipped(neurons, load_encoder())
    tasks = labels_of(names)
    rows = []
    for name, values in features.items():
        row: dict[str, Any] = {"features": name, "numbers": values.shape[1]}
        for task, given in tasks.items():
            for kind in ("knn", "linear"):
                found = probe(values, given, ProbeSettings(kind, small="spread"))
                row[f"{task}, {kind}"] = f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
                row[f"{task}, {kind}, chance"] = f"{found.chance:.3f}"
        print(f"  {row}", file=sys.stderr, flush=True)
        rows.append(row)
    return rows


def shipped(neurons: list[Any], encoder: Any) -> np.ndarray:
    from neurotome.morphology.embedding import embed

    return np.asarray(embed(neurons, encoder).X)


def labels_of(names: list[str]) -> dict[str, np.ndarray]:
    from neurotome.datasets.swc_collection import COLLECTIONS, named_collection

    tasks = {}
    for collection in COLLECTIONS:
        types = named_collection(collection).labels["cell_type"]
        common = types.value_counts()
        kept = set(common.index[common >= LEAST])
        tasks[collection] = np.array([types.get(n) if types.get(n) in kept else None for n in names], dtype=object)
    return tasks


def markdown(table: pd.DataFrame) -> str:
    head = [f"| {' | '.join(map(str, table.columns))} |", "|" + "---|" * len(table.columns)]
    return "\n".join([*head, *(f"| {' | '.join(map(str, row))} |" for row in table.itertuples(index=False)), ""])


def tell(what: str, done: int, total: int) -> None:
    if done % 20 == 0:
        print(f"  {what} {done}/{total}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
