import numpy as np
import pytest

from neurotome.core import Box, Grid, Image, InputError, Labels, ShapeError, UnitError
from neurotome.io import save
from neurotome.tracing.training.images import annotated_images, divided, files_of
from neurotome.tracing.training.recipe import NeuriteRecipe


def recipe(*images, **options):
    return NeuriteRecipe(name="t", images=images, patch=16, **options)


def test_folders_give_pairs_of_the_same_name(folders):
    chosen = recipe({"image": folders / "images", "labels": folders / "labels"})
    images = annotated_images(chosen)
    assert [i.name for i in images] == [f"line{k}" for k in range(5)] and images[0].voxel_nm == (300.0, 200.0, 200.0)
    assert len(files_of(chosen)) == 10
    grey, labels = images[1].patch(Box((0, 8, 0), (16, 24, 32)))
    assert grey.dtype == np.float32 and labels.sum() == 3 * 3 * 32 and grey[labels].mean() > 3 * abs(grey[~labels].mean())


def test_training_and_validation_share_no_image(folders):
    images = annotated_images(recipe({"image": folders / "images", "labels": folders / "labels"}))
    seen, unseen = divided(images, 0.4, np.random.default_rng(0))
    assert len(seen) == 3 and len(unseen) == 2 and not {i.name for i in seen} & {i.name for i in unseen}
    with pytest.raises(InputError, match="1 image to train and validate on"):
        divided(images[:1], 0.4, np.random.default_rng(0))


def test_what_the_recipe_holds_back_is_held_back(folders):
    pairs = [
        {
            "image": folders / "images" / f"line{k}.ome.tif",
            "labels": folders / "labels" / f"line{k}.ome.tif",
            "validate_on": k == 1,
        }
        for k in range(3)
    ]
    seen, unseen = divided(annotated_images(recipe(*pairs)), 0.5, np.random.default_rng(0))
    assert [i.name for i in seen] == ["line0", "line2"] and [i.name for i in unseen] == ["line1"]
    with pytest.raises(InputError, match="'line0' is named twice"):
        annotated_images(recipe(pairs[0], pairs[0]))


def test_phantoms_are_the_same_whenever_they_are_made():
    chosen = recipe({"phantoms": {"count": 2, "seed": 4, "shape": (16, 48, 48)}})
    first, second = annotated_images(chosen), annotated_images(chosen)
    assert [i.name for i in first] == ["phantom-4-000", "phantom-4-001"]
    assert all(np.array_equal(a.image.read(), b.image.read()) for a, b in zip(first, second, strict=True))


def test_what_does_not_belong_together_is_named(tmp_path):
    grid, other = Grid((8, 8, 8), (1.0, 1.0, 1.0)), Grid((8, 8, 9), (1.0, 1.0, 1.0))
    image = Image(np.arange(512, dtype=np.uint16).reshape(8, 8, 8), grid)
    save(image, tmp_path / "images" / "a.ome.tif")
    save(Labels(np.zeros(other.shape, np.uint8), other), tmp_path / "labels" / "a.ome.tif")
    source = {"image": tmp_path / "images", "labels": tmp_path / "labels"}
    with pytest.raises(ShapeError, match=r"a\.ome\.tif' has shape \(8, 8, 8\).*\(8, 8, 9\)"):
        annotated_images(recipe(source))
    save(Labels(np.zeros(grid.shape, np.uint8), grid), tmp_path / "labels" / "a.ome.tif", overwrite=True)
    with pytest.raises(InputError, match="Labels of 'a' are empty"):
        annotated_images(recipe(source))
    save(Labels(np.ones(grid.shape, np.uint8), grid), tmp_path / "labels" / "a.ome.tif", overwrite=True)
    with pytest.raises(InputError, match="all foreground"):
        annotated_images(recipe(source))
    save(image, tmp_path / "images" / "b.ome.tif")
    with pytest.raises(InputError, match=r"labels' has no 'b\.ome\.tif'"):
        annotated_images(recipe(source))


def test_a_stack_without_units_needs_them(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(512, dtype=np.uint16).reshape(8, 8, 8))
    np.save(tmp_path / "b.npy", (np.arange(512) > 400).astype(np.uint8).reshape(8, 8, 8))
    source = {"image": tmp_path / "a.npy", "labels": tmp_path / "b.npy"}
    with pytest.raises(UnitError, match=r"a\.npy"):
        annotated_images(recipe(source))
    assert annotated_images(recipe({**source, "voxel_nm": (2, 1, 1)}))[0].voxel_nm == (2.0, 1.0, 1.0)
