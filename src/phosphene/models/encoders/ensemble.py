"""Several decoders of a trial side by side, as one encoder."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_at_least, check_finite, check_shape
from phosphene.models.encoders.compact_cnn import CompactCNN
from phosphene.models.encoders.tangent_space import TangentSpaceEncoder
from phosphene.models.layers import check_columns

CHUNK = 512
"""Trials that are encoded at a time when the members are joined."""


class ThinnedCNN(nn.Module):
    """A `CompactCNN` that sees every few samples only.

    Signals that were low-passed below half of the rate that is left say the same in fewer samples,
    and the network's work falls with the square of their number. Shifts that training draws before
    are still of single samples.

    Parameters
    ----------
    n_chans
        Electrodes per trial.
    n_times
        Samples per trial, before thinning.
    step
        Every how many samples are taken, without a filter.
    n_features, sfreq, n_filters, depth, n_maps, dropout
        As of `CompactCNN`; `sfreq` is that of the signals.
    """

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        *,
        step: int = 1,
        n_features: int = 32,
        sfreq: float = 128.0,
        n_filters: int = 8,
        depth: int = 4,
        n_maps: int = 32,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        check_at_least("step", step, 1)
        self.n_chans, self.n_times, self.step = n_chans, n_times, step
        self.n_features = n_features
        self.network = CompactCNN(
            n_chans,
            len(range(0, n_times, step)),
            n_features=n_features,
            sfreq=sfreq / step,
            n_filters=n_filters,
            depth=depth,
            n_maps=n_maps,
            dropout=dropout,
        )

    def forward(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Encode trials that were brought to unit scale."""
        check_columns("eeg", eeg, self.n_times, "samples", axis=2)
        return self.network(eeg[:, :, :: self.step])


class EnsembleEncoder(nn.Module):
    """Join the features of several members, so that one linear decoder averages their votes.

    Members are convolutional networks that differ in their start values and in what they saw when;
    the tangent space of covariances; and a linear discriminant of the samples. Each is fitted
    alone. Networks hand over their features, the other two one logit per class. All are
    standardised with training trials and stand in one vector; `join` returns the linear decoder on
    it whose logits are the mean of the members' logits, exactly, so that whatever takes an encoder
    and a linear decoder takes an ensemble.

    Parameters
    ----------
    n_chans
        Electrodes per trial.
    n_times
        Samples per trial.
    n_classes
        Classes.
    n_networks
        Convolutional networks.
    network_features
        Features of each.
    tangent_space
        Have a `TangentSpaceEncoder` among the members, read out by `tangent_head`.
    xdawn_filters
        Its `n_filters`.
    discriminant
        Have a linear map of the samples among the members, `discriminant_head`.
    step
        Every how many samples all members see.
    sfreq, n_filters, depth, n_maps, dropout
        Of the networks, see `CompactCNN`; `sfreq` is that of the signals.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        *,
        n_classes: int,
        n_networks: int = 5,
        network_features: int = 16,
        tangent_space: bool = True,
        xdawn_filters: int = 0,
        discriminant: bool = True,
        step: int = 1,
        sfreq: float = 128.0,
        n_filters: int = 8,
        depth: int = 4,
        n_maps: int = 32,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        check_at_least("n_classes", n_classes, 2)
        check_at_least("n_networks", n_networks, 0)
        check_at_least("step", step, 1)
        if not (n_networks or tangent_space or discriminant):
            raise ValueError(
                "an ensemble must have a member; got 0 networks, no tangent space and no "
                "discriminant. Set `n_networks` to 1 or more."
            )
        self.n_chans, self.n_times, self.n_classes, self.step = n_chans, n_times, n_classes, step
        self.networks = nn.ModuleList(
            ThinnedCNN(
                n_chans,
                n_times,
                step=step,
                n_features=network_features,
                sfreq=sfreq,
                n_filters=n_filters,
                depth=depth,
                n_maps=n_maps,
                dropout=dropout,
            )
            for _ in range(n_networks)
        )
        self.tangent_space: TangentSpaceEncoder | None = None
        if tangent_space:
            self.tangent_space = TangentSpaceEncoder(
                n_chans, n_times, n_classes=n_classes, n_filters=xdawn_filters, step=step
            )
            self.tangent_head = nn.Linear(self.tangent_space.n_features, n_classes)
        n_samples = n_chans * len(range(0, n_times, step))
        self.discriminant_head = nn.Linear(n_samples, n_classes) if discriminant else None
        self.n_features = n_networks * network_features
        self.n_features += n_classes * (bool(tangent_space) + bool(discriminant))
        self.register_buffer("mean", torch.zeros(self.n_features))
        self.register_buffer("scale", torch.ones(self.n_features))

    @property
    def members(self) -> list[str]:
        """Names of the members, in the order of their features."""
        names = [f"network {number}" for number in range(len(self.networks))]
        names += ["tangent space"] if self.tangent_space is not None else []
        return names + (["discriminant"] if self.discriminant_head is not None else [])

    def forward(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Encode trials that were brought to unit scale."""
        return (torch.cat(self.member_features(eeg), dim=1) - self.mean) / self.scale

    def member_features(
        self, eeg: Float[Tensor, "batch chan time"]
    ) -> list[Float[Tensor, "batch part"]]:
        """Return what each member hands over, not standardised."""
        check_columns("eeg", eeg, self.n_chans, "channels")
        check_columns("eeg", eeg, self.n_times, "samples", axis=2)
        parts = [network(eeg) for network in self.networks]
        if self.tangent_space is not None:
            parts.append(self.tangent_head(self.tangent_space(eeg)))
        if self.discriminant_head is not None:
            parts.append(self.discriminant_head(eeg[:, :, :: self.step].flatten(1)))
        return parts

    @torch.no_grad()
    def join(
        self,
        signals: Float[Tensor, "trial chan time"],
        heads: Sequence[tuple[Tensor, Tensor]],
        *,
        shares: Sequence[float] | None = None,
    ) -> tuple[Float[Tensor, "class feature"], Float[Tensor, " class"]]:
        """Measure mean and scale of the features, and return the decoder that averages all votes.

        Parameters
        ----------
        signals
            Training trials, as the members saw them.
        heads
            Weight and bias of each network's classifier, from its features to logits.
        shares
            Weight of each member in the mean, in the order of `members`; equal if None.

        Returns
        -------
        tuple of Tensor
            Weight and bias, float64: `features @ weight.T + bias` is the mean of the logits.

        Raises
        ------
        ValueError
            For another number of heads or shares than there are networks or members, or heads of
            another size.
        """
        heads = [(weight.double(), bias.double()) for weight, bias in heads]
        _check_number("heads", len(heads), "networks", len(self.networks))
        for network, (weight, bias) in zip(self.networks, heads, strict=True):
            size = (self.n_classes, int(network.n_features))  # pyright: ignore[reportArgumentType]
            check_shape("weight", tuple(weight.shape), size, "class feature")
            check_shape("bias", tuple(bias.shape), size[:1], "class")
        identity = torch.eye(self.n_classes, dtype=torch.float64)
        n_others = len(self.members) - len(heads)
        heads += [(identity, torch.zeros(self.n_classes, dtype=torch.float64))] * n_others
        shares = [1.0] * len(heads) if shares is None else shares
        _check_number("shares", len(shares), "members", len(heads))
        check_finite("shares", shares)
        if min(shares) < 0 or not sum(shares):
            raise ValueError(
                f"`shares` must not be negative, and not all be zero; got {list(shares)}. "
                "Give 1.0 to each member that votes."
            )

        self.eval()
        parts = [torch.cat(self.member_features(part), dim=1) for part in signals.split(CHUNK)]
        features = torch.cat(parts)
        scale = features.std(0, correction=0)
        scale[scale < 1e-6 * scale.max().clamp(min=1e-12)] = 1.0
        self.mean, self.scale = features.mean(0), scale

        weights = [s / sum(shares) * head[0] for s, head in zip(shares, heads, strict=True)]
        weight = torch.cat(weights, dim=1)
        bias = sum(s / sum(shares) * head[1] for s, head in zip(shares, heads, strict=True))
        return weight * self.scale.double(), bias + weight @ self.mean.double()


def _check_number(name: str, found: int, things: str, expected: int) -> None:
    if found != expected:
        raise ValueError(
            f"`{name}` must be as many as the {expected} {things}; got {found}. Give one for each."
        )
