import numpy as np
import pytest

from neurotome.synapses.attention.regions import REGION_COLUMNS, top_regions

VOXEL = (40.0, 8.0, 8.0)


def test_regions_are_ranked_by_what_they_hold_not_by_their_peak():
    values = np.zeros((20, 20, 20), np.float32)
    values[2:4, 2:4, 2:4] = 1.0
    values[10:12, 10:14, 10:12] = 1.0
    values[17, 17, 17] = 1.5
    rows = top_regions(values, voxel_nm=VOXEL, corner_vox=(100, 200, 300), operands={"cleft": values == 1.5})
    assert [row["mass"] for row in rows] == [16, 8, 1.5] and [row["rank"] for row in rows] == [1, 2, 3]
    assert rows[0]["mass_share"] == pytest.approx(16 / 25.5) and rows[2]["inside_cleft"] == 1 and rows[0]["inside_cleft"] == 0
    first = rows[0]
    assert [first[c] for c in ("z0", "y0", "x0", "z1", "y1", "x1")] == [10, 10, 10, 12, 14, 12]
    assert [first[c] for c in ("centroid_z", "centroid_y", "centroid_x")] == [10.5, 11.5, 10.5]
    assert [first[c] for c in ("volume_z", "volume_y", "volume_x")] == [110.5, 211.5, 310.5]
    assert first["z_nm"] == 110.5 * 40 and first["volume_um3"] == pytest.approx(16 * 40 * 64 * 1e-9)
    assert set(REGION_COLUMNS) <= set(first)


def test_two_blobs_two_to_one():
    values = np.zeros((16, 16, 16), np.float32)
    values[2:6, 2:6, 2:6], values[10:12, 10:14, 10:14] = 2.0, 2.0
    assert [round(row["mass_share"], 4) for row in top_regions(values, voxel_nm=(8, 8, 8), corner_vox=(0, 0, 0))] == [
        0.6667,
        0.3333,
    ]


def test_a_faint_tail_is_no_region_and_an_empty_map_has_none():
    values = np.full((8, 8, 8), 0.1, np.float32)
    values[4, 4, 4] = 1
    assert [row["voxels"] for row in top_regions(values, voxel_nm=(8, 8, 8), corner_vox=(0, 0, 0))] == [1]
    assert top_regions(values * 0, voxel_nm=(8, 8, 8), corner_vox=(0, 0, 0)) == []
    assert len(top_regions(np.indices((8, 8, 8)).sum(0) % 4 == 0, voxel_nm=(8, 8, 8), corner_vox=(0, 0, 0), most=2)) <= 2
