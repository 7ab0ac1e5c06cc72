"""Landmarks and gland of a volume, with covariances, a judgement of quality, and timings.

The volume is resampled upright around its centre, the network answers for the image and its mirror
image, and where the gland lies far from the grid's centre it is asked again around the gland.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from fusioninit.bundled import model_path
from fusioninit.detection.dsnt import covariance, expectation, flat_softmax, mode
from fusioninit.detection.normalise import network_input
from fusioninit.detection.quality import check_volume, judge
from fusioninit.detection.unet import LandmarkNetwork
from fusioninit.detection.weights import Calibration, ModelCard, card_path, load_model
from fusioninit.errors import InputError
from fusioninit.geometry import Grid, Space
from fusioninit.imaging.volume import Volume, VolumeSource
from fusioninit.landmarks import ALL_NAMES, Landmark, LandmarkSet, Source

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]
FloatArray = NDArray[np.float64]

RECENTRE_MM = 8.0
"""A gland whose centre is farther than this from the grid's centre is looked at again."""

MIN_GLAND_ML = 3.0
"""A smaller predicted gland is no evidence of where the gland is."""

CONFIDENT_MM = 5.0
"""Confidence is the probability that the error is smaller than this."""

NAMES = ALL_NAMES
SWAP = [NAMES.index(n) for n in (*NAMES[:3], "right_lateral", "left_lateral")]
"""Where each heatmap comes from in the mirror image."""


class DetectionCancelledError(InputError):
    """The answer was no longer wanted."""


@dataclass(frozen=True)
class Detection:
    """What the network found.

    Parameters
    ----------
    landmarks : LandmarkSet
        Positions in LPS mm, calibrated covariances, confidences.
    gland : Volume or None
        0 and 1 (uint8) on the network's grid.
    quality : dict
        "ok" (bool), "warnings" (list of one sentence each), and the figures behind them.
    seconds : dict
        Time per stage.
    model_name, sha256 : str
        Which weights answered.
    """

    landmarks: LandmarkSet
    gland: Volume | None
    quality: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)
    model_name: str = ""
    sha256: str = ""

    @property
    def model(self) -> dict[str, str]:
        """Name and hash, as `fusioninit detect --json` gives them."""
        return {"name": self.model_name, "sha256": self.sha256}


@dataclass(frozen=True)
class RawAnswer:
    """The network's answer for one image on its grid, batch of one, before calibration.

    Parameters
    ----------
    position_mm : (L, 3) array
        x y z from the grid's centre.
    spread_mm2 : (L, 3, 3) array
        Covariance of each heatmap.
    gland_logit : (D, H, W) tensor or None
    mirror_difference_mm : (L,) array
        How far the answers for the image and its mirror image lie apart.
    """

    position_mm: FloatArray
    spread_mm2: FloatArray
    gland_logit: Tensor | None
    mirror_difference_mm: FloatArray


class LandmarkPredictor:
    """Finds landmarks and gland in volumes of one space.

    Parameters
    ----------
    network : LandmarkNetwork
    card : ModelCard
    device : str, optional
        "cuda" where available, else "cpu".
    mirrored : bool
        Average over the image and its mirror image.
    recentred : bool
        Look again around a gland that lies off the grid's centre.
    """

    def __init__(
        self,
        network: LandmarkNetwork,
        card: ModelCard,
        *,
        device: str | None = None,
        mirrored: bool = True,
        recentred: bool = True,
    ) -> None:
        self.card = card
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._reduced = reduced_precision(self._device)
        self._network = network.eval().to(self._device)
        if self._reduced:
            for parameter in self._network.parameters():
                if parameter.ndim == 5:
                    layout = torch.channels_last_3d
                    parameter.data = parameter.data.contiguous(memory_format=layout)
        self._mirrored, self._recentred = mirrored, recentred
        self._half_extent_mm = torch.tensor(card.input_grid.half_extent_mm)

    @classmethod
    def from_bundled(cls, space: Space, **options: Any) -> LandmarkPredictor:
        """The predictor with the weights that ship with the program."""
        weights = model_path(f"landmarks-{space}.safetensors")
        network, card = load_model(weights, model_path(f"landmarks-{space}.json"))
        return cls(network, card, **options)

    @classmethod
    def from_files(cls, weights: Path, **options: Any) -> LandmarkPredictor:
        """The predictor with these weights and the card beside them."""
        network, card = load_model(weights, card_path(weights))
        return cls(network, card, **options)

    def __call__(self, volume: Volume, *, progress: Progress, cancelled: Cancelled) -> Detection:
        """As the session's protocol wants it; see `predict`."""
        return self.predict(volume, progress=progress, cancelled=cancelled)

    def predict(
        self,
        volume: Volume,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Detection:
        """Find the landmarks and the gland of `volume`.

        Raises
        ------
        InputError
            The volume is of the other space, empty, constant, or far too small.
        DetectionCancelledError
            `cancelled` said so between two stages.
        """
        stages = _Stages(progress, cancelled)
        stages.begin(0.05, "checking the volume", "check")
        check_volume(volume, self.card.space)
        stages.begin(0.1, "resampling", "resample")
        image, grid = network_input(volume, self.card.input_grid)
        stages.begin(0.4, "looking for landmarks", "network")
        answer = self.answer(image)
        center_mm = self._better_center(answer, grid)
        if center_mm is not None:
            stages.begin(0.6, "looking again around the gland", "second look")
            image, grid = network_input(volume, self.card.input_grid, center_mm)
            answer = self.answer(image)
        stages.begin(0.9, "judging the answer", "judge")
        landmarks = self._landmarks(answer, grid)
        gland = self._gland(answer, grid, volume)
        quality = judge(volume, landmarks, gland, answer.mirror_difference_mm)
        seconds = stages.finish()
        return Detection(landmarks, gland, quality, seconds, self.card.name, self.card.sha256)

    def answer(self, image: Tensor) -> RawAnswer:
        """The network's answer for a normalised image (D, H, W), uncalibrated."""
        images = torch.stack([image, image.flip(-1)] if self._mirrored else [image])[:, None]
        images = images.to(self._device)
        if self._reduced:
            images = images.contiguous(memory_format=torch.channels_last_3d)
        with (
            torch.inference_mode(),
            torch.autocast(self._device, torch.bfloat16, enabled=self._reduced),
        ):
            output = self._network(images)
        scale = self._half_extent_mm
        gland = None if output.gland_logit is None else output.gland_logit.cpu()
        if gland is not None and self._mirrored:
            gland = (gland[:1] + gland[1:].flip(-1)) / 2
        if output.heatmap_logits is None:
            assert output.position_norm is not None
            both = _unmirrored_points(output.position_norm.cpu()) * scale
            spread = torch.zeros(len(NAMES), 3, 3)
            position = both.mean(0)
        else:
            probability = _unmirrored_maps(flat_softmax(output.heatmap_logits.cpu()))
            locate = mode if self.card.method == "heatmap" else expectation
            both = locate(probability) * scale
            mean = probability.mean(0, keepdim=True)
            position = locate(mean)[0] * scale
            spread = covariance(mean)[0] * scale[:, None] * scale[None, :]
        difference = (both[0] - both[-1]).norm(dim=-1)
        return RawAnswer(
            position.double().numpy(),
            spread.double().numpy(),
            None if gland is None else gland[0],
            difference.double().numpy(),
        )

    def _better_center(self, answer: RawAnswer, grid: Grid) -> FloatArray | None:
        """World centre of the predicted gland where a second look is worth it."""
        if not self._recentred or answer.gland_logit is None:
            return None
        inside = answer.gland_logit.numpy() > 0
        if inside.sum() * np.prod(grid.spacing_mm) / 1000 < MIN_GLAND_ML:
            return None
        center_mm = grid.to_world(np.argwhere(_largest_part(inside)).mean(0)[::-1])
        if np.linalg.norm(center_mm - grid.center_mm) < RECENTRE_MM:
            return None
        return np.asarray(center_mm)

    def _landmarks(self, answer: RawAnswer, grid: Grid) -> LandmarkSet:
        covariances = calibrated(answer.spread_mm2, self.card.calibration)
        provenance = f"{self.card.name} {self.card.sha256[:12]}"
        marks = [
            Landmark(
                name,
                grid.center_mm + answer.position_mm[number],
                covariances[number],
                Source.PREDICTED,
                confidence(covariances[number]),
                provenance=provenance,
            )
            for number, name in enumerate(NAMES)
        ]
        return LandmarkSet(self.card.space, tuple(marks))

    def _gland(self, answer: RawAnswer, grid: Grid, volume: Volume) -> Volume | None:
        if answer.gland_logit is None:
            return None
        mask = _largest_part(answer.gland_logit.numpy() > 0)
        mask = mask & volume.grid.contains(grid.points_mm())
        source = VolumeSource(format="predicted", description=f"gland by {self.card.name}")
        return Volume(mask.astype(np.uint8), grid, volume.space, source)


def calibrated(spread_mm2: FloatArray, calibration: Calibration) -> FloatArray:
    """Covariances of the error, (L, 3, 3) mm^2, from the heatmaps' spreads."""
    scale = np.array(calibration.scale)[:, None, None]
    floor = np.array(calibration.floor_mm2)[:, None, None]
    return scale * spread_mm2 + floor * np.eye(3)


def confidence(covariance_mm2: FloatArray) -> float:
    """Probability that an error of this covariance, taken as isotropic, is below 5 mm."""
    variance = max(float(np.trace(covariance_mm2)) / 3, 1e-6)
    # chi-square of 3 degrees of freedom: P(x) = gammainc(3/2, x/2)
    return float(
        torch.special.gammainc(torch.tensor(1.5), torch.tensor(CONFIDENT_MM**2 / variance / 2))
    )


def reduced_precision(device: str) -> bool:
    """Whether bfloat16 is fast on this device: GPUs that have it, CPUs with AVX512-BF16."""
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported()
    return torch.backends.mkldnn.is_available() and "avx512_bf16" in _cpu_flags()


def _cpu_flags() -> str:
    info = Path("/proc/cpuinfo")
    return info.read_text() if info.is_file() else ""


def _unmirrored_maps(probability: Tensor) -> Tensor:
    """Heatmaps (1 or 2, L, D, H, W) of image and mirror image, both in the image's frame."""
    if len(probability) == 1:
        return probability
    return torch.stack([probability[0], probability[1].flip(-1)[SWAP]])


def _unmirrored_points(position: Tensor) -> Tensor:
    """Points (1 or 2, L, 3) of image and mirror image, both in the image's frame."""
    if len(position) == 1:
        return position
    return torch.stack([position[0], position[1][SWAP] * torch.tensor([-1.0, 1.0, 1.0])])


def _largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == sizes.argmax())


class _Stages:
    """Reports progress, polls for cancellation and takes times between stages."""

    def __init__(self, progress: Progress | None, cancelled: Cancelled | None) -> None:
        self._progress, self._cancelled = progress, cancelled
        self._seconds: dict[str, float] = {}
        self._start = self._last = time.perf_counter()
        self._name = ""

    def begin(self, fraction: float, text: str, name: str) -> None:
        """Start a stage, unless the answer is no longer wanted."""
        self._close()
        if self._cancelled is not None and self._cancelled():
            raise DetectionCancelledError("detection was cancelled")
        if self._progress is not None:
            self._progress(fraction, text)
        self._name = name

    def finish(self) -> dict[str, float]:
        """End the last stage; seconds per stage and in total."""
        self._close()
        if self._progress is not None:
            self._progress(1.0, "done")
        return {**self._seconds, "total": round(time.perf_counter() - self._start, 4)}

    def _close(self) -> None:
        now = time.perf_counter()
        if self._name:
            self._seconds[self._name] = round(now - self._last, 4)
        self._last = now
