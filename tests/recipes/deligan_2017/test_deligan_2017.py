from phosphene.recipes.deligan_2017 import RECIPE


def test_readme_says_on_which_trials_the_gan_is_trained():
    readme = (RECIPE.module_folder / "README.md").read_text(encoding="utf-8")
    assert "features of training trials" in readme
    assert "*test* trials" in readme
