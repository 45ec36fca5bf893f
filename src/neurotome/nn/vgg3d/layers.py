"""What is read out of a VGG3D: the output of any of its modules, running no more of it than that takes.

20, "20"       the output of module 20 of `features`, before its normalisation and ReLU
"stage:k"      the output of the pool that ends stage k, from 1
"all_stages"   of all pools, one after the other
"standard"     of the last module
"""

from __future__ import annotations

import torch

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.nn.vgg3d.network import VGG3D, VGG3DConfig
from neurotome.nn.vgg3d.poolings import pooled_width

__all__ = ["feature_names", "layer_output", "layer_outputs", "layer_taps"]


def layer_taps(config: VGG3DConfig, layer: int | str) -> tuple[int, ...]:
    """The modules of `features` whose outputs a layer stands for. Raises UnknownNameError, ValueRangeError.

    >>> layer_taps(VGG3DConfig(), "stage:3"), layer_taps(VGG3DConfig(), "all_stages"), layer_taps(VGG3DConfig(), "20")
    ((26,), (12, 19, 26, 33), (20,))
    """
    pools, name = config.pools, str(layer).strip()
    if name == "standard":
        return (pools[-1],)
    if name == "all_stages":
        return pools
    kind, _, number = name.rpartition(":")
    if kind not in ("", "stage") or not number.removeprefix("-").isdigit():
        raise UnknownNameError("layer", name, ["standard", "all_stages", *_stages(config), f"0 to {pools[-1]}"])
    at, (low, high) = int(number), (1, len(pools)) if kind else (0, pools[-1])
    if not low <= at <= high:
        raise ValueRangeError(f"{kind or 'layer'} {at}", f"{low} to {high}", "take a layer that the network has")
    return (pools[at - 1] if kind else at,)


def layer_output(network: VGG3D, x: torch.Tensor, layer: int | str) -> torch.Tensor:
    """The output (b, c, ...) of one module for cubes (b, 1, s, s, s), running only modules 0 to that one.

    Raises ShapeError, and ValueRangeError for a layer that stands for several outputs.
    """
    outputs = layer_outputs(network, x, layer)
    if len(outputs) != 1:
        raise ValueRangeError(f"Layer '{layer}' stands for {len(outputs)} outputs", "one", "take layer_outputs")
    return outputs[0]


def layer_outputs(network: VGG3D, x: torch.Tensor, layer: int | str) -> tuple[torch.Tensor, ...]:
    """The outputs that a layer stands for, the first module first, running no module after the last of them."""
    taps = layer_taps(network.config, layer)
    network.require_cubes(x, trunk=True)
    found = []
    for at, module in enumerate(network.features[: taps[-1] + 1]):
        x = module(x)
        if at in taps:
            found.append(x)
    return tuple(found)


def feature_names(config: VGG3DConfig, layer: int | str, pooling: str) -> tuple[str, ...]:
    """What the columns are called: feat_1 of the last module, layer20_feat_1 of module 20, stage1_feat_1 of a stage.

    >>> feature_names(VGG3DConfig(), 20, "avg")[-1], feature_names(VGG3DConfig(), "standard", "spp")[-1]
    ('layer20_feat_96', 'feat_14016')
    """
    taps = layer_taps(config, layer)
    name = str(layer).strip()
    by_stage = name == "all_stages" or name.startswith("stage")
    prefixes = [f"stage{config.stage(tap)}_" if by_stage else "" if name == "standard" else f"layer{tap}_" for tap in taps]
    widths = [pooled_width(config.width(tap), pooling) for tap in taps]
    return tuple(f"{prefix}feat_{k}" for prefix, width in zip(prefixes, widths, strict=True) for k in range(1, width + 1))


def _stages(config: VGG3DConfig) -> list[str]:
    return [f"stage:{k}" for k in range(1, len(config.pools) + 1)]
