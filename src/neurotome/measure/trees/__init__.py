"""measure.trees: how good is a tracing, and where does it fail?

Question: how well does a tree (or several) agree with a believed one?
Takes and gives: Skeleton and Skeleton -> TreeComparison -> Scores, tables of missing and extra branches and of the trees.
Skeleton -> a table of its shape.
Every edge is sampled and every distance goes to the nearest segment, so no score depends on how densely nodes were set, except
those named `rivuletpy_compat`. Each metric exists in voxels and in um.
Read first: `sampling.py` and `nearest.py` (what is measured), `distances.py` (the formulas), `comparison.py` (what is held).
"""

from neurotome.measure.trees.branches import Branches, bifurcation_angles, branch_table, branches, strahler_orders
from neurotome.measure.trees.branching import TreeCounts, tree_counts
from neurotome.measure.trees.comparison import RadiusError, TreeComparison, UnitComparison, compare_trees
from neurotome.measure.trees.critical import Matched, match_points
from neurotome.measure.trees.diadem import Diadem, DiademSettings, diadem
from neurotome.measure.trees.distances import Agreement, Apart
from neurotome.measure.trees.errors import TREE_ERROR_COLUMNS, tree_errors
from neurotome.measure.trees.nearest import Nearest, nearest_segments
from neurotome.measure.trees.objects import TREE_OBJECT_COLUMNS, tree_objects
from neurotome.measure.trees.rivuletpy_compat import rivuletpy_compat
from neurotome.measure.trees.scoring import tree_scores, worst_tree_scores
from neurotome.measure.trees.shape import TREE_SUMMARY_COLUMNS, sholl, tree_summary
from neurotome.measure.trees.topology import Topology, topology

__all__ = [
    "TREE_ERROR_COLUMNS",
    "TREE_OBJECT_COLUMNS",
    "TREE_SUMMARY_COLUMNS",
    "Agreement",
    "Apart",
    "Branches",
    "Diadem",
    "DiademSettings",
    "Matched",
    "Nearest",
    "RadiusError",
    "Topology",
    "TreeComparison",
    "TreeCounts",
    "UnitComparison",
    "bifurcation_angles",
    "branch_table",
    "branches",
    "compare_trees",
    "diadem",
    "match_points",
    "nearest_segments",
    "rivuletpy_compat",
    "sholl",
    "strahler_orders",
    "topology",
    "tree_counts",
    "tree_errors",
    "tree_objects",
    "tree_scores",
    "tree_summary",
    "worst_tree_scores",
]
