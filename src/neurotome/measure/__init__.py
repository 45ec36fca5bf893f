"""measure: how good is it?

Question: how well does a segmentation (or a boundary map) agree with a truth, and where does it fail?
Takes and gives: Labels and Labels -> Scores, error and object tables; P(inside) and truth -> IsbiScores; class ids -> Scores.
Volumes are read box by box, never whole, in one process or as block steps. Every number carries its convention and its support;
they are never mixed.
May import: core, io (to open volumes by path inside a block), NumPy and Numba.
Read first: `contingency.py` (the one table), then `partition.py` (the formulas), then `box_count.py` (how volumes are walked).
"""

from neurotome.measure.block_step import CompareBlock, LabelFile, block_file, merged_comparison
from neurotome.measure.box_count import BoxCount, BoxIds, Rules, count_box
from neurotome.measure.boxes import boxes_of
from neurotome.measure.comparison import Comparison, ComparisonBuilder, compare, comparison_rules
from neurotome.measure.components import equal_label_components
from neurotome.measure.confusion import ClassOverlap, class_overlap, class_scores
from neurotome.measure.contingency import Contingency, GrowingTable, PairCounter, contingency
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
    "BoxCount",
    "BoxIds",
    "ClassOverlap",
    "CompareBlock",
    "Comparison",
    "ComparisonBuilder",
    "Contingency",
    "ErrorCounts",
    "ErrorRow",
    "ErrorTable",
    "Foreground",
    "GrowingTable",
    "Information",
    "IsbiScores",
    "LabelFile",
    "ObjectRow",
    "ObjectTable",
    "PairCounter",
    "Rules",
    "SectionScore",
    "adapted_rand",
    "adjusted_rand_index",
    "away_from_borders",
    "block_file",
    "boxes_of",
    "class_overlap",
    "class_scores",
    "compare",
    "comparison_rules",
    "comparison_scores",
    "contingency",
    "count_box",
    "cremi_score",
    "equal_label_components",
    "error_table",
    "foreground_overlap",
    "isbi_scores",
    "isbi_thresholds",
    "label_scores",
    "merged_comparison",
    "named_support",
    "object_table",
    "section_agreement",
    "snemi_crop",
    "split_merge_errors",
    "thin_border",
    "variation_of_information",
]
