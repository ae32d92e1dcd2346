import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from phosphene.augment.corruption import parse_corruption
from phosphene.cli import restore
from phosphene.cli.main import main as phosphene
from phosphene.training.seeding import seeded_generator

SIZE = (12, 10)
COLUMNS = ["picture", "file", "width", "height", "converted", "sha256", "restored"]


@pytest.fixture
def pictures(tmp_path):
    """A folder of three grey pictures of the model's size."""
    folder = tmp_path / "given"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        pixels = rng.integers(0, 256, SIZE, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"digit{number + 9}.png")
    return folder


@pytest.fixture
def call(restorer, tmp_path, capsys):
    """Call the command; return its exit code, the folder, and what it said."""

    def call(*words, bundle=restorer.folder, out="out"):
        code = phosphene(["restore", str(bundle), *map(str, words), "--out", str(tmp_path / out)])
        said = capsys.readouterr()
        return code, tmp_path / out, said.err + said.out

    return call


def pixels_of(path, size=SIZE):
    """Return the pixels of a written picture, which is enlarged by a whole number."""
    with Image.open(path) as picture:
        small = picture.resize(size[::-1], Image.Resampling.BOX)
        return np.asarray(small)


def network_input(folder):
    """Return the pictures of a folder as the network takes them."""
    pixels = np.stack([pixels_of(path) for path in folder])
    return pixels[:, None].astype(np.float32) / 255


def test_writes_what_the_network_makes_a_table_and_a_grid(restorer, pictures, call):
    code, out, said = call("--images", pictures)
    assert code == 0, said
    assert sorted(path.name for path in out.iterdir()) == ["grid.png", "restored", "restored.csv"]
    names = ["digit9.png", "digit10.png", "digit11.png"]
    table = pd.read_csv(out / "restored.csv", keep_default_na=False)
    assert list(table) == COLUMNS
    assert table["restored"].tolist() == [f"restored/{name}" for name in names]
    given = network_input([pictures / name for name in names])
    made = restorer.system.restore(given)[:, 0]
    for name, picture in zip(names, made, strict=True):
        np.testing.assert_array_equal(
            pixels_of(out / "restored" / name), (picture * 255).round().astype(np.uint8)
        )
    assert "restored  3 pictures, 10 x 12 pixels, grey" in said
    assert "trained   on lower_half+salt_pepper:0.1; other losses" in said
    assert "not recovered" in said
    assert "RMSE" not in said
    assert said.splitlines()[-1].startswith(f"next      less {restorer.folder / 'README.md'}")
    assert oct(out.stat().st_mode)[-3:] == "755"


def test_corrupts_first_and_says_how_far_each_is_from_the_original(restorer, pictures, call):
    code, out, said = call("--images", pictures, "--corrupt", "lower_half", "--seed", 3)
    assert code == 0, said
    original = network_input([pictures / "digit9.png"])[0, 0]
    corrupted = pixels_of(out / "corrupted" / "digit9.png") / 255
    assert (corrupted[6:] == 0).all()
    np.testing.assert_allclose(corrupted[:6], original[:6])
    restored = pixels_of(out / "restored" / "digit9.png") / 255
    row = pd.read_csv(out / "restored.csv").iloc[0]
    for kind, shown in (("corrupted", corrupted), ("restored", restored)):
        errors = np.square(shown - original)
        assert row[f"rmse_{kind}"] == pytest.approx(np.sqrt(errors.mean()), abs=1e-5)
        assert row[f"rmse_missing_{kind}"] == pytest.approx(np.sqrt(errors[6:].mean()), abs=1e-5)
    table = pd.read_csv(out / "restored.csv")
    means = [table[f"rmse_missing_{kind}"].mean() for kind in ("restored", "corrupted")]
    line = "RMSE      {:.4f} restored, {:.4f} corrupted: missing part, mean over 3 pictures"
    assert line.format(*means) in said
    assert "corrupted lower_half, seed 3" in said
    assert "trained   on lower_half+salt_pepper:0.1" in said


def test_draws_of_a_picture_do_not_depend_on_those_that_follow(pictures, call, monkeypatch):
    monkeypatch.setattr(restore, "AT_ONCE", 2)
    words = ("--corrupt", "trained", "--seed", 1)
    _, every, said = call("--images", pictures, *words)
    assert "other losses" not in said  # it was trained on this
    _, one, _ = call("--images", pictures / "digit9.png", *words, out="one")
    for kind in ("corrupted", "restored"):
        first, alone = (folder / kind / "digit9.png" for folder in (every, one))
        assert first.read_bytes() == alone.read_bytes()
    rng = seeded_generator(1, "corruption", 2)
    import torch

    image = torch.from_numpy(network_input([pictures / "digit11.png"]))
    expected = parse_corruption("lower_half+salt_pepper:0.1")(image, generator=rng)
    found = pixels_of(every / "corrupted" / "digit11.png") / 255
    np.testing.assert_allclose(found, expected.images[0, 0], atol=1e-6)


def test_without_a_missing_part_there_is_no_error_of_it(pictures, call):
    _, out, said = call("--images", pictures, "--corrupt", "white_noise:0.1")
    assert "whole picture" in said
    assert "missing part" not in said
    assert pd.read_csv(out / "restored.csv")["rmse_missing_restored"].isna().all()


def test_says_what_was_done_to_pictures_of_other_sizes(pictures, call):
    Image.new("L", (30, 36), 99).save(pictures / "digit10.png")
    Image.new("L", (40, 30), 99).save(pictures / "digit11.jpg")
    code, out, said = call("--images", pictures, "--invert")
    assert code == 0
    assert "1 of 4 resized to 10 x 12\n" in said
    assert "1 of 4 resized to 10 x 12 and stretched: their sides have another ratio" in said
    assert "4 of 4 inverted" in said
    table = pd.read_csv(out / "restored.csv")
    assert table["restored"].str.endswith("digit11.png").sum() == 2  # .png and .jpg
    assert table["restored"].nunique() == 4
    assert all((out / name).is_file() for name in table["restored"])


def test_the_grid_shows_original_corrupted_and_restored(pictures, call):
    _, out, _ = call("--images", pictures / "digit9.png", "--corrupt", "lower:1")
    with Image.open(out / "grid.png") as grid:
        pixels = np.asarray(grid.convert("L"))
    original = np.asarray(Image.open(pictures / "digit9.png")).repeat(8, 0).repeat(8, 1)
    black = np.zeros_like(original)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, original.shape)
    places = [
        np.argwhere((windows[:, :, ::40, ::40] == shown[::40, ::40]).all((2, 3)))
        for shown in (original, black)
    ]
    first, second = (found[0] for found in places)
    assert first[0] == second[0]
    assert first[1] < second[1]


def test_a_run_folder_stands_for_its_bundle(restorer, pictures, call, tmp_path):
    shutil.copytree(restorer.folder, tmp_path / "run" / "bundle")
    (tmp_path / "run" / "scores.json").write_text("[]")
    code, _, said = call("--images", pictures, bundle=tmp_path / "run")
    assert code == 0
    assert f"next      phosphene evaluate {tmp_path / 'run'}" in said


def truncate(path):
    path.write_bytes(path.read_bytes()[:60])


def color(path):
    Image.new("RGB", SIZE[::-1], "red").save(path)


def animate(path):
    frames = [Image.new("L", SIZE[::-1], level) for level in (0, 200)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def bomb(path):
    """Write 56 million black pixels: a file of 7 kB."""
    Image.new("1", (8000, 7000)).save(path)
    assert path.stat().st_size < 10_000


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda path: path.write_text("no picture"), "inside; "),
        (truncate, "cannot be decoded"),
        (color, "trained on, grey (1 channel); "),
        (animate, "is animated; save one"),
        (bomb, "may have 50000000 pixels; it has 56000000"),
        (lambda path: path.rename(path.with_suffix(".gif")), "got "),
        (lambda path: [each.unlink() for each in path.parent.iterdir()], "holds none"),
        (lambda path: shutil.rmtree(path.parent), "nothing at"),
    ],
)
def test_refuses_hostile_pictures_and_leaves_nothing(pictures, call, tmp_path, spoil, match):
    spoil(pictures / "digit10.png")
    code, out, said = call("--images", pictures)
    assert code == 1
    assert match in said
    assert said.count("\n") == 1
    assert not out.exists()
    assert not list(tmp_path.glob(".out.*"))


def test_colored_pictures_become_grey_if_asked_to(pictures, call):
    color(pictures / "digit10.png")
    code, out, said = call("--images", pictures, "--convert")
    assert code == 0
    assert "1 of 3 made grey" in said
    assert pd.read_csv(out / "restored.csv")["converted"].fillna("").tolist() == [
        "",
        "from RGB",
        "",
    ]


def test_a_network_of_colors_takes_colors_and_repeats_grey_if_asked_to(call, pictures, tmp_path):
    from phosphene.export.networks import build_network
    from phosphene.export.picture_to_picture import PictureToPicture
    from phosphene.export.restoration_bundle import save_restoration_bundle

    spec = {"network": "CNNLSTM", "settings": {"size": [12, 10], "color": 3, "hidden": 5}}
    system = PictureToPicture(
        build_network(spec), size=SIZE, color=3, corruption="rectangle:0,0,0.5,0.5"
    )
    save_restoration_bundle(tmp_path / "colored", system, spec={"network": spec}, card="")
    words = {"bundle": tmp_path / "colored"}
    code, _, said = call("--images", pictures, **words)
    assert code == 1
    assert "RGB (3 channels); " in said
    assert "is grey (1 channel); --convert repeats its channel" in said
    color(pictures / "digit10.png")
    code, out, said = call("--images", pictures, "--convert", "--corrupt", "trained", **words)
    assert code == 0
    assert "2 of 3 made RGB" in said
    with Image.open(out / "corrupted" / "digit10.png") as picture:
        small = np.asarray(picture)[::10, ::10]
    assert (small[:6, :5] == 0).all()
    assert (small[6:] == [255, 0, 0]).all()
    with Image.open(out / "restored" / "digit10.png") as picture:
        assert picture.mode == "RGB"


def test_refuses_folders_that_are_full_or_cannot_be_made(pictures, call, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("mine")
    code, out, said = call("--images", pictures, out="full")
    assert (code, [path.name for path in out.iterdir()]) == (2, ["a.txt"])
    assert "must be new or empty" in said
    code, _, said = call("--images", pictures, out="full/a.txt")
    assert code == 2
    code, _, said = call("--images", pictures, out="full/a.txt/results")
    assert code == 1
    assert "`--out` must lie in a folder that can be written" in said


def test_an_empty_folder_is_filled_and_pictures_given_are_never_overwritten(pictures, call):
    before = {path.name: path.read_bytes() for path in pictures.iterdir()}
    code, _, said = call("--images", pictures, out="given")
    assert code == 2
    assert "must be new or empty" in said
    (pictures.parent / "out").mkdir()
    assert call("--images", pictures)[0] == 0
    assert {path.name: path.read_bytes() for path in pictures.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--corrupt", "lower_hal"], "Did you mean 'lower_half'"),
        (["--corrupt", "salt_pepper:2"], "Correct --corrupt, "),
    ],
)
def test_refuses_corruptions_that_there_are_not(pictures, call, words, match):
    code, out, said = call("--images", pictures, *words)
    assert code == 2
    assert match in said
    assert not out.exists()


def test_refuses_other_bundles_and_no_pictures(lab, call, restorer, pictures, capsys, tmp_path):
    code, _, said = call("--images", pictures, bundle=lab / "bundle")
    assert code == 2
    assert "needs a bundle that restores pictures" in said
    assert "phosphene generate" in said
    code, _, said = call()
    assert code == 2
    assert "`--images` is needed" in said
    words = ["generate", str(restorer.folder), "--signals", "x", "--out", str(tmp_path / "y")]
    assert phosphene(words) == 2
    assert "call `phosphene restore" in capsys.readouterr().err


def test_stopping_leaves_nothing(pictures, call, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(restore, "_write_grid", stop)
    code, out, _ = call("--images", pictures)
    assert code == 130
    assert not out.exists()
    assert not list(tmp_path.glob(".out.*"))
