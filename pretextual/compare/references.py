"""What needs no model: the scores of chance, of frequency alone, and of a sentence's length."""

from __future__ import annotations

from pretextual.compare.job import Exam
from pretextual.compare.questions import unigram_losses
from pretextual.evaluate.minimal_pairs import length_scorer, score_pairs, unigram_scorer
from pretextual.train.data import Data
from pretextual.train.evaluation import target_counts


def references(data: Data, exam: Exam) -> dict[str, dict[str, float]]:
    """By the name of the score and what is done without a model.

    Args:
        data: the store and the objective, which decides what is counted in the training text.
        exam: the questions.
    """
    tokenizer = data.store.tokenizer
    counts = target_counts(data.store.split("train"), data.objective, tokenizer)
    found = {
        name: {
            "guessing by frequency": unigram_losses(question, exam.plan, counts),
            "all tokens alike": question.chance_loss(tokenizer.size),
        }
        for name, question in exam.questions.items()
    }
    if exam.pairs:
        scorers = {
            "guessing by frequency": unigram_scorer(tokenizer, counts),
            "the shorter sentence": length_scorer(tokenizer),
        }
        found["minimal_pairs"] = {
            name: float(score_pairs(scorer, exam.pairs).mean()) for name, scorer in scorers.items()
        }
    return found
