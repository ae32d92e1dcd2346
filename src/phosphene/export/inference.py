"""Generators made fast for drawing: their weights are prepared once, their pictures stay the same.

`prepare_generator` takes any generator. How much it can do depends on what the network says of
itself:

- A network with a method `inference_stages` gets everything below. The method returns three things:
  what joins noise and condition, the layers that follow one another from there, and what makes
  pictures of the last maps. One after the other, and in evaluation mode, they must give what
  `forward` gives, and a picture must not depend on the others of its batch. The network's own
  layers may be named, a copy is asked:

      def inference_stages(self):
          layers: list[nn.Module] = [nn.Unflatten(1, (-1, 1, 1)), self.first]
          for norm, grow in zip(self.norms, [*self.grow, self.last], strict=True):
              layers += [norm, nn.ReLU(), grow]
          return lambda z, f: torch.cat([z, f], 1), layers, torch.tanh

- In any other network, a batch norm that directly follows a convolution or linear layer inside an
  `nn.Sequential` is folded into it: only there a module says what follows what. The rest is left.

What is done with stages: batch norms are folded into the layer before; a transposed convolution of
a single pixel becomes a matrix product; maps are channels_last, and kernels are laid out once as
oneDNN reads them, with the activation computed where the result is written; a convolution to a few
planes becomes one product per tap, added up where they fall; large batches are drawn in parts,
which keeps memory small. Transposed convolutions of stride 2 stay what they are: oneDNN leaves the
zeros between pixels out by itself, and forms by sub-pixel phases gain on the smallest maps alone
(``benchmarks/inference_speed.py --only forms``).
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene.export.inference_layers import fold_norm, folds_norm, prepare_layers
from phosphene.models.generators.dcgan import DCGANGenerator

Stages = tuple[Callable[[Tensor, Tensor], Tensor], Iterable[nn.Module], Callable[[Tensor], Tensor]]
"""What joins noise and condition, the layers that follow, and what makes pictures of their maps."""

N_PIXELS = 2**19
"""Pixels of pictures that are drawn together: 32 pictures of 128x128.

A quarter of it keeps maps in the cache and is a tenth faster where the machine is idle, but threads
then wait for each other more often: much slower where they share their processors.
"""


def prepare_generator(generator: nn.Module) -> nn.Module:
    """Return a copy of a generator that draws the same pictures faster, in evaluation mode.

    The copy is for drawing alone: it has no gradients, and does not follow when the weights of the
    original change. Pictures agree with those of the original to about 1e-5 of 1.

    Parameters
    ----------
    generator
        With `n_noise`, `n_features`, `size`, `color` and ``forward(z, f)``; left as it is. See the
        module's text for what it may tell of its layers.
    """
    copy = deepcopy(generator).eval().requires_grad_(False)
    for module in list(copy.modules()):
        _settle_parametrizations(module)
    stages = _stages(copy)
    if stages is not None:
        return PreparedGenerator(copy, stages)
    shared = _shared(copy)
    for module in list(copy.modules()):
        if type(module).forward is nn.Sequential.forward:
            _fold_in_place(module, shared)  # pyright: ignore[reportArgumentType]
    return copy


class PreparedGenerator(nn.Module):
    """A generator's layers, prepared for drawing; made by `prepare_generator`.

    Parameters
    ----------
    generator
        Whose `n_noise`, `n_features`, `size` and `color` it takes over; in evaluation mode.
    stages
        As its `inference_stages` returns them.
    """

    def __init__(self, generator: nn.Module, stages: Stages) -> None:
        super().__init__()
        found: Any = generator
        self.n_noise, self.n_features = int(found.n_noise), int(found.n_features)
        self.size, self.color = int(found.size), int(found.color)
        self.join, layers, self.finish = stages
        self.layers = prepare_layers(layers)
        self.train(False)

    def forward(
        self, z: Float[Tensor, "batch noise"], f: Float[Tensor, "batch feature"]
    ) -> Float[Tensor, "batch color size size"]:
        """Return pictures in [-1, 1], without gradients."""
        with torch.no_grad():
            joined = self.join(z, f)
            parts = joined.split(max(1, N_PIXELS // self.size**2))
            return torch.cat([self.finish(self.layers(part)) for part in parts])


def _stages(generator: nn.Module) -> Stages | None:
    if isinstance(generator, DCGANGenerator):
        return _dcgan_stages(generator)
    tell = getattr(generator, "inference_stages", None)
    return None if tell is None else tell()


def _dcgan_stages(generator: DCGANGenerator) -> Stages:
    """Return the layers of EEG2Image's generator, which holds its maps turned by 180 degrees."""
    layers: list[nn.Module] = [
        nn.Unflatten(1, (-1, 1, 1)),
        generator.first,
        nn.LeakyReLU(0.3),
        nn.ZeroPad2d((1, 0, 1, 0)),
    ]
    for grow, norm in zip(generator.grow, generator.norms, strict=True):
        layers += [grow, norm, nn.LeakyReLU(0.3)]
    layers.append(generator.last)
    return lambda z, f: torch.cat([z, f], 1), layers, lambda maps: torch.tanh(maps).flip(2, 3)


def _settle_parametrizations(module: nn.Module) -> None:
    """Make weights that are computed, as by spectral norm, plain ones, in the module itself.

    torch's own `remove_parametrizations` works on the class, which a copy shares with its original.
    """
    if not nn.utils.parametrize.is_parametrized(module):
        return
    computed: Any = module.parametrizations
    values = {name: getattr(module, name).detach().clone() for name in computed}
    module.__class__ = type(module).__bases__[0]
    del module.parametrizations
    for name, value in values.items():
        module.register_parameter(name, nn.Parameter(value, requires_grad=False))


def _shared(module: nn.Module) -> set[nn.Module]:
    """Return the modules that stand in more than one place."""
    seen, shared = set(), set()
    for _, part in module.named_modules(remove_duplicate=False):
        (shared if part in seen else seen).add(part)
    return shared


def _fold_in_place(sequence: nn.Sequential, shared: set[nn.Module]) -> None:
    """Fold the batch norms of a sequence; an identity takes the place of each."""
    for number in range(len(sequence) - 1):
        layer, norm = sequence[number], sequence[number + 1]
        if not {layer, norm} & shared and folds_norm(layer, norm):
            sequence[number] = fold_norm(layer, norm)
            sequence[number + 1] = nn.Identity()
