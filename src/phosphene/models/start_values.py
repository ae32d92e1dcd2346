"""Start values of networks that were published in Keras."""

from torch import nn


def glorot_uniform_(network: nn.Module) -> None:
    """Draw weights of convolutions and linear maps by Glorot's uniform law; biases are zero.

    Keras starts so unless told otherwise. Weights lie within sqrt(6 / (fan_in + fan_out)).

    References
    ----------
    Glorot and Bengio, AISTATS 2010, https://proceedings.mlr.press/v9/glorot10a.html
    """
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
