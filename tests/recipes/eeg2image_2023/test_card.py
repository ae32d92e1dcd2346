from phosphene.recipes.eeg2image_2023.card import model_card


def test_says_what_goes_in_what_comes_out_and_what_it_is_not_for():
    spec = {
        "recipe": "eeg2image_2023",
        "classes": ["faces", "houses"],
        "ch_names": ["TP9", "AF7"],
        "n_times": 103,
        "sfreq": 128.0,
        "tmin": -0.1,
    }
    card = model_card(spec)
    assert "faces, houses" in card
    assert "2 channels (TP9, AF7)" in card
    assert "103 samples at 128 Hz from -0.1 s" in card
    assert "not the picture that was seen" in card
    assert "Not for diagnosis" in card


def test_bundle_of_a_run_carries_it(trained):
    text = (trained.run.path / "bundle" / "README.md").read_text()
    spec = trained.run.read_json("bundle/spec.json")
    assert text == model_card(spec)
