"""`neurotome data phantom --kind fluorescence`."""

from neurotome.io import open_image


def test_a_fluorescence_phantom_is_written(cli, tmp_path):
    out = tmp_path / "p"
    code, said, err = cli(
        "data", "phantom", "--kind", "fluorescence", "-o", out, "--shape", 16, 64, 64, "--snr", 6, "--neighbours", 0
    )
    assert code == 0, err
    assert sorted(p.name for p in out.iterdir()) == ["image.ome.tif", "mask.ome.tif", "radii.csv", "truth.swc"]
    assert "truth.swc" in said
    assert open_image(out / "image.ome.tif").grid.voxel_nm == (1000, 500, 500)


def test_options_of_the_other_kind_are_refused(cli, tmp_path):
    code, _, err = cli("data", "phantom", "--kind", "fluorescence", "-o", tmp_path / "p", "--missing", 2)
    assert code == 2
    assert "--kind em" in err.replace("\n", " ")
    assert not (tmp_path / "p").exists()


def test_neurons_with_labels_are_written(cli, tmp_path):
    out = tmp_path / "n"
    code, _, err = cli("data", "phantom", "--kind", "neurons", "-o", out, "--each", 2)
    assert code == 0, err
    rows = (out / "labels.csv").read_text().splitlines()
    assert rows[:2] == ["neuron_id,cell_type", "basket-0000,basket"] and len(rows) == 25
    assert sorted(p.stem for p in out.glob("*.swc")) == [row.split(",")[0] for row in rows[1:]]
    code, _, err = cli("data", "phantom", "--kind", "neurons", "-o", out, "--each", 1)
    assert code == 2 and "has neurons already" in err
    assert cli("data", "phantom", "--kind", "neurons", "-o", out, "--each", 1, "--overwrite")[0] == 0
    assert len(list(out.glob("*.swc"))) == 12
    assert cli("data", "phantom", "--kind", "em", "-o", out, "--each", 1)[0] == 2
