from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def responders(tmp_path_factory):
    """Two systems from picture to signal, not trained, and their bundles: with, without pictures.

    Windows depend on noise and picture. Tests that spoil a bundle copy it first.
    """
    import torch

    from phosphene.export.networks import build_network
    from phosphene.export.picture_to_signal import PictureToSignal
    from phosphene.export.response_bundle import save_response_bundle
    from phosphene.training.seeding import seeded

    folder = tmp_path_factory.mktemp("responders")
    names = {"recipe": "none", "citation": "Nobody 2020", "name": "GAN", "fold": "pictures"}
    systems = {}
    for name, size in (("with", (54, 69)), ("without", None)):
        settings = {"n_chans": 4, "n_times": 313} | ({"size": list(size)} if size else {})
        spec = {"network": "LFPGenerator", "settings": settings}
        with seeded(0), torch.no_grad():
            generator = build_network(spec, kind="generators")
            norms = [layer for layer in generator.modules() if hasattr(layer, "momentum")]
            for layer in norms:
                layer.momentum = 1.0  # else norms do not know their input, and all is constant
            noise, pictures = torch.randn(8, *generator.noise_shape), torch.randn(8, 1, 54, 69)
            generator.train()(noise, pictures if size else None)
            for layer in norms:
                layer.momentum = 0.1
        systems[name] = PictureToSignal(
            generator,
            picture_size=size,
            source_size=(108, 138) if size else None,
            ch_names=("top", "upper", "lower", "deep"),
            sfreq=1250.0,
            n_times=313,
            mean=2e-6,
            sd=1e-4,
        )
        bundle_spec = {**names, "generator": spec}
        save_response_bundle(folder / name, systems[name], spec=bundle_spec, card="Not trained.\n")
    return SimpleNamespace(folder=folder, **{f"{k}_pictures": v for k, v in systems.items()})
