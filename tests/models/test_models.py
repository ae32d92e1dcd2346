"""What all networks promise, whatever they are inside."""

import pytest
import torch

from phosphene.models.autoencoders.lfp_picture import (
    SMALL_SIZE,
    LFPPictureDecoder,
    LFPPictureEncoder,
)
from phosphene.models.autoencoders.lfp_signal import SignalDecoder, SignalEncoder
from phosphene.models.autoencoders.picture_vae import PictureEncoder
from phosphene.models.classifiers.lfp_cnn import LFPCNN
from phosphene.models.classifiers.picture_cnn import PictureCNN
from phosphene.models.discriminators.brain2image import Brain2ImageDiscriminator
from phosphene.models.discriminators.dcgan import DCGANDiscriminator
from phosphene.models.discriminators.lfpgan import Combination
from phosphene.models.discriminators.projection import ProjectionDiscriminator
from phosphene.models.discriminators.thoughtviz import (
    ThoughtVizGlyphDiscriminator,
    ThoughtVizImageDiscriminator,
)
from phosphene.models.encoders.compact_cnn import CompactCNN
from phosphene.models.encoders.eeg_channel_net import EEGChannelNet
from phosphene.models.encoders.human_mind_lstm import HumanMindLSTM
from phosphene.models.encoders.lstm import LSTMEncoder
from phosphene.models.encoders.thoughtviz_cnn import ThoughtVizCNN
from phosphene.models.encoders.transformer import TransformerEncoder
from phosphene.models.generators.brain2image import Brain2ImageGenerator
from phosphene.models.generators.dcgan import DCGANGenerator
from phosphene.models.generators.lfpgan import RandomInput
from phosphene.models.generators.thoughtviz import (
    ThoughtVizGlyphGenerator,
    ThoughtVizImageGenerator,
)
from phosphene.models.generators.upsampling import UpsamplingGenerator
from phosphene.models.restoration.cnn_cnn import CNNCNN
from phosphene.models.restoration.cnn_lstm import CNNLSTM
from phosphene.models.restoration.conv_encoder import ConvEncoder
from phosphene.models.restoration.restoration_network import RestorationNetwork

N_CHANS, N_TIMES, N_FEATURES, SIZE = 3, 40, 6, 16


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


class ImageJudgement(ThoughtVizImageDiscriminator):
    """Both answers in one tensor."""

    def forward(self, images):
        logit, class_logits = super().forward(images)
        return torch.cat([logit[:, None], class_logits], 1)


class GlyphJudgement(ThoughtVizGlyphDiscriminator):
    """Both answers in one tensor."""

    def forward(self, images):
        logit, class_logits = super().forward(images)
        return torch.cat([logit[:, None], class_logits], 1)


NETWORKS = {
    "lstm": (
        lambda: LSTMEncoder(N_CHANS, n_features=N_FEATURES, hidden=(4,)),
        [(N_CHANS, N_TIMES)],
        (N_FEATURES,),
    ),
    "compact_cnn": (
        lambda: CompactCNN(N_CHANS, N_TIMES, n_features=N_FEATURES, dropout=0.0),
        [(N_CHANS, N_TIMES)],
        (N_FEATURES,),
    ),
    "human_mind_lstm": (
        lambda: HumanMindLSTM(N_CHANS, n_features=N_FEATURES, n_hidden=4),
        [(N_CHANS, N_TIMES)],
        (N_FEATURES,),
    ),
    "eeg_channel_net": (
        lambda: EEGChannelNet(N_CHANS, N_TIMES, n_features=N_FEATURES, dropout=0.0),
        [(N_CHANS, N_TIMES)],
        (N_FEATURES,),
    ),
    "transformer": (
        lambda: TransformerEncoder(N_CHANS, N_TIMES, n_features=N_FEATURES, dropout=0.0),
        [(N_CHANS, N_TIMES)],
        (N_FEATURES,),
    ),
    "thoughtviz_cnn": (
        lambda: ThoughtVizCNN(N_CHANS, N_TIMES, n_features=N_FEATURES),
        [(N_CHANS, N_TIMES)],
        (N_FEATURES,),
    ),
    "thoughtviz_image_generator": (
        lambda: ThoughtVizImageGenerator(n_noise=5, n_features=N_FEATURES, size=SIZE, width=4),
        [(5,), (N_FEATURES,)],
        (3, SIZE, SIZE),
    ),
    "thoughtviz_glyph_generator": (
        lambda: ThoughtVizGlyphGenerator(n_noise=5, n_features=N_FEATURES, size=SIZE, width=4),
        [(5,), (N_FEATURES,)],
        (1, SIZE, SIZE),
    ),
    "thoughtviz_image_discriminator": (
        lambda: ImageJudgement(size=SIZE, width=4, n_classes=3),
        [(3, SIZE, SIZE)],
        (4,),
    ),
    "thoughtviz_glyph_discriminator": (
        lambda: GlyphJudgement(size=SIZE, width=4, n_classes=3),
        [(1, SIZE, SIZE)],
        (4,),
    ),
    "generator": (
        lambda: DCGANGenerator(n_noise=5, n_features=N_FEATURES, size=SIZE, color=1, width=4),
        [(5,), (N_FEATURES,)],
        (1, SIZE, SIZE),
    ),
    "discriminator": (
        lambda: DCGANDiscriminator(n_features=N_FEATURES, size=SIZE, color=1, width=4),
        [(1, SIZE, SIZE), (N_FEATURES,)],
        (),
    ),
    "upsampling_generator": (
        lambda: UpsamplingGenerator(n_noise=5, n_features=N_FEATURES, size=SIZE, color=1, width=4),
        [(5,), (N_FEATURES,)],
        (1, SIZE, SIZE),
    ),
    "projection_discriminator": (
        lambda: ProjectionDiscriminator(n_features=N_FEATURES, size=SIZE, color=1, width=4),
        [(1, SIZE, SIZE), (N_FEATURES,)],
        (),
    ),
    "brain2image_generator": (
        lambda: Brain2ImageGenerator(n_noise=5, n_features=N_FEATURES, size=SIZE, color=1, width=4),
        [(5,), (N_FEATURES,)],
        (1, SIZE, SIZE),
    ),
    "brain2image_discriminator": (
        lambda: Brain2ImageDiscriminator(n_features=N_FEATURES, size=SIZE, color=1, width=4),
        [(1, SIZE, SIZE), (N_FEATURES,)],
        (),
    ),
    "picture_encoder": (
        lambda: PictureEncoder(n_noise=5, n_features=N_FEATURES, size=SIZE, color=1, width=4),
        [(1, SIZE, SIZE), (N_FEATURES,)],
        (2, 5),
    ),
    "picture_cnn": (
        lambda: PictureCNN(4, size=SIZE, color=1, width=8),
        [(1, SIZE, SIZE)],
        (4,),
    ),
    "signal_encoder": (
        lambda: SignalEncoder(N_CHANS, 230),
        [(N_CHANS, 230)],
        (10, 32),
    ),
    "signal_decoder": (
        lambda: SignalDecoder(N_CHANS, 230),
        [(10, 32)],
        (N_CHANS, 230),
    ),
    "random_input": (
        lambda: RandomInput(230),
        [(3, 230)],
        (10, 32),
    ),
    "combination": (
        lambda: Combination(n_latent=100, norm="none", dropout=0.0),
        [(10, 100)],
        (),
    ),
    "lfp_picture_encoder": (
        lambda: LFPPictureEncoder(SMALL_SIZE),
        [(1, *SMALL_SIZE)],
        (2, 115),
    ),
    "lfp_picture_decoder": (
        lambda: LFPPictureDecoder(SMALL_SIZE),
        [(2, 115)],
        (1, *SMALL_SIZE),
    ),
    "lfp_cnn": (
        lambda: LFPCNN(4, n_chans=N_CHANS, n_times=N_TIMES, width=8),
        [(N_CHANS, N_TIMES)],
        (4,),
    ),
    "conv_encoder": (
        lambda: ConvEncoder((6, 7), n_code=5),
        [(1, 6, 7)],
        (5,),
    ),
    "cnn_lstm": (
        lambda: CNNLSTM((6, 7), 2, n_code=5, hidden=4, n_layers=2),
        [(2, 6, 7)],
        (2, 6, 7),
    ),
    "cnn_cnn": (
        lambda: CNNCNN((6, 7), 2, n_code=5),
        [(2, 6, 7)],
        (2, 6, 7),
    ),
    "restoration_network": (
        lambda: RestorationNetwork((6, 7), 2, hidden=8, n_context=3, width=4, dropout=0.0),
        [(2, 6, 7)],
        (2, 6, 7),
    ),
}


@pytest.fixture(params=NETWORKS)
def case(request):
    build, shapes, output = NETWORKS[request.param]
    torch.manual_seed(0)
    return build(), [draw(7, *shape) for shape in shapes], output


def test_output_has_the_promised_shape(case):
    network, inputs, output = case
    for mode in (True, False):
        result = network.train(mode)(*inputs)
        assert result.shape == (7, *output)
        assert result.dtype == torch.float32
        assert result.isfinite().all()


def test_rows_do_not_see_each_other_in_evaluation(case):
    network, inputs, _ = case
    network.eval()
    whole = network(*inputs)
    alone = network(*(tensor[2:3] for tensor in inputs))
    torch.testing.assert_close(whole[2:3], alone, rtol=1e-4, atol=1e-5)


def test_every_trained_value_gets_a_gradient(case):
    network, inputs, _ = case
    network.train()
    output = network(*inputs)
    (output * torch.randn_like(output)).sum().backward()
    missing = [
        name
        for name, value in network.named_parameters()
        if value.requires_grad and value.grad is None
    ]
    assert missing == []


def test_output_follows_the_input(case):
    network, inputs, _ = case
    network.eval()
    before = network(*inputs)
    for place in range(len(inputs)):
        changed = [tensor + (index == place) for index, tensor in enumerate(inputs)]
        assert not torch.equal(network(*changed), before)


def test_state_goes_through_a_state_dict(case):
    network, inputs, _ = case
    network.train()(*inputs)  # moves running statistics
    twin = NETWORKS_BY_TYPE[type(network)]()
    twin.load_state_dict(network.state_dict())
    torch.testing.assert_close(twin.eval()(*inputs), network.eval()(*inputs), rtol=0, atol=0)


def test_wrong_widths_are_refused_with_a_remedy(case):
    network, inputs, _ = case
    for place in range(len(inputs)):
        wrong = [
            torch.cat([tensor, tensor], 1) if index == place else tensor
            for index, tensor in enumerate(inputs)
        ]
        with pytest.raises(ValueError, match=r"must have \d+ .*; got the shape .*\. Select"):
            network(*wrong)


NETWORKS_BY_TYPE = {type(build()): build for build, _, _ in NETWORKS.values()}
