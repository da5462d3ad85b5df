"""What logits are made from: states times a matrix, for every architecture, without the product."""

from __future__ import annotations

import pytest
import torch

from pretextual.core.errors import UserError
from pretextual.models.shape import SERVES


@pytest.mark.parametrize("architecture", SERVES)
@pytest.mark.parametrize("full", [False, True])
def test_states_times_the_matrix_are_the_logits(make, rows, architecture, full):
    head = next(head for head in SERVES[architecture] if head != "replaced")
    backbone = make(architecture, head)
    # With every position a target nothing is gathered, and the states come as rows.
    batch = rows(head, [[20], [14, 6]] if full else [[20], [9, 6]], share=1.0 if full else 0.3)
    with torch.no_grad():
        wanted = backbone.logits(batch)
        found = backbone.before_vocabulary(batch)
    product = torch.nn.functional.linear(found.states, found.weight, found.bias)
    assert product.shape == wanted.shape
    assert torch.allclose(product, wanted, atol=1e-5)


def test_the_matrix_learns_through_its_rows(make, rows):
    backbone = make("bert")
    found = backbone.before_vocabulary(rows("masked", [[20]]))
    found.weight[[7, 9]].sum().backward()
    gradient = backbone.embedding.grad
    assert set(gradient.any(dim=1).nonzero().flatten().tolist()) == {7, 9}


def test_nothing_is_left_hanging_in_the_model(make, rows):
    backbone, batch = make("gpt2"), rows("causal", [[20]])
    with torch.no_grad():
        before = backbone.logits(batch)
        backbone.before_vocabulary(batch)
        assert torch.equal(backbone.logits(batch), before)


def test_logits_that_are_changed_afterwards_are_refused(make, rows):
    backbone, batch = make("bert"), rows("masked", [[20]])

    def halved(module, args, output):
        output.logits = output.logits * 0.5
        return output

    backbone.model.register_forward_hook(halved)
    with pytest.raises(UserError, match="C039"):
        backbone.before_vocabulary(batch)
