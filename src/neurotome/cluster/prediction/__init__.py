"""cluster.prediction: can a label be told from these features, on rows that were not learned from?

Read first: `folds.py` (who is learned from), `probe.py` (are the features good?), `classify.py` (the best classifier).
"""

from neurotome.cluster.prediction.classification import Classification
from neurotome.cluster.prediction.classify import ClassifySettings, OuterFold, classify
from neurotome.cluster.prediction.confounders import CONFOUNDER_COLUMNS, columns_as_numbers, confounder_table
from neurotome.cluster.prediction.folds import MERGED, SMALL, Task, dealt, task_of
from neurotome.cluster.prediction.grids import FAMILIES, GRIDS, Candidate
from neurotome.cluster.prediction.ledger import FoldLedger
from neurotome.cluster.prediction.probe import PROBES, ProbeScore, ProbeSettings, probe
from neurotome.cluster.prediction.propagation import PropagationSettings, calibration_error, propagated, worth_labelling
from neurotome.cluster.prediction.residuals import Residuals, residualised

__all__ = [
    "CONFOUNDER_COLUMNS",
    "FAMILIES",
    "GRIDS",
    "MERGED",
    "PROBES",
    "SMALL",
    "Candidate",
    "Classification",
    "ClassifySettings",
    "FoldLedger",
    "OuterFold",
    "ProbeScore",
    "ProbeSettings",
    "PropagationSettings",
    "Residuals",
    "Task",
    "calibration_error",
    "classify",
    "columns_as_numbers",
    "confounder_table",
    "dealt",
    "probe",
    "propagated",
    "residualised",
    "task_of",
    "worth_labelling",
]
