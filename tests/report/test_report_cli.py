"""The verb, as a user types it."""

import json
import subprocess
import sys

from pretextual.cli.main import run


def test_the_verb_prints_where_the_page_lies(make_run, capsys):
    folder = make_run()
    assert run(["report", str(folder)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{folder / 'report.html'}\n"
    assert "Best held-out loss 4.2879 ± 0.0213" in said.err


def test_json_holds_the_figures_of_the_rows(make_run, capsys):
    folder = make_run("unfinished")
    assert run(["report", str(folder), "--json", "--out", str(folder / "page.html")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["report"] == str(folder / "page.html")
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()[:-1]]
    best = min((row for row in rows if row["split"] == "held_out"), key=lambda row: row["loss"])
    assert found["held_out"]["loss"] == best["loss"]
    assert (found["finished"], found["step"], found["best_step"]) == (False, 400, best["step"])


def test_a_folder_that_is_no_run_is_the_users_error(tmp_path, capsys):
    assert run(["report", str(tmp_path)]) == 2
    assert "R007" in capsys.readouterr().err


def test_reports_load_neither_torch_nor_transformers_nor_the_trainer(make_run):
    script = (
        "import sys\n"
        "from pretextual.cli.main import run\n"
        "import pretextual.report\n"
        f"assert run(['report', {str(make_run())!r}]) == 0\n"
        "heavy = {'torch', 'transformers', 'pretextual.train'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
