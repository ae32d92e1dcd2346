"""Pictures from brain recordings, and an honest answer to whether it worked."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from phosphene.data.dataset import Dataset, load_dataset, load_recordings, save_dataset
    from phosphene.data.images import ImageSet
    from phosphene.data.pairing import Pairing
    from phosphene.data.recording import Recording
    from phosphene.data.splits import Split
    from phosphene.data.trials import Trials
    from phosphene.recipe import Recipe
    from phosphene.recipes import find_recipes, get_recipe
    from phosphene.run_dir import RunDir
    from phosphene.score import Score

__version__ = "0.1.0"

__all__ = [
    "Dataset",
    "ImageSet",
    "Pairing",
    "Recipe",
    "Recording",
    "RunDir",
    "Score",
    "Split",
    "Trials",
    "__version__",
    "find_recipes",
    "get_recipe",
    "load_dataset",
    "load_recordings",
    "save_dataset",
]

_HOMES = {
    "Dataset": "phosphene.data.dataset",
    "ImageSet": "phosphene.data.images",
    "Pairing": "phosphene.data.pairing",
    "Recipe": "phosphene.recipe",
    "Recording": "phosphene.data.recording",
    "RunDir": "phosphene.run_dir",
    "Score": "phosphene.score",
    "Split": "phosphene.data.splits",
    "Trials": "phosphene.data.trials",
    "find_recipes": "phosphene.recipes",
    "get_recipe": "phosphene.recipes",
    "load_dataset": "phosphene.data.dataset",
    "load_recordings": "phosphene.data.dataset",
    "save_dataset": "phosphene.data.dataset",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `import phosphene` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
