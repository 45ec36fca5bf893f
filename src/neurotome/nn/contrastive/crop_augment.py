"""What may happen to a crop without changing what it shows: turned, moved, lit, sectioned and cut otherwise.

Image and mask move together; the grey of the background is put in last, so that it stays one exact value.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from neurotome.core import ShapeError, ValueRangeError

__all__ = ["CropAugmentation", "augment_crops", "blend"]


@dataclass(frozen=True)
class CropAugmentation:
    """How far each change may go; a crop is changed in each way with probability `likely`, but always mirrored and turned.

    symmetries: 48 of the cube, 16 where voxels are longer along z, 1 for none. rotation_deg: about a random axis (about z where
    symmetries is not 48). scale: factors. shift: share of the side. contrast, brightness, gamma: of grey values 0..1.
    section: standard deviation of the brightness of each section. noise: standard deviation. blur_vox: sigma of a Gaussian, at
    most. blackout: sections that go missing, at most. cutout: share of the side of a box away from the centre that goes missing.
    inflate_vox: the mask grows by so many voxels, at most.
    """

    likely: float = 0.5
    symmetries: int = 48
    rotation_deg: float = 15.0
    scale: tuple[float, float] = (0.8, 1.2)
    shift: float = 0.05
    contrast: float = 0.2
    brightness: float = 0.2
    gamma: tuple[float, float] = (0.9, 1.1)
    section: float = 0.03
    noise: float = 0.05
    blur_vox: float = 1.0
    blackout: int = 1
    cutout: float = 0.25
    inflate_vox: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.likely <= 1:
            raise ValueRangeError(f"likely {self.likely}", "0 to 1", "take 0.5")
        if self.symmetries not in (1, 16, 48):
            raise ValueRangeError(
                f"symmetries {self.symmetries}", "1, 16 or 48", "take 48, or 16 where voxels are longer along z"
            )
        if not 0 < self.scale[0] <= self.scale[1] or not 0 < self.gamma[0] <= self.gamma[1]:
            raise ValueRangeError(
                f"scale {self.scale}, gamma {self.gamma}", "two factors above 0, the smaller first", "swap them"
            )


def blend(image: torch.Tensor, mask: torch.Tensor, *, alpha: float, grey: float) -> torch.Tensor:
    """The image inside the mask; outside, grey of opacity alpha over it."""
    return torch.where(mask, image, alpha * grey + (1 - alpha) * image)


def augment_crops(
    image: torch.Tensor,
    mask: torch.Tensor,
    how: CropAugmentation,
    generator: torch.Generator,
    *,
    alpha: float = 1.0,
    grey: float = 0.6,
) -> torch.Tensor:
    """One random variant of each crop: (n, s, s, s) grey values 0..1 and masks -> (n, 1, s, s, s) float32, background blended in.

    The generator decides everything: the same seed gives the same variants. Raises ShapeError.
    """
    if image.shape != mask.shape or image.ndim != 4:
        raise ShapeError(f"Images {tuple(image.shape)} with masks {tuple(mask.shape)}", "two equal (n, s, s, s)")
    x, m = image.float()[:, None], mask.bool()[:, None]
    x, m = _turned(x, m, how, generator)
    x, m = _moved(x, m, how, generator)
    x = _lit(x, how, generator)
    x = _blurred(x, how, generator)
    x = x + _sometimes(x, how, generator) * how.noise * torch.randn(x.shape, generator=generator)
    x, m = x.clamp(0, 1), _inflated(m, how, generator)
    missing = _missing(x, how, generator)
    return torch.where(missing, torch.full_like(x, grey), blend(x, m, alpha=alpha, grey=grey))


def _draw(n: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


def _sometimes(x: torch.Tensor, how: CropAugmentation, generator: torch.Generator) -> torch.Tensor:
    """1 for the crops that are changed, 0 for the others; (n, 1, 1, 1, 1)."""
    return (torch.rand(len(x), generator=generator) < how.likely).float().view(-1, 1, 1, 1, 1)


def _turned(
    x: torch.Tensor, m: torch.Tensor, how: CropAugmentation, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each crop under a random symmetry of its grid: axes permuted, then mirrored."""
    if how.symmetries == 1:
        return x, m
    orders = ((0, 1, 2), (0, 2, 1)) if how.symmetries == 16 else tuple(_permutations())
    out_x, out_m = torch.empty_like(x), torch.empty_like(m)
    for i in range(len(x)):
        order = orders[int(torch.randint(len(orders), (1,), generator=generator))]
        flips = [axis + 1 for axis in range(3) if bool(torch.rand(1, generator=generator) < 0.5)]
        axes = (0, *(axis + 1 for axis in order))
        out_x[i], out_m[i] = x[i].permute(axes).flip(flips), m[i].permute(axes).flip(flips)
    return out_x, out_m


def _permutations() -> list[tuple[int, int, int]]:
    return [(a, b, 3 - a - b) for a in range(3) for b in range(3) if a != b]


def _moved(
    x: torch.Tensor, m: torch.Tensor, how: CropAugmentation, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotated about an axis, scaled and shifted; what comes from outside is no part of the mask."""
    n = len(x)
    if how.rotation_deg == 0 and how.shift == 0 and how.scale == (1.0, 1.0):
        return x, m
    changed = _sometimes(x, how, generator).view(-1)
    angle = torch.deg2rad(_draw(n, -how.rotation_deg, how.rotation_deg, generator)) * changed
    axis = torch.randn(n, 3, generator=generator)
    if how.symmetries != 48:
        # grid_sample counts x, y, z: the last is across the sections.
        axis = torch.tensor([0.0, 0.0, 1.0]).expand(n, 3)
    factor = 1 + (_draw(n, *how.scale, generator) - 1) * changed
    matrix = _rotation(F.normalize(axis, dim=1), angle) / factor[:, None, None]
    offset = 2 * how.shift * (2 * torch.rand(n, 3, 1, generator=generator) - 1) * changed[:, None, None]
    where = F.affine_grid(torch.cat([matrix, offset], dim=2), list(x.shape), align_corners=False)
    image = F.grid_sample(x, where, mode="bilinear", padding_mode="border", align_corners=False)
    moved = F.grid_sample(m.float(), where, mode="nearest", padding_mode="zeros", align_corners=False)
    return image, moved > 0.5


def _rotation(axis: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """Rotation matrices (n, 3, 3) about unit axes, after Rodrigues."""
    x, y, z = axis.T
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
    sine, cosine = angle.sin().view(-1, 1, 1), angle.cos().view(-1, 1, 1)
    return torch.eye(3) + sine * cross + (1 - cosine) * (cross @ cross)


def _lit(x: torch.Tensor, how: CropAugmentation, generator: torch.Generator) -> torch.Tensor:
    """Other contrast about the middle grey, brightness, gamma, and a brightness of each section's own."""
    n, side = len(x), x.shape[2]
    one = (n, 1, 1, 1, 1)
    slope = 1 + _draw(n, -how.contrast, how.contrast, generator).view(one) * _sometimes(x, how, generator)
    added = _draw(n, -how.brightness, how.brightness, generator).view(one) * _sometimes(x, how, generator)
    gamma = 1 + (_draw(n, *how.gamma, generator).view(one) - 1) * _sometimes(x, how, generator)
    per_section = how.section * torch.randn(n, 1, side, 1, 1, generator=generator) * _sometimes(x, how, generator)
    return (((x - 0.5) * slope + 0.5 + added).clamp(0, 1) ** gamma) + per_section


def _blurred(x: torch.Tensor, how: CropAugmentation, generator: torch.Generator) -> torch.Tensor:
    """Each crop under a Gaussian of its own width, or none."""
    if how.blur_vox == 0:
        return x
    reach = max(1, round(2 * how.blur_vox))
    at = torch.arange(-reach, reach + 1).float()
    sigma = (_draw(len(x), 0.0, how.blur_vox, generator) * _sometimes(x, how, generator).view(-1)).clamp_min(1e-3)
    kernels = torch.exp(-0.5 * (at / sigma[:, None]) ** 2)
    kernels = kernels / kernels.sum(1, keepdim=True)
    out = x.transpose(0, 1)
    for axis in range(3):
        shape = [len(x), 1, 1, 1, 1]
        shape[2 + axis] = len(at)
        padding = [0] * 6
        padding[4 - 2 * axis] = padding[5 - 2 * axis] = reach
        out = F.conv3d(F.pad(out, padding, mode="replicate"), kernels.view(shape), groups=len(x))
    return out.transpose(0, 1)


def _inflated(m: torch.Tensor, how: CropAugmentation, generator: torch.Generator) -> torch.Tensor:
    """Masks grown by 0 to `inflate_vox` voxels: what was drawn by hand or network is never exact."""
    rounds = torch.randint(how.inflate_vox + 1, (len(m),), generator=generator) * _sometimes(m, how, generator).view(-1).long()
    out = m.clone()
    for count in range(1, how.inflate_vox + 1):
        which = rounds >= count
        if bool(which.any()):
            out[which] = F.max_pool3d(out[which].float(), 3, stride=1, padding=1) > 0
    return out


def _missing(x: torch.Tensor, how: CropAugmentation, generator: torch.Generator) -> torch.Tensor:
    """Voxels that go missing: whole sections, and a box that leaves the middle of the crop alone."""
    n, side = len(x), x.shape[2]
    gone = torch.zeros_like(x, dtype=torch.bool)
    box, middle = round(how.cutout * side), side // 4
    for i in range(n):
        if how.blackout and float(torch.rand(1, generator=generator)) < how.likely:
            gone[i, :, torch.randint(side, (how.blackout,), generator=generator)] = True
        if box and float(torch.rand(1, generator=generator)) < how.likely:
            z, y, x0 = (int(v) for v in torch.randint(side - box + 1, (3,), generator=generator))
            gone[i, :, z : z + box, y : y + box, x0 : x0 + box] = True
            kept = slice(middle, side - middle)
            gone[i, :, kept, kept, kept] &= False
    return gone
