import numpy as np
import pytest

from phosphene.experiment.memory import Memory


class Counter:
    """A function that counts its calls."""

    def __init__(self):
        self.calls = 0
        self.__qualname__ = "counter"

    def __call__(self, values, *, scale=1.0, names=None):
        self.calls += 1
        return float(values.sum() * scale)


def test_the_same_question_is_answered_once():
    memory, function = Memory(), Counter()
    values = np.arange(4.0)
    assert memory.ask(function, values, scale=2.0) == memory.ask(function, values.copy(), scale=2.0)
    assert memory.ask(function, np.arange(8.0)[::2], scale=2.0) == 24.0
    assert function.calls == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([1.0, 3.0]), {}),
        (np.array([[1.0], [2.0]]), {}),
        (np.array([1, 2]), {}),
        (np.array([1.0, 2.0], np.float32), {}),
        (np.array([1.0, 2.0]), {"scale": 2.0}),
        (np.array([1.0, 2.0]), {"names": np.array(["a", "c"])}),
        (np.array([1.0, 2.0]), {"names": np.array(["a", "c"], dtype=object)}),
        (np.array([1.0, 2.0]), {"names": None}),
    ],
)
def test_another_question_is_not(values, words):
    memory, function = Memory(), Counter()
    memory.ask(function, np.array([1.0, 2.0]))
    memory.ask(function, np.array([1.0, 2.0]), names=np.array(["a", "b"], dtype=object))
    assert memory.ask(function, values, **words) == function(values, **words)
    assert function.calls == 4


def test_another_function_is_another_question():
    memory, values = Memory(), np.arange(3.0)
    assert memory.ask(np.sum, values) == 3.0
    assert memory.ask(np.prod, values) == 0.0


def test_nothing_is_kept_between_runs():
    function = Counter()
    for _ in range(2):
        Memory().ask(function, np.arange(3.0))
    assert function.calls == 2
