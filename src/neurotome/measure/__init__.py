"""measure: how good is it?

Question: how well does a segmentation (or a boundary map) agree with a truth, and where does it fail?
Takes and gives: Labels and Labels -> Scores, error and object tables; P(inside) and truth -> IsbiScores; class ids -> Scores.
Volumes are read slab by slab, never whole. Every number carries its convention and its support; they are never mixed.
May import: core, NumPy and Numba.
Read first: `contingency.py` (the one table), then `partition.py` (the formulas), then `comparison.py` (how volumes are walked).
"""

from neurotome.measure.comparison import Comparison, Slab, compare
from neurotome.measure.components import SlabComponents, equal_label_components
from neurotome.measure.confusion import ClassOverlap, class_overlap, class_scores
from neurotome.measure.contingency import Contingency, PairCounter, contingency
from neurotome.measure.flooding import thin_border
from neurotome.measure.isbi import Agreement, IsbiScores, SectionScore, isbi_scores, isbi_thresholds, section_agreement
from neurotome.measure.localise import ERROR_COLUMNS, ErrorRow, ErrorTable, error_table
from neurotome.measure.objects import OBJECT_COLUMNS, ObjectRow, ObjectTable, object_table
from neurotome.measure.partition import (
    AdaptedRand,
    ErrorCounts,
    Foreground,
    Information,
    adapted_rand,
    adjusted_rand_index,
    cremi_score,
    foreground_overlap,
    split_merge_errors,
    variation_of_information,
)
from neurotome.measure.scoring import CONVENTIONS, METRICS, comparison_scores, label_scores
from neurotome.measure.support import away_from_borders, named_support, snemi_crop

__all__ = [
    "CONVENTIONS",
    "ERROR_COLUMNS",
    "METRICS",
    "OBJECT_COLUMNS",
    "AdaptedRand",
    "Agreement",
    "ClassOverlap",
    "Comparison",
    "Contingency",
    "ErrorCounts",
    "ErrorRow",
    "ErrorTable",
    "Foreground",
    "Information",
    "IsbiScores",
    "ObjectRow",
    "ObjectTable",
    "PairCounter",
    "SectionScore",
    "Slab",
    "SlabComponents",
    "adapted_rand",
    "adjusted_rand_index",
    "away_from_borders",
    "class_overlap",
    "class_scores",
    "compare",
    "comparison_scores",
    "contingency",
    "cremi_score",
    "equal_label_components",
    "error_table",
    "foreground_overlap",
    "isbi_scores",
    "isbi_thresholds",
    "label_scores",
    "named_support",
    "object_table",
    "section_agreement",
    "snemi_crop",
    "split_merge_errors",
    "thin_border",
    "variation_of_information",
]
