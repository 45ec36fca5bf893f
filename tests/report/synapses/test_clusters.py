"""Clusters, their samples and profiles, and whether they can be trusted."""

import numpy as np
import pandas as pd

from neurotome.report.synapses.clusters import balanced_order, clusters_of, profile_rows
from neurotome.report.synapses.columns import columns_of, label_of
from neurotome.report.synapses.evidence import cross_table, verdicts, volume_effects
from neurotome.report.synapses.run import SynapseRun


def clusters_in(run):
    return clusters_of(run, label_of(columns_of(run, run)[0]))


def test_samples_begin_with_the_medoid_and_are_drawn_alike_each_time(bare):
    run = SynapseRun.open(bare)
    first, again = clusters_in(run), clusters_in(SynapseRun.open(bare))
    assert [one.samples for one in first] == [one.samples for one in again]
    assert [one.medoid for one in first] == [3, 4, 5] and all(one.samples[0] == one.medoid for one in first)
    assert all(sorted(one.samples) == [code, code + 3, code + 6, code + 9] for code, one in enumerate(first))
    assert [one.doubtful for one in first] == [False, False, True] and first[2].sentence == "large cleft"


def test_any_first_few_have_the_clusters_in_equal_parts(bare):
    run = SynapseRun.open(bare)
    run.table.obs["cluster"] = ["0"] * 8 + ["1"] * 3 + ["-1"]
    order = balanced_order(run)
    assert sorted(order) == list(range(12))
    assert np.bincount(run.cluster_of[order[:3]]).tolist() == [1, 1, 1] and np.bincount(run.cluster_of[order[:7]]).tolist() == [
        3,
        3,
        1,
    ]


def test_profiles_shade_by_effect_and_are_sure_only_with_an_interval(bare):
    rows = profile_rows(SynapseRun.open(bare), ["vesicle_count"])
    assert [row.name for row in rows] == ["vesicle count"]
    low, middle, high = rows[0].cells
    assert (low.text, low.shade, low.sure) == ("10", -1, True) and (high.shade, high.sure) == (1, True)
    assert (middle.shade, middle.sure) == (0, False) and "effect +2.50, 95 % interval +2.00 to +3.00" in high.effect


def test_the_verdicts_say_what_to_trust(bare):
    run = SynapseRun.open(bare)
    found = verdicts(run, clusters_in(run), volume_effects(run))
    assert [(one.level, one.answer) for one in found] == [
        ("good", "3 clusters"),
        ("unsure", "Doubtful: 2"),
        ("unsure", "Volumes hold different shares of the clusters"),
    ]


def test_one_cloud_is_no_structure(bare):
    run = SynapseRun.open(bare)
    run.table.obs["cluster"] = "0"
    run.table.uns["cluster"] = {"reason": "no structure beyond one cloud: p = 0.4"}
    run.table.uns["clusters"] = pd.DataFrame({"cluster": [0], "rows": [12], "medoid": [2], "jaccard": [1.0], "stable": [True]})
    found = verdicts(run, clusters_in(run), ())
    assert (found[0].level, found[0].answer) == ("bad", "No structure beyond one cloud")
    assert found[-1].answer == "Not applicable" and len(found) == 2


def test_both_sides_of_the_volume_effect_stand_side_by_side(bare):
    plain, corrected = volume_effects(SynapseRun.open(bare))
    assert plain.title == "As measured (taken)" and corrected.title == "Corrected: z-scored in each volume"
    assert corrected.reason == "Clusters do not go with volumes." and corrected.level == "good"
    assert ("Cramér's V of clusters and volumes", "0.50", "p = 0.001") in plain.lines
    assert ("Volume told from the 15 nearest", "0.60", "chance 0.50, p = 0.04") in plain.lines


def test_clusters_are_counted_by_volume_and_marked_beyond_chance(bare):
    table = cross_table(SynapseRun.open(bare))
    assert table.counts.tolist() == [[2, 2]] * 3 and table.percent(0, 1) == 50
    assert [[table.strong(row, at) for at in range(2)] for row in range(3)] == [["more", "less"], ["", ""], ["less", "more"]]
