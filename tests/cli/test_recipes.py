import json

from phosphene.cli.main import main


def test_table_names_presets_and_published_numbers(fake, capsys):
    assert main(["recipes"]) == 0
    text = capsys.readouterr().out
    for part in ("fake_2020", "Nobody, 2020", "paper, quick", "Inception Score 6.78", "next"):
        assert part in text


def test_a_recipe_without_a_paper_has_no_link(fake, capsys):
    object.__setattr__(fake.recipe, "paper", "none: made here")
    object.__setattr__(fake.recipe, "url", "")
    assert main(["recipes"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "none: made here" in [line.removeprefix("paper").strip() for line in lines]


def test_json(fake, capsys):
    assert main(["recipes", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["key"] == "fake_2020"
    assert record["published"] == {"Inception Score": 6.78}


def test_pages_are_written_into_a_folder(fake, capsys, tmp_path):
    (tmp_path / "README.md").write_text("# Fake")
    (tmp_path / "results.json").write_text('{"published": {"accuracy": 0.5}, "ours": []}')
    object.__setattr__(fake.recipe, "module_folder", tmp_path)
    assert main(["recipes", "--pages", str(tmp_path / "pages")]) == 0
    names = ["fake_2020.md", "README.md"]
    assert capsys.readouterr().out == "".join(
        f"page    {tmp_path / 'pages' / name}\n" for name in names
    )
    page = (tmp_path / "pages" / "fake_2020.md").read_text()
    assert "| `n_steps` | 50 | **2** | Updates (paper, section 4). |" in page
    assert "| accuracy | 0.5 |" in page


def test_pages_of_an_incomplete_recipe_are_refused(fake, capsys, tmp_path):
    object.__setattr__(fake.recipe, "module_folder", tmp_path)
    assert main(["recipes", "--pages", str(tmp_path / "pages")]) == 1
    assert "must hold README.md" in capsys.readouterr().err
    assert not (tmp_path / "pages").exists()
