import subprocess
import sys

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from phosphene.evaluation.pictures import within_class_diversity


def slow_ssim(first, second):
    """Structural similarity of two pictures, formula by formula, borders mirrored."""
    values = []
    for color in range(first.shape[2]):
        x, y = (picture[..., color].astype(float) / 255 for picture in (first, second))

        def blur(picture):
            return gaussian_filter(picture, 1.5, truncate=3.5, mode="mirror")

        mx, my = blur(x), blur(y)
        vx, vy, cov = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
        c1, c2 = 0.01**2, 0.03**2
        top = (2 * mx * my + c1) * (2 * cov + c2)
        values.append(top / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    return np.mean(values)


@pytest.mark.parametrize("color", [1, 3])
def test_agrees_with_the_formula(color):
    pictures = np.random.default_rng(0).integers(0, 256, (4, 16, 14, color), dtype=np.uint8)
    pictures[1] = pictures[0] // 2 + 60
    labels = np.array([0, 0, 1, 1])
    found = within_class_diversity(pictures, labels, method="x")
    expected = [slow_ssim(pictures[0], pictures[1]), slow_ssim(pictures[2], pictures[3])]
    assert found.value == pytest.approx(np.mean(expected), abs=1e-4)


def test_collapse_gives_one_and_noise_little():
    rng = np.random.default_rng(1)
    one = rng.integers(0, 256, (1, 12, 12, 1), dtype=np.uint8)
    labels = np.repeat([0, 1], 10)
    collapsed = within_class_diversity(np.repeat(one, 20, axis=0), labels, method="x")
    noise = rng.integers(0, 256, (20, 12, 12, 1), dtype=np.uint8)
    varied = within_class_diversity(noise, labels, method="x")
    assert collapsed.value == pytest.approx(1, abs=1e-5)
    assert varied.value < 0.2
    assert not varied.higher_is_better
    assert varied.low < varied.value < varied.high


def test_pairs_are_drawn_with_the_seed_and_never_across_classes():
    rng = np.random.default_rng(2)
    base = rng.integers(0, 256, (2, 12, 12, 1), dtype=np.uint8)
    labels = rng.integers(0, 2, 60)
    pictures = base[labels]  # equal inside a class, unlike between classes
    assert within_class_diversity(pictures, labels, method="x", n_pairs=30).value > 0.999
    noise = rng.integers(0, 256, (60, 12, 12, 1), dtype=np.uint8)
    first, second, other = (
        within_class_diversity(noise, labels, method="x", n_pairs=30, seed=seed)
        for seed in (0, 0, 1)
    )
    assert first == second
    assert first.value != other.value
    assert "60 pairs" in first.interval


def test_refuses_small_pictures_and_single_ones():
    with pytest.raises(ValueError, match="at least 11 x 11"):
        within_class_diversity(np.zeros((2, 8, 8, 1), np.uint8), np.array([0, 0]), method="x")
    with pytest.raises(ValueError, match="no class with two"):
        within_class_diversity(np.zeros((2, 12, 12, 1), np.uint8), np.array([0, 1]), method="x")


def test_torch_is_imported_only_to_compare_pictures():
    code = (
        "import sys, phosphene.evaluation.pictures, phosphene.evaluation.decoding, "
        "phosphene.evaluation.probes, phosphene.evaluation.clustering; "
        "sys.exit('torch' in sys.modules or 'torchmetrics' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
