"""Inception-v3 with its published weights: read them, and describe pictures."""

import io
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from phosphene.models.feature_networks.inception_v3 import (
    ConvUnit,
    InceptionV3,
    standard_input,
)

REMEDY = "Fetch the file again with `phosphene data fetch inception-2015`."
COUNTER = ".num_batches_tracked"
"""Buffers that older versions of PyTorch did not save, and that nothing here uses."""


def load_inception(content: bytes) -> InceptionV3:
    """Build the network from the bytes of the published file, ready to describe pictures.

    Batch norms are folded into the convolutions before them. The caller has verified the hash of
    the content (`phosphene.data.downloads.read_verified`); it is checked here as well: nothing is
    unpickled but tensors, and names, shapes, types and values must be those of the network.

    Raises
    ------
    ValueError
        If the content is no state dict, or another network's.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unusual pickles: they are refused all the same
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception:  # broken bytes end in errors of any kind
        raise ValueError(
            f"Inception weights must be a state dict of PyTorch; these bytes are not. {REMEDY}"
        ) from None
    with torch.device("meta"):  # nothing is drawn at random only to be replaced
        network = InceptionV3()
    tensors = _checked(state, network.state_dict())
    network.load_state_dict(tensors, assign=True)
    network = network.eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, ConvUnit):
            module.fold()
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _checked(state: object, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors, counters added, if they are exactly the expected ones."""
    if not isinstance(state, Mapping) or not all(isinstance(name, str) for name in state):
        raise ValueError(
            f"Inception weights must be a mapping from names to tensors; got "
            f"{type(state).__name__}. {REMEDY}"
        )
    tensors: dict[str, Tensor] = {}
    for name in sorted(expected.keys() | state.keys()):
        if name not in expected:
            raise ValueError(
                f"Inception weights must hold the network's parameters and nothing else; got "
                f"{name[:100]!r} too. {REMEDY}"
            )
        counter = name.endswith(COUNTER)
        value = state.get(name, torch.tensor(0) if counter else None)
        if not isinstance(value, Tensor):
            raise ValueError(
                f"Inception weights must hold the tensor `{name}`; got "
                f"{type(value).__name__}. {REMEDY}"
            )
        if value.shape != expected[name].shape or value.dtype != expected[name].dtype:
            raise ValueError(
                f"`{name}` must be {_words(expected[name])}; got {_words(value)}. {REMEDY}"
            )
        if not value.isfinite().all():
            raise ValueError(f"Inception weights must be finite; `{name}` is not. {REMEDY}")
        tensors[name] = value.detach()
    return tensors


def _words(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"


@torch.no_grad()
def describe_pictures(
    network: InceptionV3,
    pixels: UInt8[np.ndarray, "picture height width color"],
    *,
    bias: bool = False,
    batch_size: int = 16,
    on_batch: Callable[[int], None] = lambda n_done: None,
) -> tuple[Float[np.ndarray, "picture feature"], Float[np.ndarray, "picture classes"]]:
    """Return features ("pool3") and class probabilities of pictures, after the standard resize.

    Parameters
    ----------
    network
        In evaluation mode, as `load_inception` returns it.
    pixels
        Bytes of grey or colour pictures.
    bias
        Add the bias to the logits; the Inception Score leaves it out (`InceptionV3.logits`).
    batch_size
        Pictures at a time; 16 of them take about 0.5 GB.
    on_batch
        Hears how many pictures are done.
    """
    features, probabilities = [], []
    for first in range(0, len(pixels), batch_size):
        part = torch.from_numpy(pixels[first : first + batch_size].transpose(0, 3, 1, 2).copy())
        found = network.features(standard_input(part.float() / 255))
        features.append(found.numpy())
        probabilities.append(network.logits(found, bias=bias).softmax(1).numpy())
        on_batch(first + len(part))
    return np.concatenate(features), np.concatenate(probabilities)
