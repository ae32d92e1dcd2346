import numpy as np
import pytest
from PIL import Image

from phosphene.cli.data_simulate_lfp import main
from phosphene.cli.main import main as phosphene

FEW = ["--n-chans", "8", "--spacing", "1e-4", "--picture-shape", "48", "60"]
FEW += ["--n-repeats", "2", "--rest", "2"]


def test_writes_a_session_and_names_the_next_command(tmp_path, capsys):
    out = tmp_path / "session"
    main(["--out", str(out), "--n-pictures", "5", *FEW])
    assert sorted(path.name for path in out.iterdir()) == [
        "natural_scenes",
        "probe_0_lfp.nwb",
        "session.nwb",
        "true_responses.npz",
    ]
    said, heard = capsys.readouterr()
    assert "8 channels in VISp and 4 below it" in said
    assert f"next       phosphene data import-lfp {out}/session.nwb --probe" in said
    assert f"--true-responses {out}/true_responses.npz" in said
    assert "drawing pictures" in heard


def test_own_pictures_are_shown_in_the_order_of_their_names(tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in (1, 2, 10):
        pixels = np.full((60, 60), 20 * index, np.uint8)
        Image.fromarray(pixels).save(folder / f"scene{index}.png")
    main(["--out", str(tmp_path / "session"), "--images", str(folder), *FEW])
    assert "pictures   3 of 48 x 60 pixels" in capsys.readouterr().out
    shown = sorted((tmp_path / "session" / "natural_scenes").iterdir())
    assert [path.name for path in shown] == [f"natural_scene_{index:03d}.png" for index in range(3)]
    values = []
    for path in shown:
        with Image.open(path) as picture:
            assert picture.size == (60, 48)
            values.append(np.asarray(picture).mean())
    np.testing.assert_allclose(values, [20, 40, 200], atol=1)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--n-chanels", "9"], 2, "--n-chans"),
        (["--effect", "-1"], 2, "must be at least 0"),
        (["--n-chans", "4"], 1, "must span a mouse's cortex"),
        (["--images", "nowhere"], 1, "correct --images"),
    ],
)
def test_wrong_use_writes_nothing(tmp_path, capfd, options, code, says):
    out = ["--out", str(tmp_path / "session")]
    assert phosphene(["data", "simulate-lfp", *out, *options]) == code
    assert says in " ".join(capfd.readouterr().err.split())
    assert not list(tmp_path.iterdir())
