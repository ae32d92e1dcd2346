"""Settings that `gpu_training.py` trains with, and the peaks of devices that it knows."""

from dataclasses import dataclass, replace

import torch

from phosphene.training.precision import Precision

ARITHMETICS = {
    "fp32": Precision(),
    "tf32": Precision(tf32=True),
    "bf16": Precision(autocast="bfloat16"),
}
EXTRAS = {
    "contiguous maps": ("contiguous_maps",),
    "channels_last weights": ("channels_last_weights",),
    "tuned": ("tuned",),
    "compiled": ("compiled",),
    "from the host": ("from_host",),
    "graph": ("captured",),
    "tuned + compiled": ("tuned", "compiled"),
    "tuned + graph": ("tuned", "captured"),
    "tuned + compiled + graph": ("tuned", "compiled", "captured"),
    "channels_last weights + tuned + compiled + graph": (
        "channels_last_weights",
        "tuned",
        "compiled",
        "captured",
    ),
}
_H100_SXM, _HOPPER_NVL, _A100 = (67.0, 494.7, 989.4), (60.0, 417.5, 835.5), (19.5, 156.0, 312.0)
PEAKS: dict[str, tuple[float, float, float]] = {
    "NVIDIA H100 80GB HBM3": _H100_SXM,
    "NVIDIA H100 NVL": _HOPPER_NVL,
    "NVIDIA H100 PCIe": (51.0, 378.0, 756.0),
    "NVIDIA H200": _H100_SXM,
    "NVIDIA H200 NVL": _HOPPER_NVL,
    "NVIDIA A100-SXM4-40GB": _A100,
    "NVIDIA A100-SXM4-80GB": _A100,
    "NVIDIA A100-PCIE-40GB": _A100,
    "NVIDIA A100 80GB PCIe": _A100,
    "NVIDIA L40S": (91.6, 183.0, 362.0),
    "NVIDIA GeForce RTX 4090": (82.6, 82.6, 165.2),
    "NVIDIA GeForce RTX 3090": (35.6, 35.6, 71.0),
}
"""NVIDIA's figures in TFLOP/s for float32 outside tensor cores, dense TF32, and dense bfloat16
summed in float32, by the name that torch gives the device. Others have no share of their peak."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One way to make the same update."""

    arithmetic: str
    extra: str = ""

    @property
    def name(self) -> str:
        """Words for the table."""
        return f"{self.arithmetic} + {self.extra}" if self.extra else self.arithmetic

    @property
    def extras(self) -> tuple[str, ...]:
        """What else is changed."""
        return EXTRAS[self.extra] if self.extra else ()

    @property
    def needs_cuda(self) -> bool:
        """Whether the row is for GPUs alone; compiling for a CPU takes a minute first."""
        gpu_only = {"tuned", "compiled", "from_host", "captured"}
        return self.arithmetic == "tf32" or not gpu_only.isdisjoint(self.extras)

    @property
    def precision(self) -> Precision:
        """The settings of the networks."""
        return replace(
            ARITHMETICS[self.arithmetic],
            tuned="tuned" in self.extras,
            compiled="compiled" in self.extras,
        )


# A capture that fails may spoil what comes after it, so captured rows come last.
SETTINGS = sorted(
    (Setting(arithmetic=name, extra=extra) for name in ARITHMETICS for extra in ("", *EXTRAS)),
    key=lambda setting: "captured" in setting.extras,
)


def peak_of(device: torch.device, arithmetic: str) -> float | None:
    """Return the device's peak in FLOP/s; None if it is not in the table."""
    if device.type != "cuda":
        return None
    peaks = PEAKS.get(torch.cuda.get_device_name(device))
    return None if peaks is None else peaks[list(ARITHMETICS).index(arithmetic)] * 1e12
