"""Further terms of held-out text: sums over batches, and how well two answers are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from pretextual.objectives.base import Term  # noqa: E402
from pretextual.train.further_terms import FurtherTerms, area_under_curve  # noqa: E402

ANSWERS = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=30)


@given(ANSWERS)
def test_the_area_is_the_share_of_pairs_in_order(answers):
    scores = np.array([score for score, _ in answers], dtype=np.float32)
    truths = np.array([truth for _, truth in answers], dtype=np.int64)
    pairs = [
        1.0 if yes > no else 0.5 if yes == no else 0.0
        for yes in scores[truths == 1]
        for no in scores[truths == 0]
    ]
    found = area_under_curve(scores, truths)
    assert found is None if not pairs else found == pytest.approx(np.mean(pairs))


def test_terms_add_up_over_batches():
    further = FurtherTerms()
    for scores, truths in (([2.0, -1.0, 9.0], [1, 0, -1]), ([0.5, 3.0], [0, 1])):
        verdicts = torch.tensor(scores), torch.tensor(truths)
        main = Term("main", torch.tensor(7.0), 1.0, 1.0, torch.tensor(1))
        found = Term("found", torch.tensor(1.5), 2.0, 50.0, torch.tensor(1), verdicts=verdicts)
        further.add([main, found])
    assert further.columns() == {"loss_found": 0.75, "accuracy_found": 0.5, "auc_found": 1.0}


def test_an_objective_of_one_term_has_no_further_columns():
    further = FurtherTerms()
    further.add([Term("main", torch.tensor(7.0), 1.0, 1.0, torch.tensor(1))])
    assert further.columns() == {}
