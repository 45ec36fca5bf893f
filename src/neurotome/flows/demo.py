"""The main job on synthetic tissue that comes with the package."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from neurotome import __version__
from neurotome.core import SITE_COLUMNS, InputError, Progress, RunFolderError, UnknownNameError, silent
from neurotome.core.geometry import Int3
from neurotome.datasets import phantom
from neurotome.datasets.fluorescence import FluorescenceSpec, fluorescence, joined
from neurotome.datasets.neuron_shapes import KINDS, NeuronsSpec, collection
from neurotome.flows.prepare import ReconstructSettings
from neurotome.flows.reconstruct import reconstruct
from neurotome.io import atomic_write_json, atomic_write_text, save, write_csv
from neurotome.io.swc import read_swc, write_swc

__all__ = ["demo", "phantom_spec", "write_phantom"]

RECIPE = "phantom.json"
Spec = phantom.PhantomSpec | FluorescenceSpec | NeuronsSpec


def demo(
    out: Path, *, shape: Int3 = (24, 256, 256), seed: int = 0, overwrite: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Make a phantom in the folder beside `out`, reconstruct it into `out`, score it against its truth.

    The same demo again goes on where it stopped: tissue that is there and was made with the same settings is not made anew.
    """
    data = out.with_name(out.name + "-data")
    spec = phantom.PhantomSpec(shape=shape, seed=seed)
    image, truth = data / "image.ome.tif", data / "truth.ome.tif"
    made = {"neurotome": __version__, **asdict(spec)}
    if not _holds(data / RECIPE, made):
        write_phantom(spec, data, overwrite=True, progress=progress)
        atomic_write_json(data / RECIPE, made)
    settings = ReconstructSettings(image=str(image), truth=str(truth))
    return reconstruct(settings, out, overwrite=overwrite, progress=progress)


def _holds(path: Path, made: dict[str, Any]) -> bool:
    """Whether the tissue beside this file was finished with these settings."""
    return path.is_file() and json.loads(path.read_text()) == json.loads(json.dumps(made))


def phantom_spec(kind: str, **asked: Any) -> Spec:
    """The spec of an "em", a "fluorescence" or a "neurons" phantom, with what is asked for; a `source` is the path of an SWC file
    in um.

    Raises UnknownNameError for another kind, InputError for what phantoms of the kind do not have.
    """
    kinds: dict[str, type[Spec]] = {"em": phantom.PhantomSpec, "fluorescence": FluorescenceSpec, "neurons": NeuronsSpec}
    if kind not in kinds:
        raise UnknownNameError("kind of phantom", kind, kinds)
    known = {name: {field.name for field in fields(spec)} for name, spec in kinds.items()}
    if strange := [name for name in asked if name not in known[kind]]:
        other = next(name for name in kinds if strange[0] in known[name])
        raise InputError(
            f"--kind {kind} with {', '.join(strange)}", "options of its kind", f"leave it out, or ask for --kind {other}"
        )
    if "source" in asked:
        asked["source"] = read_swc(asked["source"], unit="um").skeleton
    return kinds[kind](**asked)


def write_phantom(spec: Spec, folder: Path, *, overwrite: bool = False, progress: Progress = silent) -> tuple[Path, ...]:
    """Make a phantom and write its files into a folder; their paths.

    EM: image, truth, organelles (OME-TIFF), synapses.csv. Fluorescence: image, mask (OME-TIFF), truth.swc, neighbours.swc where
    there are any, radii.csv (of the nodes of truth.swc, with the brightness of the label, 0 in a gap). Neurons: an SWC file each,
    and labels.csv with their kinds.
    """
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"'{folder}' is a file", "a folder for the phantom", "choose another --out")
    progress("phantom", 0, 1)
    if isinstance(spec, NeuronsSpec):
        paths = _write_neurons(spec, folder, overwrite=overwrite)
    elif isinstance(spec, FluorescenceSpec):
        paths = _write_fluorescence(spec, folder, overwrite=overwrite)
    else:
        paths = _write_tissue(spec, folder, overwrite=overwrite)
    progress("phantom", 1, 1)
    return paths


def _write_tissue(spec: phantom.PhantomSpec, folder: Path, *, overwrite: bool) -> tuple[Path, ...]:
    tissue = phantom.make(spec)
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "image.ome.tif", folder / "truth.ome.tif", folder / "organelles.ome.tif", folder / "synapses.csv"
    for volume, path in zip((tissue.image, tissue.neurons, tissue.organelles), paths, strict=False):
        save(volume, path, overwrite=overwrite)
    write_csv(paths[3], tissue.synapses.to_rows(), SITE_COLUMNS)
    return paths


def _write_neurons(spec: NeuronsSpec, folder: Path, *, overwrite: bool) -> tuple[Path, ...]:
    neurons, table = collection(spec.each, spec.seed)
    earlier = [file for kind in KINDS for file in folder.glob(f"{kind}-????.swc")]
    if earlier and not overwrite:
        raise InputError(f"'{folder}' has neurons already", "a new folder", "give --overwrite, or choose another --out")
    folder.mkdir(parents=True, exist_ok=True)
    for file in earlier:
        file.unlink()
    for neuron in neurons:
        write_swc(folder / f"{neuron.name}.swc", neuron, header=(f"neurotome {__version__}", f"seed: {spec.seed}"))
    labels = folder / "labels.csv"
    atomic_write_text(labels, table[["cell_type"]].to_csv(lineterminator="\n"))
    return (*(folder / f"{neuron.name}.swc" for neuron in neurons), labels)


def _write_fluorescence(spec: FluorescenceSpec, folder: Path, *, overwrite: bool) -> tuple[Path, ...]:
    stack = fluorescence(spec)
    folder.mkdir(parents=True, exist_ok=True)
    volumes = {folder / "image.ome.tif": stack.image, folder / "mask.ome.tif": stack.mask}
    for path, volume in volumes.items():
        save(volume, path, overwrite=overwrite)
    trees = {folder / "truth.swc": (stack.skeleton,), folder / "neighbours.swc": stack.neighbours}
    for path, some in trees.items():
        path.unlink(missing_ok=True)
        if some:
            write_swc(path, joined(some, path.stem), header=(f"neurotome {__version__}", f"seed: {spec.seed}"))
    table = folder / "radii.csv"
    columns = ("node", "radius_nm", "brightness")
    tree = stack.skeleton
    values = zip(tree.ids.tolist(), tree.radii_nm.tolist(), tree.features["brightness"].tolist(), strict=True)
    write_csv(table, (dict(zip(columns, (n, round(r, 1), round(b, 4)), strict=True)) for n, r, b in values), columns)
    return (*volumes, *(path for path, some in trees.items() if some), table)
