"""The part of a model card that says what to call in Transformers."""

from __future__ import annotations

from typing import Final

from pretextual.models.config import Head

#: Pipelines of Transformers that serve a head; for the others there is none.
PIPELINES: Final[dict[Head, str]] = {
    "masked": "fill-mask",
    "pairs": "fill-mask",
    "causal": "text-generation",
}
#: What a model with such a head is called.
KINDS: Final[dict[Head, str]] = {
    "masked": "encoder",
    "pairs": "encoder",
    "replaced": "encoder",
    "causal": "decoder",
    "seq2seq": "encoder-decoder",
}
_AUTO: Final[dict[Head, str]] = {
    "masked": "AutoModelForMaskedLM",
    "pairs": "AutoModelForPreTraining",
    "replaced": "AutoModelForPreTraining",
    "causal": "AutoModelForCausalLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
}


def use_lines(head: Head, mask_token: str | None, kind: str) -> list[str]:
    """Lines of Markdown: code that gives the numbers which were measured.

    Args:
        head: what stands on the model.
        mask_token: as the tokenizer writes it, where it has one.
        kind: what Transformers calls the family.
    """
    task, gap = PIPELINES.get(head), f"The {mask_token} sat on the mat."
    auto = _AUTO[head]
    if head == "replaced" and kind == "deberta-v2":
        auto = "AutoModelForTokenClassification"
    names = f"{auto}, AutoTokenizer" + (", pipeline" if task or head == "replaced" else "")
    lines = ["```python", f"from transformers import {names}", ""]
    if task:
        lines.append(f'pipeline("{task}", FOLDER)("{"The cat" if head == "causal" else gap}")')
    if head in ("pairs", "replaced", "seq2seq"):
        lines += [
            "tokenizer = AutoTokenizer.from_pretrained(FOLDER)",
            f"model = {auto}.from_pretrained(FOLDER)",
        ]
    if head == "pairs":
        lines.append('model(**tokenizer("The cat sat.", "It slept.", return_tensors="pt"))')
    if head == "seq2seq":
        lines.append('model.generate(**tokenizer("The cat sat.", return_tensors="pt"))')
    if head == "replaced":
        lines += [
            "# The probability of every token that it was replaced:",
            'model(**tokenizer("The cat sat on the mat.", return_tensors="pt")).logits.sigmoid()',
            "# The generator, which learned beside it:",
            f'pipeline("fill-mask", FOLDER + "/generator")("{gap}")',
        ]
    lines.append("```")
    if head == "masked":
        lines += ["", "A masked-only encoder has no pooler; `AutoModel` needs none."]
    return lines
