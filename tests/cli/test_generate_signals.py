import importlib.util
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pynwb
import pytest
from PIL import Image

from phosphene.cli.main import main as phosphene
from phosphene.data.formats.picture_files import read_picture_files
from phosphene.export.response_bundle import load_response_bundle

MODULE = "phosphene.cli.generate_signals"


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """Bundles of systems with and without pictures, not trained, and four pictures for them."""
    import torch

    from phosphene.export.networks import build_network
    from phosphene.export.picture_to_signal import PictureToSignal
    from phosphene.export.response_bundle import save_response_bundle
    from phosphene.training.seeding import seeded

    folder = tmp_path_factory.mktemp("probe")
    for name, size in (("bundle", (54, 69)), ("blind", None)):
        settings = {"n_chans": 3, "n_times": 313} | ({"size": list(size)} if size else {})
        spec = {"network": "LFPGenerator", "settings": settings}
        with seeded(0), torch.no_grad():
            generator = build_network(spec)
            norms = [layer for layer in generator.modules() if hasattr(layer, "momentum")]
            for layer in norms:
                layer.momentum = 1.0  # else norms do not know their input, and all is constant
            pictures = torch.randn(8, 1, 54, 69) if size else None
            generator(torch.randn(8, *generator.noise_shape), pictures)
        system = PictureToSignal(
            generator,
            picture_size=size,
            source_size=(108, 138) if size else None,
            ch_names=("top", "middle", "deep"),
            sfreq=1250.0,
            n_times=313,
            mean=2e-6,
            sd=1e-4,
        )
        more = {"recipe": "none", "name": "GAN", "citation": "", "area": "VISp", "generator": spec}
        save_response_bundle(folder / name, system, spec=more, card="Not trained.\n")
    rng = np.random.default_rng(0)
    (folder / "scenes").mkdir()
    for number in range(4):
        pixels = rng.integers(0, 256, (108, 138), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "scenes" / f"scene{number + 9}.png")
    return SimpleNamespace(folder=folder, bundle=folder / "bundle", scenes=folder / "scenes")


@pytest.fixture
def call(probe, tmp_path, capsys, monkeypatch):
    """Call the command; return its exit code, the folder, and what it said.

    The figure, which takes longest, is drawn where a test asks for it.
    """

    def call(*words, bundle=probe.bundle, out="out", figure=False):
        if not figure:
            monkeypatch.setattr(f"{MODULE}._write_figure", lambda path, *_, **__: path.touch())
        words = ["generate", str(bundle), *map(str, words), "--out", str(tmp_path / out)]
        code = phosphene(words)
        said = capsys.readouterr()
        return code, tmp_path / out, said.err + said.out

    return call


def test_writes_array_nwb_table_and_figure(probe, call):
    code, out, said = call("--images", probe.scenes, "--n", 3, figure=True)
    assert code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "generated.npy",
        "generated.nwb",
        "generated.png",
        "pictures.csv",
    ]
    windows = np.load(out / "generated.npy")
    assert windows.shape == (4, 3, 3, 313)
    np.testing.assert_allclose(windows.std((2, 3)), 1, atol=1e-3)
    table = pd.read_csv(out / "pictures.csv", keep_default_na=False)
    assert [name.split("/")[-1] for name in table["file"]] == [
        f"scene{k}.png" for k in range(9, 13)
    ]
    assert "4 x 3 windows of 3 channels x 313 samples, z-score" in said
    assert "generated, not recorded" in said
    assert said.splitlines()[-1].startswith(f"next     less {probe.bundle / 'README.md'}")
    with Image.open(out / "generated.png") as figure:
        assert figure.width > 500
    assert oct(out.stat().st_mode)[-3:] == "755"


@pytest.mark.parametrize("volts", [False, True])
def test_nwb_holds_the_array_in_its_unit(probe, call, volts):
    _, out, _ = call("--images", probe.scenes, "--n", 2, *(["--volts"] if volts else []))
    windows = np.load(out / "generated.npy")
    found = read_picture_files([probe.scenes], size=(108, 138))
    z = load_response_bundle(probe.bundle).system.draw(found.pixels, n_draws=2, seed=0)
    np.testing.assert_array_equal(windows, z * np.float32(1e-4) + np.float32(2e-6) if volts else z)
    with pynwb.NWBHDF5IO(str(out / "generated.nwb"), "r") as reader:
        file = reader.read()
        module = file.processing["ecephys"]
        series = (module["LFP"] if volts else module)["generated_lfp"]
        assert series.unit == ("volts" if volts else "z-score")
        np.testing.assert_array_equal(series.data[:], windows.transpose(0, 1, 3, 2).reshape(-1, 3))
        rows = file.intervals["generated_windows"].to_dataframe()
        assert rows["picture"].tolist() == [f"scene{k}.png" for k in (9, 9, 10, 10, 11, 11, 12, 12)]
        assert rows["draw"].tolist() == [0, 1] * 4
        np.testing.assert_allclose(rows["stop_time"] - rows["start_time"], 0.2504)
        assert "none, GAN, seed 0" in file.session_description
        assert file.electrodes["location"][0] == "VISp"
    assert pynwb.validate(path=str(out / "generated.nwb")) == []


def test_same_seed_same_bytes(probe, call):
    folders = [
        call("--images", probe.scenes / "scene9.png", "--n", 2, "--seed", seed, out=out)[1]
        for seed, out in ((1, "a"), (1, "b"), (2, "c"))
    ]
    first, second, third = ((folder / "generated.npy").read_bytes() for folder in folders)
    assert first == second
    assert first != third


def test_a_run_folder_stands_for_its_bundle(probe, call, tmp_path):
    shutil.copytree(probe.bundle, tmp_path / "run" / "bundle")
    (tmp_path / "run" / "scores.json").write_text("[]")
    words = ("--images", probe.scenes / "scene9.png", "--n", 1)
    code, _, said = call(*words, bundle=tmp_path / "run")
    assert code == 0
    assert f"next     phosphene evaluate {tmp_path / 'run'}" in said


def test_a_system_without_pictures_takes_none(probe, call):
    code, out, said = call("--n", 5, bundle=probe.folder / "blind")
    assert code == 0
    assert np.load(out / "generated.npy").shape == (1, 5, 3, 313)
    assert "signals  5 windows of 3 channels" in said
    code, _, said = call("--images", probe.scenes, bundle=probe.folder / "blind", out="two")
    assert code == 2
    assert "takes no pictures" in said
    assert "without --images" in said


def test_names_that_repeat_are_told_apart(probe, call, tmp_path):
    (tmp_path / "more").mkdir()
    shutil.copy(probe.scenes / "scene10.png", tmp_path / "more" / "scene9.png")
    words = (probe.scenes / "scene9.png", tmp_path / "more" / "scene9.png")
    _, out, _ = call("--images", *words, "--n", 1)
    with pynwb.NWBHDF5IO(str(out / "generated.nwb"), "r") as reader:
        rows = reader.read().intervals["generated_windows"].to_dataframe()
        assert rows["picture"].tolist() == [str(word) for word in words]


def test_without_pynwb_the_array_is_written_with_a_note(probe, call, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(f"{MODULE}.find_spec", lambda n: None if n == "pynwb" else find(n))
    code, out, said = call("--images", probe.scenes, "--n", 1)
    assert code == 0
    assert (out / "generated.npy").is_file()
    assert not (out / "generated.nwb").exists()
    assert "NWB      none, for pynwb is not installed" in said


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--signals", "x.csv"), "`--signals` is for bundles that make pictures from signals"),
        (("--signals", "x.csv"), "--images FILES --out DIR`"),
        ((), "`--images` is needed"),
        (("--images", "x", "--n-draws", "2"), "`--n-draws` is about pictures from signals"),
        (("--images", "x", "--events", "1=a"), "`--events` is about pictures from signals"),
        (("--images", "x", "--n", "0"), "`n` must be greater than 0"),
    ],
)
def test_wrong_use_writes_nothing(call, tmp_path, words, match):
    code, _, said = call(*words)
    assert code == 2
    assert match in said
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_another_size_and_too_many_windows_are_refused(probe, call, tmp_path):
    Image.new("L", (1174, 918)).save(tmp_path / "large.png")
    code, out, said = call("--images", tmp_path / "large.png")
    assert code == 1
    assert "must be 138 x 108 pixels (width x height)" in said
    assert "is 1174 x 918; crop it" in said
    code, out, said = call("--images", probe.scenes, "--n", 10**12)
    assert code == 1
    assert "take a smaller --n" in said
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["large.png"]


def test_an_interruption_leaves_nothing(probe, call, tmp_path, monkeypatch):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"{MODULE}._write_nwb", interrupt)
    code, _, _ = call("--images", probe.scenes, "--n", 1)
    assert code == 130
    assert list(tmp_path.iterdir()) == []
