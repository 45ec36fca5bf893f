"""flows: one short function per job that a lab does from end to end.

Question: which rooms does the data pass, in which order, and what stays in the run folder?
Takes: paths and settings. Gives: a run folder, and the few numbers to tell the user.
May import: anything below. Computes nothing itself (NumPy is forbidden here).
Read first: `reconstruct.py`.
"""

from neurotome.flows.demo import demo, phantom_spec, write_phantom
from neurotome.flows.experiment import ExperimentSettings, experiment
from neurotome.flows.experiment_config import ExperimentConfig, read_experiment
from neurotome.flows.export import export
from neurotome.flows.onnx import write_onnx
from neurotome.flows.plan import planned
from neurotome.flows.predict import predict_file
from neurotome.flows.prepare import ReconstructSettings
from neurotome.flows.prepare_files import clean_overlap_file, write_consecutive, write_quadrants, write_targets
from neurotome.flows.preview import preview_training
from neurotome.flows.reconstruct import reconstruct
from neurotome.flows.score import score_boundary_file, score_files
from neurotome.flows.segment import cut_run, segment_file, tune_file
from neurotome.flows.submission import write_submission
from neurotome.flows.trace import TraceJob, trace
from neurotome.flows.train import train_from_recipe
from neurotome.flows.workers import Workforce

__all__ = [
    "ExperimentConfig",
    "ExperimentSettings",
    "ReconstructSettings",
    "TraceJob",
    "Workforce",
    "clean_overlap_file",
    "cut_run",
    "demo",
    "experiment",
    "export",
    "phantom_spec",
    "planned",
    "predict_file",
    "preview_training",
    "read_experiment",
    "reconstruct",
    "score_boundary_file",
    "score_files",
    "segment_file",
    "trace",
    "train_from_recipe",
    "tune_file",
    "write_consecutive",
    "write_onnx",
    "write_phantom",
    "write_quadrants",
    "write_submission",
    "write_targets",
]
