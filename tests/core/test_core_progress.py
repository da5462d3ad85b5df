"""Progress: quiet at first, live on terminals, sparse lines elsewhere."""

import io

import pytest

from pretextual.core.progress import Progress, amount, counted, duration


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def ticking(live):
    clock, stream = Clock(), io.StringIO()
    return clock, stream, Progress(stream, live=live, clock=clock)


def test_nothing_is_shown_in_the_first_two_seconds():
    clock, stream, progress = ticking(live=False)
    for tenth in range(20):
        clock.now = tenth / 10
        progress.stage("encode", tenth, 100, "bytes")
    assert stream.getvalue() == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_stage_of_one_piece_is_named_on_a_terminal_and_never_counted(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    clock, stream = Clock(), Terminal()
    progress = Progress(stream, clock=clock)
    progress.stage("tokenizer", 0, 1, "tokenizer")
    clock.now = 30.0
    progress.stage("tokenizer", 1, 1, "tokenizer")
    progress.close()
    assert "tokenizer …" in stream.getvalue()
    assert "%" not in stream.getvalue()
    clock, stream, progress = ticking(live=False)
    clock.now = 30.0
    progress.stage("tokenizer", 1, 1, "tokenizer")
    assert stream.getvalue() == ""


def test_one_is_not_many():
    assert [counted(n, "step") for n in (0, 1, 2, 1200)] == [
        "0 steps",
        "1 step",
        "2 steps",
        "1,200 steps",
    ]


def test_a_log_gets_one_line_every_ten_seconds():
    clock, stream, progress = ticking(live=False)
    for tenth in range(1000):
        clock.now = tenth / 10
        progress.stage("encode", tenth, 1000, "documents")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[1] == "encode ·  12% · 120 documents of 1,000 documents · 1:28 min left"


def test_the_status_line_follows_the_same_rule():
    clock, stream, progress = ticking(live=False)
    for second in range(31):
        clock.now = float(second)
        progress.show(f"step {second}")
    assert stream.getvalue() == "step 10\nstep 20\nstep 30\n"


def test_a_terminal_gets_one_line_that_is_rewritten_and_then_removed():
    clock, stream, progress = ticking(live=True)
    for second in range(2, 6):
        clock.now = float(second)
        progress.show(f"step {second}")
    progress.say("a line that stays")
    progress.close()
    shown = stream.getvalue()
    assert "a line that stays" in shown


def test_markup_in_a_line_is_shown_as_it_is():
    _, stream, progress = ticking(live=False)
    progress.say("The [MASK] sat on [bold]the mat[/bold].")
    assert stream.getvalue() == "The [MASK] sat on [bold]the mat[/bold].\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1:00 min"),
        (3599, "59:59 min"),
        (3600, "1:00 h"),
        (9000, "2:30 h"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_amounts_carry_their_unit():
    assert amount(999, "bytes") == "999 bytes"
    assert amount(2_500_000, "bytes") == "2.5 MB"
    assert amount(12_345, "documents") == "12,345 documents"
