"""Our own generator of LFP: a predicted response, a flow for what varies, noise for the rest."""

from collections.abc import Callable
from math import pi

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from phosphene._checks import check_at_least, check_option, check_positive
from phosphene.models.encoders.gabor_energies import GaborEnergies, PictureGrid
from phosphene.models.generators.lfpgan import check_pictures
from phosphene.models.layers import check_columns

FEATURES = ("gabor", "pixels", "none")
N_TIME_WAVES = 8
"""Sines, and as many cosines, that tell the network where on its way a point is."""
MAX_FEATURE = 3.0
"""Standard deviations at which a picture's features saturate."""

Velocity = Callable[[Tensor, Tensor], Tensor]


class VelocityNetwork(nn.Module):
    """Where a point on its way from noise to data goes next: Gaussian law plus a residual MLP.

    Were the data normal, as whitening would have it, the best velocity would be linear
    (`gaussian_velocity`). Mean and logarithm of the standard deviation of each value are linear in
    the condition here: pictures that excite much also vary more. The MLP adds what the data have
    beyond that. Both begin at zero, so that an untrained network gives standard normal draws.

    Parameters
    ----------
    n_values
        Length of a point.
    n_condition
        Length of what is known of the picture; may be 0.
    width
        Values between layers.
    n_blocks
        Residual blocks; the condition and the time set gain and bias of each (FiLM).
    dropout
        Share of a block's values that are left out in training.
    """

    def __init__(
        self, n_values: int, n_condition: int, *, width: int, n_blocks: int, dropout: float
    ) -> None:
        super().__init__()
        self.n_values, self.n_condition = n_values, n_condition
        self.embed = nn.Sequential(
            nn.Linear(n_condition + 2 * N_TIME_WAVES, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.first = nn.Linear(n_values, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(n_blocks))
        self.modulations = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(n_blocks))
        self.bodies = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, width)
            )
            for _ in range(n_blocks)
        )
        self.moments = nn.Parameter(torch.zeros(n_condition + 1, 2 * n_values))
        self.last = nn.Linear(width, n_values)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(
        self,
        x: Float[Tensor, "batch value"],
        time: Float[Tensor, " batch"],
        condition: Float[Tensor, "batch condition"],
    ) -> Float[Tensor, "batch value"]:
        """Return the velocity at points `x` at times in [0, 1]; 0 is noise, 1 is data."""
        check_columns("x", x, self.n_values, "values")
        check_columns("condition", condition, self.n_condition, "values")
        waves = time[:, None] * (pi / 2 * torch.arange(1, N_TIME_WAVES + 1, device=x.device))
        embedding = self.embed(torch.cat([condition, waves.sin(), waves.cos()], 1))
        hidden = self.first(x)
        for norm, modulation, body in zip(self.norms, self.modulations, self.bodies, strict=True):
            gain, bias = modulation(embedding).chunk(2, 1)
            hidden = hidden + body(norm(hidden) * (1 + gain) + bias)
        mean, log_sd = (condition @ self.moments[:-1] + self.moments[-1]).chunk(2, 1)
        return gaussian_velocity(x, time, mean=mean, sd=log_sd.exp()) + self.last(hidden)


class LFPFlow(nn.Module):
    """Make z-scored LFP windows for pictures; all but its flow is fitted in closed form.

    A window is the sum of

    - the mean of all showings, and the response that a linear map predicts from the picture's
      features, in `n_patterns` patterns;
    - `n_components` principal components of what showings deviate from it. The first `n_flow`
      whitened coefficients are drawn by a flow from normal noise under the picture, the others are
      normal;
    - Gaussian noise with the spectra and cross-spectra of what components leave over;

    z-scored as the data are. Z-scoring divides by the window's own size, which makes noise weak
    where the response is strong. As the size is lost, the sum may be made in any: it is made in the
    size at which high frequencies are equally strong in all windows (`equalise`), where Gaussian
    laws fit better than in the z-scored one.

    What was fitted lies in buffers, zero until `load_state_dict` or the recipe fills them.

    Parameters
    ----------
    n_chans, n_times
        Of a window.
    size
        Rows and columns of pictures; of no meaning without them.
    features
        "gabor", "pixels", or "none" for a generator without pictures.
    n_patterns
        Patterns of the predicted response.
    n_components, n_flow
        Principal components, and how many of them are drawn by the flow.
    width, n_blocks, dropout
        See `VelocityNetwork`.
    n_ode_steps
        Steps of Heun's method per draw.
    predicted_mean
        Whether the response is predicted linearly; else the flow has to bring it.
    uses_flow
        Whether the flow is asked at all; else its components are normal too.

    Raises
    ------
    ValueError
        If there are more components than values or more values in the flow than components.

    References
    ----------
    Lipman et al., ICLR 2023, https://arxiv.org/abs/2210.02747; Liu et al., ICLR 2023,
    https://arxiv.org/abs/2209.03003
    """

    feature_mean: Tensor
    feature_sd: Tensor
    readout: Tensor
    mean: Tensor
    patterns: Tensor
    components: Tensor
    scale: Tensor
    remainder: Tensor
    gain_weights: Tensor

    def __init__(
        self,
        n_chans: int = 22,
        n_times: int = 313,
        size: tuple[int, int] = (54, 69),
        *,
        features: str = "gabor",
        n_patterns: int = 24,
        n_components: int = 192,
        n_flow: int = 96,
        width: int = 256,
        n_blocks: int = 3,
        dropout: float = 0.1,
        n_ode_steps: int = 16,
        predicted_mean: bool = True,
        uses_flow: bool = True,
    ) -> None:
        super().__init__()
        check_option("features", features, FEATURES)
        for name, value in (("n_patterns", n_patterns), ("n_components", n_components)):
            check_positive(name, value)
        check_at_least("n_flow", n_flow, 1)
        check_at_least("n_ode_steps", n_ode_steps, 1)
        n_values = n_chans * n_times
        if not n_flow <= n_components <= n_values:
            raise ValueError(
                "a flow must have no more values than components, and these no more than a window; "
                f"got {n_flow}, {n_components} and {n_values}. Lower `n_flow` or `n_components`."
            )
        self.n_chans, self.n_times, self.n_ode_steps = n_chans, n_times, n_ode_steps
        self.n_components, self.n_flow, self.n_patterns = n_components, n_flow, n_patterns
        self.predicted_mean, self.uses_flow = predicted_mean, uses_flow
        self.picture_encoder: GaborEnergies | PictureGrid | None = None
        if features != "none":
            self.picture_encoder = {"gabor": GaborEnergies, "pixels": PictureGrid}[features](size)
        n_features = 0 if self.picture_encoder is None else self.picture_encoder.n_features
        n_condition = 0 if self.picture_encoder is None else n_patterns
        self.flow = VelocityNetwork(
            n_flow, n_condition, width=width, n_blocks=n_blocks, dropout=dropout
        )
        shapes = {
            "feature_mean": (n_features,),
            "feature_sd": (n_features,),
            "readout": (n_features, n_condition),
            "mean": (n_chans, n_times),
            "patterns": (n_condition, n_chans, n_times),
            "components": (n_components, n_chans, n_times),
            "scale": (n_components,),
            "remainder": (n_times // 2 + 1, n_chans, n_chans, 2),
            "gain_weights": (n_chans, n_times // 2 + 1),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))
        self.noise_shape = (n_components + n_values,)

    def forward(
        self,
        noise: Float[Tensor, "batch noise"],
        pictures: Float[Tensor, "picture 1 height width"] | None = None,
        index: Int64[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch chan time"]:
        """Return windows.

        Parameters
        ----------
        noise
            Normal, of the shape `noise_shape`.
        pictures
            In [-1, 1], one for each window; or, with `index`, each different one once.
        index
            Row of `pictures` for each window.
        """
        check_columns("noise", noise, self.noise_shape[0], "values")
        condition = self.condition(pictures, index, n=len(noise))
        start, white = noise.tensor_split([self.n_components], dim=1)
        drawn = start[:, : self.n_flow]
        if self.uses_flow:
            drawn = integrate(
                lambda x, time: self.flow(x, time, condition), drawn, n_steps=self.n_ode_steps
            )
        coefficients = torch.cat([drawn, start[:, self.n_flow :]], 1) * self.scale
        windows = self.predict(condition) + torch.einsum(
            "bk,kct->bct", coefficients, self.components
        )
        windows = windows + self.color(white.unflatten(1, (self.n_chans, self.n_times)))
        deviations = windows - windows.mean((1, 2), keepdim=True)
        return deviations / deviations.square().mean((1, 2), keepdim=True).sqrt()

    def condition(
        self, pictures: Tensor | None, index: Tensor | None = None, *, n: int
    ) -> Float[Tensor, "batch condition"]:
        """Return what is known of the picture of each of `n` windows: strengths of the patterns.

        Over training pictures each has mean 0, but for clipping, and standard deviation 1.
        """
        check_pictures(pictures, self.picture_encoder)
        if self.picture_encoder is None or pictures is None:
            return self.mean.new_zeros(n, 0)
        features = (self.picture_encoder(pictures) - self.feature_mean) / self.feature_sd
        known = features.clamp(-MAX_FEATURE, MAX_FEATURE) @ self.readout
        return known if index is None else known[index]

    def predict(
        self, condition: Float[Tensor, "batch condition"]
    ) -> Float[Tensor, "batch chan time"]:
        """Return the mean response that is expected."""
        if not self.predicted_mean:
            return self.mean.expand(len(condition), -1, -1)
        return self.mean + torch.einsum("bp,pct->bct", condition, self.patterns)

    def encode(
        self,
        windows: Float[Tensor, "batch chan time"],
        condition: Float[Tensor, "batch condition"],
    ) -> Float[Tensor, "batch value"]:
        """Return the whitened coefficients of z-scored windows that the flow is to draw."""
        components = self.components[: self.n_flow]
        deviations = self.equalise(windows) - self.predict(condition)
        return torch.einsum("bct,kct->bk", deviations, components) / self.scale[: self.n_flow]

    def equalise(
        self, windows: Float[Tensor, "batch chan time"]
    ) -> Float[Tensor, "batch chan time"]:
        """Return windows in the size at which their high frequencies are equally strong.

        The sum of their power spectra, weighted by `gain_weights`, becomes 1; without weights
        windows stay as they are.
        """
        if not self.gain_weights.any():
            return windows
        powers = torch.fft.rfft(windows, norm="ortho").abs().square()
        return windows / (powers * self.gain_weights).sum((1, 2)).sqrt()[:, None, None]

    def color(self, white: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch chan time"]:
        """Give white noise the cross-spectra of what the components leave over."""
        factors = torch.view_as_complex(self.remainder)
        spectra = torch.fft.rfft(white, norm="ortho")
        colored = torch.einsum("fcd,bdf->bcf", factors, spectra)
        return torch.fft.irfft(colored, n=self.n_times, norm="ortho")


def gaussian_velocity(
    x: Float[Tensor, "batch value"],
    time: Float[Tensor, " batch"],
    *,
    mean: Float[Tensor, "batch value"],
    sd: Float[Tensor, "batch value"],
) -> Float[Tensor, "batch value"]:
    """Return the expected ``x1 - x0``, given ``x = (1 - t) x0 + t x1``, of normal x0 and x1.

    The ends x0 are standard normal, x1 have the mean and standard deviation. Following it from time
    0 to 1 leads from x0 to ``mean + sd * x0``.
    """
    t = time[:, None]
    variance = sd.square()
    slope = (t * variance - (1 - t)) / ((1 - t) ** 2 + t**2 * variance)
    return mean + slope * (x - t * mean)


def integrate(
    velocity: Velocity, start: Float[Tensor, "batch value"], *, n_steps: int
) -> Float[Tensor, "batch value"]:
    """Follow a velocity field from time 0 to 1 by Heun's method (trapezoids, second order).

    Parameters
    ----------
    velocity
        From points (batch, value) and times (batch,) to velocities (batch, value).
    start
        Points at time 0.
    n_steps
        Steps of equal length; the field is asked twice in each.
    """
    check_at_least("n_steps", n_steps, 1)
    x, length = start, 1 / n_steps
    for step in range(n_steps):
        now, then = (x.new_full((len(x),), (step + k) * length) for k in (0, 1))
        slope = velocity(x, now)
        x = x + length / 2 * (slope + velocity(x + length * slope, then))
    return x
