"""Pictures with their class, and which of them were shown."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from PIL import Image

from phosphene import _checks

IMAGE_COLUMNS = {
    "image_id": "str",
    "label": "int64",
    "class_name": "str",
    "stimulus": "str",
    "shown": "bool",
    "source": "str",
    "sha256": "str",
}
"""Columns of the picture table and their dtypes."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures of one size, with a table.

    Parameters
    ----------
    pixels
        ``(n, height, width, color)`` uint8; ``color`` is 1 (grey) or 3 (RGB).
    table
        One row per picture with the columns `IMAGE_COLUMNS`. ``stimulus`` is the name under which a
        recording's events speak of it, ``shown`` whether it was shown during a recording; the
        others can serve a judge that no generator was trained with.
    classes
        Class names, an index into which is the label; taken from the table when left empty.
    notes
        What a reader has to remark on what it did to them; a data set does not keep this.

    Raises
    ------
    ValueError
        When shapes, dtype, labels or ids contradict one another.
    """

    pixels: np.ndarray
    table: pd.DataFrame
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.table), None, None, None)
        _checks.check_shape("pixels", self.pixels.shape, shape, "n height width color")
        if self.pixels.dtype != np.uint8 or self.pixels.shape[3] not in (1, 3):
            raise ValueError(
                f"pictures are uint8 with 1 or 3 colors; got {self.pixels.dtype} with "
                f"{self.pixels.shape[3]}; convert them to grey or RGB."
            )
        missing = [name for name in IMAGE_COLUMNS if name not in self.table.columns]
        if missing:
            raise ValueError(f"the picture table lacks the columns {missing}; add them.")
        if self.table["image_id"].duplicated().any():
            twice = self.table.loc[self.table["image_id"].duplicated(), "image_id"].iloc[0]
            raise ValueError(f"picture ids must differ; '{twice}' occurs twice; rename one.")
        names = self.table.drop_duplicates("label").set_index("label")["class_name"].to_dict()
        if not self.classes:
            if sorted(names) != list(range(len(names))):
                raise ValueError(
                    f"labels without class names count from 0; got {sorted(names)}; pass classes."
                )
            object.__setattr__(self, "classes", tuple(str(names[i]) for i in range(len(names))))
        expected = self.table["label"].map(dict(enumerate(self.classes)))
        if not (expected == self.table["class_name"]).all():
            row = self.table[expected != self.table["class_name"]].iloc[0]
            raise ValueError(
                f"label and class name must agree with the classes {list(self.classes)}; picture "
                f"'{row.image_id}' has label {row.label} and class '{row.class_name}'; correct one."
            )

    def __len__(self) -> int:
        return len(self.table)

    @property
    def labels(self) -> np.ndarray:
        """Class of each picture, int64."""
        return self.table["label"].to_numpy(dtype=np.int64)

    @property
    def shown(self) -> np.ndarray:
        """Whether each picture was shown, bool."""
        return self.table["shown"].to_numpy(dtype=bool)

    def data_hash(self) -> str:
        """Hash pixels, classes, names and which pictures were shown, to sixteen hex digits."""
        names = ("image_id", "class_name", "stimulus", "shown")
        identity = {
            "shape": list(self.pixels.shape),
            "classes": list(self.classes),
            **{name: self.table[name].tolist() for name in names},
        }
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        return digest.hexdigest()[:16]

    def select(self, index: np.ndarray | Sequence[int]) -> "ImageSet":
        """Return the pictures of an integer or boolean index, in its order."""
        rows = np.asarray(index)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        return replace(
            self, pixels=self.pixels[rows], table=self.table.iloc[rows].reset_index(drop=True)
        )

    def resized(self, size: int, *, color: int) -> "ImageSet":
        """Return square pictures, cropped in the centre, resized with antialiasing, grey or RGB."""
        _checks.check_positive("size", size)
        pixels = np.stack([fit_picture(to_pillow(p), size=size, color=color) for p in self.pixels])
        return replace(self, pixels=pixels)

    def with_classes(self, classes: Sequence[str]) -> "ImageSet":
        """Return the pictures of the given classes, labelled in the order given."""
        for name in classes:
            _checks.check_option("class", name, self.classes)
        keep = self.table["class_name"].isin(classes).to_numpy()
        table = self.table[keep].reset_index(drop=True)
        order = {name: label for label, name in enumerate(classes)}
        table["label"] = table["class_name"].map(order).astype("int64")
        return ImageSet(self.pixels[keep], table, tuple(classes), self.notes)

    def with_unseen(self, others: "ImageSet") -> "ImageSet":
        """Return these pictures and others of the same classes that nobody was shown.

        A handful of stimuli cannot both train a generator and a judge; more pictures of the classes
        give the judge its own. Both become squares of the smaller of the two sizes, in the colors
        of these pictures. Classes that these pictures do not have are left out.

        Parameters
        ----------
        others
            Pictures that were never shown; at least one of a class of these.

        Raises
        ------
        ValueError
            When no class is common to both, or a picture is among both.
        """
        keep = others.table["class_name"].isin(self.classes).to_numpy()
        if not keep.any():
            raise ValueError(
                f"unseen pictures must be of the classes {', '.join(self.classes)}; got "
                f"{', '.join(others.classes)}; rename the folders of the unseen pictures."
            )
        others = others.select(keep)
        color = int(self.pixels.shape[3])
        side = min(*self.pixels.shape[1:3], *others.pixels.shape[1:3])
        twice = set(self.table["sha256"]) & set(others.table["sha256"])
        if twice:
            name = self.table.loc[self.table["sha256"].isin(twice), "image_id"].iloc[0]
            raise ValueError(
                f"unseen pictures must differ from the pictures shown; '{name}' is among both; "
                "remove it from the unseen ones."
            )
        label_of = {name: label for label, name in enumerate(self.classes)}
        names = "unseen/" + others.table["image_id"].astype("str")
        table = others.table.assign(
            label=others.table["class_name"].map(label_of).astype("int64"),
            image_id=names,
            stimulus=names,
            shown=False,
        )
        pixels = [part.resized(side, color=color).pixels for part in (self, others)]
        notes = [*self.notes, *(f"unseen: {note}" for note in others.notes)]
        if side < min(self.pixels.shape[1:3]):
            notes.append(f"all became {side} x {side}, as large as the smallest unseen pictures")
        return ImageSet(
            np.concatenate(pixels),
            pd.concat([self.table, table], ignore_index=True),
            self.classes,
            tuple(notes),
        )


def to_pillow(pixels: np.ndarray) -> Image.Image:
    """Turn ``(height, width, color)`` uint8 into a Pillow picture."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def fit_picture(picture: Image.Image, *, size: int, color: int) -> np.ndarray:
    """Crop to the central square, resize with antialiasing: ``(size, size, color)``."""
    _checks.check_option("color", str(color), ("1", "3"))
    picture = picture.convert("L" if color == 1 else "RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.crop((left, top, left + side, top + side))
    if side != size:
        picture = picture.resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture, dtype=np.uint8).reshape(size, size, color)
