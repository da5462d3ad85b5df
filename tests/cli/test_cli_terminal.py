"""The log of a training, from the rows that the trainer writes."""

import io

from pretextual.cli.demo import filled_rows
from pretextual.cli.terminal import Terminal, held_out_line, status_line
from pretextual.core.progress import Progress

HELD_OUT = {
    "split": "held_out",
    "step": 1200,
    "loss": 3.14159,
    "loss_standard_error": 0.01,
    "accuracy": 0.4567,
    "bits_per_masked_byte": 1.2345,
    "targets": 9876,
    "unigram_loss": 6.5,
    "filled": [
        {"text": "the ___ sat", "answer": "cat", "says": [["dog", 0.5], ["\n", 0.25]]},
        {"text": "once upon", "answer": None, "says": "a time\nthere"},
    ],
}


def test_the_status_line_has_every_field_with_its_unit():
    line = status_line(
        {
            "step": 1500,
            "end_step": 3000,
            "loss": 2.5,
            "tokens_per_second": 12345.6,
            "share_of_peak": 0.413,
            "learning_rate": 9.1e-4,
            "seconds_per_step": 0.1,
        }
    )
    assert line == (
        "step 1,500 of 3,000 · loss 2.500 · 12,346 tokens/s · 41% of peak · "
        "learning rate 9.10e-04 · 2:30 min left"
    )


def test_what_is_not_known_yet_is_left_out():
    assert status_line({"step": 1}) == "step 1"
    assert status_line({"step": 1, "end_step": 9, "seconds_per_step": 3.0}) == "step 1 of 9"


def test_an_evaluation_is_said_with_count_and_interval():
    first, *samples = held_out_line(HELD_OUT).splitlines()
    assert first == (
        "step 1,200: held-out loss 3.142 ± 0.020 nats per target, unigram 6.500, accuracy 45.7%, "
        "1.234 bits per masked byte, 9,876 targets"
    )
    assert samples == [
        "    the ___ sat  →  dog 50%, ⏎ 25%   (was: cat)",
        "    once upon  →  a time⏎there",
    ]
    assert filled_rows(HELD_OUT["filled"])[0] == ("the ___ sat", "cat", "dog 50%, ⏎ 25%")


def test_held_out_rows_stay_and_training_rows_feed_the_live_line():
    now, stream = [0.0], io.StringIO()
    terminal = Terminal(Progress(stream, live=False, clock=lambda: now[0]))
    terminal.row({"split": "train", "step": 10, "loss": 4.0, "tokens_per_second": 100.0})
    assert stream.getvalue() == ""
    now[0] = 11.0
    terminal.status(step=11, end_step=22, learning_rate=1e-3, seconds_per_step=1.0)
    terminal.row(HELD_OUT)
    terminal.close()
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("step 11 of 22 · loss 4.000 · 100 tokens/s")
    assert lines[1].startswith("step 1,200: held-out loss")
