from phosphene.cli.main import main
from phosphene.run_dir import RunDir


def test_prints_where_the_report_is(fake, tmp_path, capsys):
    RunDir(tmp_path).write_json("config.json", {})
    assert main(["report", str(tmp_path)]) == 0
    assert str(tmp_path / "report.html") in capsys.readouterr().out


def test_refuses_a_folder_that_is_no_run(fake, tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 1
    assert "config.json" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
