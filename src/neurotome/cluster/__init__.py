"""cluster: which of these things are alike, into how many kinds do they fall, and is that more than chance?

Question: given one row of numbers per thing, what are its neighbours, its cluster and its place on a map, and what can be told
from the numbers?
Takes and gives: arrays (n, p) -> labels, scores, tables; AnnData -> the same written to named slots (`tables.py`).
It knows nothing of what the rows are.
May import: io, core, NumPy, Numba, SciPy, pandas; scikit-learn, umap-learn, openTSNE and anndata when they are first used.
Read first: `tables.py` (the verbs), `scaling.py`, `partitions/choice.py`, `prediction/probe.py`.

    scaling, projections    numbers of one scale; PCA, UMAP, t-SNE
    neighbours/             the nearest rows, exactly, among a million
    partitions/             k-means and others, how many clusters, how stable
    evidence/               profiles of clusters; is a cluster only a batch; are groups alike within
    prediction/             probes, nested cross-validation, confounders
    quality, outliers, agreement, compare    of maps; of rows; of two labellings; of two tables
"""

from neurotome.cluster.agreement import cohen_kappa, cramers_v, cross_table, label_agreement
from neurotome.cluster.compare import TableComparison, compare_tables, rows_in_both
from neurotome.cluster.evidence import (
    BatchEffect,
    BatchSettings,
    GroupLikeness,
    batch_effect,
    benjamini_hochberg,
    cluster_profiles,
    cluster_table,
    group_likeness,
    hedges_g,
)
from neurotome.cluster.neighbours import Found, Neighbours
from neurotome.cluster.outliers import outlier_scores
from neurotome.cluster.partitions import (
    Choice,
    ChoiceSettings,
    Partition,
    choose_k,
    cluster_jaccard,
    medoids,
    partition_rows,
    subsample_stability,
)
from neurotome.cluster.prediction import (
    Classification,
    ClassifySettings,
    FoldLedger,
    ProbeScore,
    ProbeSettings,
    classify,
    confounder_table,
    probe,
    residualised,
)
from neurotome.cluster.projections import Projection, project_rows
from neurotome.cluster.quality import knn_accuracy, quality_table, readable_share, silhouette, trustworthiness
from neurotome.cluster.scaling import Scaler, ScalingSettings, corrected, scaled
from neurotome.cluster.tables import (
    FeatureSettings,
    add_score,
    batches,
    features_of,
    judge,
    loneliness,
    nearest,
    partition,
    prepared,
    profiles,
    project,
    score,
)

__all__ = [
    "BatchEffect",
    "BatchSettings",
    "Choice",
    "ChoiceSettings",
    "Classification",
    "ClassifySettings",
    "FeatureSettings",
    "FoldLedger",
    "Found",
    "GroupLikeness",
    "Neighbours",
    "Partition",
    "ProbeScore",
    "ProbeSettings",
    "Projection",
    "Scaler",
    "ScalingSettings",
    "TableComparison",
    "add_score",
    "batch_effect",
    "batches",
    "benjamini_hochberg",
    "choose_k",
    "classify",
    "cluster_jaccard",
    "cluster_profiles",
    "cluster_table",
    "cohen_kappa",
    "compare_tables",
    "confounder_table",
    "corrected",
    "cramers_v",
    "cross_table",
    "features_of",
    "group_likeness",
    "hedges_g",
    "judge",
    "knn_accuracy",
    "label_agreement",
    "loneliness",
    "medoids",
    "nearest",
    "outlier_scores",
    "partition",
    "partition_rows",
    "prepared",
    "probe",
    "profiles",
    "project",
    "project_rows",
    "quality_table",
    "readable_share",
    "residualised",
    "rows_in_both",
    "scaled",
    "score",
    "silhouette",
    "subsample_stability",
    "trustworthiness",
]
