import numpy as np
import pandas as pd
import pytest
import yaml

from neurotome.core import InputError
from neurotome.datasets.synapse_phantoms import StudySpec, make_study, write_study
from neurotome.io import open_image, open_labels


def test_a_written_study_holds_all_of_it(tmp_path):
    study = make_study(StudySpec(n_per_type=1, volumes=2, types=1))
    path = write_study(tmp_path / "made", study)
    assert path == tmp_path / "made" / "study.yaml"
    told = yaml.safe_load(path.read_text())
    assert list(told["volumes"]) == ["v1", "v2"]
    assert told["volumes"]["v2"]["voxel_nm"] == [8.0, 8.0, 8.0]
    for volume in study.volumes:
        for what, opened in (
            ("image", open_image),
            ("neurons", open_labels),
            ("organelles", open_labels),
            ("instances", open_labels),
        ):
            stored = opened(path.parent / told["volumes"][volume.name][what])
            original = getattr(volume, what)
            assert stored.grid == original.grid
            assert stored.data.dtype == original.data.dtype
            assert np.array_equal(stored.read(), original.read())
    legend = yaml.safe_load((path.parent / told["legend"]).read_text())
    assert legend == {v.name: {name: ids[0] for name, ids in v.structures.items()} for v in study.volumes}
    assert pd.read_csv(path.parent / told["sites"]).equals(study.sites.reset_index(drop=True))
    truth = pd.read_csv(path.parent / "truth.csv", index_col="key")
    assert truth["pre_label"].tolist() == study.truth["pre_label"].tolist()
    with pytest.raises(InputError, match="exists already"):
        write_study(tmp_path / "made", study)
