import numpy as np
import torch

from phosphene.training.pictures import pixels_from_tensor, tensor_from_pixels


def test_bytes_come_back_exactly():
    pixels = np.arange(2 * 4 * 8 * 3, dtype=np.uint8).reshape(2, 4, 8, 3)
    tensor = tensor_from_pixels(pixels)
    assert tensor.shape == (2, 3, 4, 8)
    assert np.array_equal(pixels_from_tensor(tensor), pixels)


def test_ends_of_the_range():
    tensor = tensor_from_pixels(np.array([0, 255], np.uint8).reshape(1, 1, 2, 1))
    assert tensor.flatten().tolist() == [-1.0, 1.0]
    beyond = torch.tensor([-1.5, 1.5]).view(1, 1, 1, 2)
    assert pixels_from_tensor(beyond).flatten().tolist() == [0, 255]
