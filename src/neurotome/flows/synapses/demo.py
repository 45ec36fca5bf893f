"""Synthetic synapses of planted kinds, studied like real ones, and how much of what was planted came back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from neurotome import __version__
from neurotome.cluster import label_agreement
from neurotome.core import Progress, silent
from neurotome.datasets.synapse_phantoms import StudySpec, make_study, write_study
from neurotome.flows.synapses.run import StudyJob, run_study
from neurotome.io import atomic_write_json

__all__ = ["demo_study"]

RECIPE = "phantom.json"


def demo_study(
    out: Path,
    *,
    per_type: int = 24,
    types: int = 6,
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Make a study in the folder beside `out`, run it into `out`, compare its clusters with what was planted.

    The same demo again goes on where it stopped. per_type: synapses of each type in all volumes together.
    """
    out = Path(out).absolute()
    data = out.with_name(out.name + "-data")
    volumes = 3
    spec = StudySpec(n_per_type=-(-per_type // volumes), types=types, volumes=volumes, seed=seed)
    made = json.loads(json.dumps({"neurotome": __version__, **asdict(spec)}))
    if not (data / RECIPE).is_file() or json.loads((data / RECIPE).read_text()) != made:
        write_study(data, make_study(spec, progress=progress))
        atomic_write_json(data / RECIPE, made)
    facts = run_study(data / "study.yaml", out, StudyJob(workers=workers), changes=DEMO, overwrite=overwrite, progress=progress)
    return {**facts, **_compared(out, data)} if types > 1 else facts


DEMO = {"report.masks": ["11c", "6", "0"], "report.alphas": [1.0, 0.5], "attention.sites": 6, "attention.blocks": 0}
"""What the demo asks for beside the defaults: a comprehensive report that compares something."""


def _compared(out: Path, data: Path) -> dict[str, float]:
    clusters = pd.read_csv(out / "clusters.csv", index_col="key")["cluster"]
    truth = pd.read_csv(data / "truth.csv", index_col="key")["type"].loc[clusters.index]
    found = label_agreement(clusters.astype(str).to_numpy(), truth.astype(str).to_numpy())
    return {one.measure: one.value for one in found}
