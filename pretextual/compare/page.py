"""The comparison as a table and as a Markdown page that can be published as it is."""

from __future__ import annotations

from collections.abc import Iterator

from pretextual.compare.results import Comparison, Entry, ScoreTable, Setting
from pretextual.compare.statistics import LEVEL
from pretextual.compare.words import calibrated, sentences

_METHOD = """\
Losses are means over all held-out targets, the same ones for every model; ± is the standard deviation over seeds. A
difference is paired: the same seeds, and the same targets of the same documents (for minimal pairs: the same pairs of
the same paradigms). Its interval holds both reasons for doubt, other seeds and other documents (two-way clustering
after Cameron, Gelbach and Miller 2011; Student's t with Satterthwaite's degrees of freedom). The spread over seeds is
estimated from all values together, except where one varies more. "Better" and "worse" are said where p stays below
{level} after Holm's correction for all values compared on a score. Intervals are those of each difference by itself."""

_PAIRS = """\
Minimal pairs (BLiMP, Warstadt et al. 2020) are scored by the pseudo-log-likelihood of whole words from left to right
(Salazar et al. 2020; Kauf and Ivanova 2023), at temperature 1; a tie counts one half."""


def head(comparison: Comparison) -> list[str]:
    """Titles of the table's columns."""
    titles = [f"{table.kind.title} ({_unit(table)})" for table in comparison.scores]
    swept = [_swept_key(comparison)] if comparison.settings[0].chosen else []
    return ["value", *titles, *swept, "seconds"]


def body(comparison: Comparison) -> list[list[str]]:
    """The table: a row for every value, the first of which is the baseline, and one for every reference."""
    rows = []
    for index, setting in enumerate(comparison.settings):
        label = f"{setting.label} (baseline)" if index == 0 else setting.label
        cells = [cell(table.entries[index], table) for table in comparison.scores]
        chosen = [value.partition("=")[2] for value in setting.chosen]
        rows.append([label, *cells, *chosen, f"{setting.seconds:.0f}"])
    names = dict.fromkeys(name for table in comparison.scores for name in table.references)
    swept = [""] if comparison.settings[0].chosen else []
    for name in names:
        cells = [
            _shown(table.references[name], table) if name in table.references else ""
            for table in comparison.scores
        ]
        rows.append([name, *cells, *swept, ""])
    return rows


def cell(entry: Entry, table: ScoreTable) -> str:
    """A value's mean and spread over seeds, and the verdict where there is one."""
    shown = f"{_shown(entry.mean, table)} ± {_shown(entry.seed_spread, table)}"
    difference = entry.difference
    if difference is None or not difference.told_apart:
        return shown
    better = (difference.mean > 0) == table.kind.higher_is_better
    return f"{shown}, {'better' if better else 'worse'}"


def markdown(comparison: Comparison) -> str:
    """The page."""
    return "\n".join(_lines(comparison)) + "\n"


def _lines(comparison: Comparison) -> Iterator[str]:
    settings = comparison.settings
    yield f"# Side by side: {', '.join(comparison.varied)}"
    yield ""
    yield _what(comparison)
    yield ""
    yield "```sh"
    yield comparison.command
    yield "```"
    yield ""
    titles = head(comparison)
    yield f"| {' | '.join(titles)} |"
    yield f"|{'|'.join(['---'] + ['---:'] * (len(titles) - 1))}|"
    for row in body(comparison):
        yield f"| {' | '.join(text.replace('|', chr(92) + '|') for text in row)} |"
    yield ""
    yield "*seconds*: of training, on average, measurement and saving included."
    for table in comparison.scores:
        yield ""
        yield f"## {table.kind.title.capitalize()}"
        yield ""
        yield f"{table.items:,} {table.kind.items} in {table.parts:,} {table.kind.parts}."
        yield ""
        yield from (f"- {text}" for text in sentences(comparison, table))
    yield from _calibration(comparison)
    if settings[0].swept:
        yield from _sweep(comparison)
    yield ""
    yield "## How it was measured"
    yield ""
    yield _METHOD.format(level=LEVEL)
    if any(table.name == "minimal_pairs" for table in comparison.scores):
        yield ""
        yield _PAIRS


def _what(comparison: Comparison) -> str:
    sizes = {setting.parameters for setting in comparison.settings}
    size = f"{min(sizes):,}" if len(sizes) == 1 else f"{min(sizes):,} to {max(sizes):,}"
    return (
        f"{len(comparison.settings)} values, {len(comparison.seeds)} seeds each. Every model has {size} parameters and "
        f"was trained for {comparison.steps:,} steps of {comparison.batch_tokens:,} positions on the same "
        f"{comparison.train_tokens:,} tokens (vocabulary {comparison.vocabulary_size:,})."
    )


def _calibration(comparison: Comparison) -> Iterator[str]:
    tables = [table for table in comparison.scores if table.calibration is not None]
    if not tables:
        return
    yield ""
    yield "## Would equals be told apart?"
    yield ""
    yield from (f"- {calibrated(table, comparison.settings[0].label)}" for table in tables)
    yield ""
    yield "The splits share runs: they check the method on these runs and are no independent trials."


def _sweep(comparison: Comparison) -> Iterator[str]:
    key = _swept_key(comparison)
    yield ""
    yield f"## Choice of {key}"
    yield ""
    yield (
        f"Every value chose {key} for itself, all at the same cost: one run for each on a seed that is not used "
        "above, by the mean of its held-out losses in nats."
    )
    yield ""
    tried = [name.partition("=")[2] for name in comparison.settings[0].swept]
    yield f"| value | {' | '.join(tried)} |"
    yield f"|---|{'|'.join(['---:'] * len(tried))}|"
    yield from (_swept_row(setting) for setting in comparison.settings)


def _swept_row(setting: Setting) -> str:
    cells = [
        f"**{loss:.3f}**" if (name,) == setting.chosen else f"{loss:.3f}"
        for name, loss in setting.swept.items()
    ]
    return f"| {setting.label} | {' | '.join(cells)} |"


def _swept_key(comparison: Comparison) -> str:
    return comparison.settings[0].chosen[0].partition("=")[0].rpartition(".")[2].replace("_", " ")


def _unit(table: ScoreTable) -> str:
    return "%" if table.kind.factor == 100.0 else table.kind.unit


def _shown(value: float, table: ScoreTable) -> str:
    return f"{value * table.kind.factor:.{table.kind.digits}f}"
