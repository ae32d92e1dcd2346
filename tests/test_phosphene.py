import subprocess
import sys

import pytest

import phosphene


def test_public_names_come_from_their_modules():
    assert phosphene.Score.__module__ == "phosphene.score"
    assert "RunDir" in dir(phosphene)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Scor'"):
        _ = phosphene.Scor


def test_import_loads_nothing_heavy():
    code = "import sys, phosphene; print({'torch', 'numpy', 'mne'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
