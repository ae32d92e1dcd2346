"""A small transformer encoder: patches of time as tokens."""

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.layers import check_columns


class TransformerEncoder(nn.Module):
    """Let short patches of a trial attend to each other, and map their mean to the features.

    No layer table exists for this encoder; the choices and their reasons:

    - A token is a patch of all channels (ViT's linear patch embedding), so that its map is a
      spatial and temporal filter at once. Evoked responses change within tens of milliseconds:
      patches last 1/32 s. The end of a trial that fills no patch is filled up with zeros, the mean
      of scaled signals.
    - Positions are learned vectors, one per patch: latencies are locked to the stimulus, so that
      the time since it is the information. They start as large as tokens do (deviation 0.5): from
      ViT's 0.02 two latencies are not told apart in a hundred trials, see the tests.
    - Blocks normalise before attention and before the feed-forward part (Xiong et al., 2020), which
      trains without a long warm-up.
    - The mean of the tokens is taken, not a class token: with a few hundred trials per class all
      patches then learn from every trial.
    - Two blocks of width 64: 78,000 to 94,000 values with 4 to 64 channels, about as many as the
      published LSTM encoder of EEG2Image.

    Parameters
    ----------
    n_chans
        Electrodes per trial.
    n_times
        Samples per trial.
    n_features
        Length of the embedding.
    sfreq
        Samples per second.
    patch_s
        Length of a patch in seconds, rounded to samples.
    width
        Length of a token, a multiple of `n_heads`.
    n_layers
        Blocks.
    n_heads
        Attention patterns per block.
    dropout
        Share of values dropped from the tokens and from what each half of a block adds.

    Raises
    ------
    ValueError
        If the width is no multiple of the heads, or there is no block.

    References
    ----------
    Vaswani et al., NeurIPS 2017, https://arxiv.org/abs/1706.03762; Dosovitskiy et al., ICLR 2021,
    https://arxiv.org/abs/2010.11929; Xiong et al., ICML 2020, https://arxiv.org/abs/2002.04745
    """

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        *,
        n_features: int = 128,
        sfreq: float = 128.0,
        patch_s: float = 1 / 32,
        width: int = 64,
        n_layers: int = 2,
        n_heads: int = 4,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_positive("n_layers", n_layers)
        check_positive("n_heads", n_heads)
        if width < 1 or width % n_heads:
            raise ValueError(
                f"`width` must be a multiple of the {n_heads} heads; got {width}. "
                f"Take {max(1, width // n_heads) * n_heads}."
            )
        self.n_chans, self.n_times, self.n_features = n_chans, n_times, n_features
        self.n_patch = min(max(1, round(patch_s * sfreq)), n_times)
        n_tokens = -(-n_times // self.n_patch)
        self.embed = nn.Linear(n_chans * self.n_patch, width)
        self.positions = nn.Parameter(torch.empty(n_tokens, width))
        nn.init.normal_(self.positions, std=0.5)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            _Block(width, n_heads=n_heads, dropout=dropout) for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, n_features)

    def forward(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Encode trials that were brought to unit scale."""
        check_columns("eeg", eeg, self.n_chans, "channels")
        check_columns("eeg", eeg, self.n_times, "samples", axis=2)
        missing = len(self.positions) * self.n_patch - self.n_times
        patches = F.pad(eeg, (0, missing)).unfold(2, self.n_patch, self.n_patch)
        patches = patches.transpose(1, 2).flatten(2)  # (batch, token, chan * sample)
        tokens = self.dropout(self.embed(patches) + self.positions)
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(self.norm(tokens).mean(1))


class _Block(nn.Module):
    """Attention, then a feed-forward part of twice the width, each normalised first and added."""

    def __init__(self, width: int, *, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm1 = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, tokens: Float[Tensor, "batch token width"]
    ) -> Float[Tensor, "batch token width"]:
        batch, n_tokens, width = tokens.shape
        asked = self.ask(self.norm1(tokens)).view(batch, n_tokens, 3, self.n_heads, -1)
        query, key, value = asked.permute(2, 0, 3, 1, 4)  # each (batch, head, token, part)
        seen = F.scaled_dot_product_attention(query, key, value)
        seen = self.answer(seen.transpose(1, 2).reshape(batch, n_tokens, width))
        tokens = tokens + self.dropout(seen)
        return tokens + self.dropout(self.narrow(F.gelu(self.widen(self.norm2(tokens)))))
