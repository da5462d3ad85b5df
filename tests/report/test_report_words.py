"""Verdicts and records in words."""

import math

import pytest

from pretextual.report.control_words import control_words
from pretextual.report.filled import MOST_SHOWN, filled
from pretextual.report.forgetting import forgetting, verdict
from pretextual.report.read import read_run
from pretextual.report.weights import count_parameters


def measured(loss, error=0.02):
    return {"loss": loss, "loss_standard_error": error}


def test_a_rise_on_general_text_is_called_forgetting():
    said = verdict(measured(3.1), measured(3.35), "python-docs")
    assert "forgotten" in said
    assert f"rose by 0.2500 ± {math.hypot(0.02, 0.02):.4f} nats" in said


def test_a_fall_on_general_text_is_not_forgetting():
    assert "Nothing was forgotten" in verdict(measured(3.35), measured(3.1), "python-docs")


@pytest.mark.parametrize("after", [3.05, 3.15])
def test_a_change_within_two_standard_errors_is_called_none(after):
    assert "did not clearly change" in verdict(measured(3.1), measured(after), "python-docs")


def test_one_sided_measurements_draw_no_verdict():
    assert "one side only" in verdict(measured(3.1), {}, "python-docs")


def test_forgetting_of_a_run(make_run):
    general = {
        "before": {**measured(3.1), "accuracy": 0.4},
        "after": {**measured(3.35), "accuracy": 0.37},
    }
    shown = forgetting(read_run(make_run(general=general)))
    assert "+0.2500" in shown
    assert "-3.0 points" in shown


def test_control_records_in_words(make_run):
    shown = control_words(read_run(make_run()))
    assert (
        "Training is to end after 36,000 windows (time budget 4:00 min of training); evaluation every "
        "120 steps, checkpoint every 120 steps." in shown
    )
    assert "micro-batches of 16 rows from here on" in shown
    assert "the end moves from 36,000 windows to 38,400 windows" in shown


def test_of_many_evaluations_the_first_last_and_best_are_shown(make_run):
    rows = [
        {
            "step": step,
            "split": "held_out",
            "loss": 1.0 if step == 33 else 5.0,
            "filled": [
                {"text": "A ___.", "answer": "b", "says": [["b" if step > 50 else "c", 0.5]]}
            ],
        }
        for step in range(100)
    ]
    shown = filled(read_run(make_run(rows=rows)))
    for step in (0, 33, 99):
        assert f'<th scope="row">{step}</th>' in shown
    assert f"{MOST_SHOWN + 1} of 100 evaluations are shown" in shown
    assert shown.count("✓") == 6
    assert 'class="tick-mark"' not in shown.split('<th scope="row">33</th>')[1].split("</tr>")[0]


def test_parameters_are_products_of_shapes_summed_over_files(tmp_path, make_run):
    model = make_run() / "model"
    assert count_parameters(model) == 8192 * 256 + 256 * 256 + 256
    (model / "part-2.safetensors").write_bytes((model / "model.safetensors").read_bytes())
    assert count_parameters(model) == 2 * (8192 * 256 + 256 * 256 + 256)
    assert count_parameters(tmp_path) is None
