"""flows.synapses: volumes and sites in; crops, features, clusters, attention and reports out. Read first: `run.py`."""

from neurotome.flows.synapses.commands import (
    agree_with_labels,
    compare_tables,
    label_from_few,
    nearest_synapses,
    report_study,
    train_contrast,
    write_links,
)
from neurotome.flows.synapses.config import StudyConfig, read_study
from neurotome.flows.synapses.demo import demo_study
from neurotome.flows.synapses.run import STEPS, StudyJob, run_study

__all__ = [
    "STEPS",
    "StudyConfig",
    "StudyJob",
    "agree_with_labels",
    "compare_tables",
    "demo_study",
    "label_from_few",
    "nearest_synapses",
    "read_study",
    "report_study",
    "run_study",
    "train_contrast",
    "write_links",
]
