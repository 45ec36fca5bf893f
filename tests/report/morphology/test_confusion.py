import numpy as np
import pandas as pd
from PIL import Image

from neurotome.report.morphology.confusion import FULL, write_confusion


def test_a_picture_and_a_page_of_shares(tmp_path):
    names = ["Mi1", "Tm3", "T4"]
    shares = pd.DataFrame([[1.0, 0, 0], [0.25, 0.75, 0], [0, 0, 1.0]], index=names, columns=names)
    png, pdf = write_confusion(tmp_path / "types", shares, title="type from embedding")
    assert pdf.read_bytes().startswith(b"%PDF")
    with Image.open(png) as opened:
        picture = np.asarray(opened.convert("RGB")).reshape(-1, 3)
    # Two cells of 1 and their writing: nearly two cells of the full colour.
    assert 1.6 * 120**2 < (picture == FULL).all(1).sum() <= 2 * 120**2


def test_many_classes_stay_readable(tmp_path):
    names = [f"type {k}" for k in range(89)]
    png, _ = write_confusion(tmp_path / "types", pd.DataFrame(np.eye(89), index=names, columns=names), title="89 types")
    with Image.open(png) as picture:
        assert picture.size[0] > 89 * 26
