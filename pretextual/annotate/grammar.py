"""Names and codes of parts of speech and relations: the same in every store, whatever the parser.

Codes are places in the tuples below, 0 for a word that nobody parsed. They are published: new names go to the end.
`SPACE` stands for white space that is a token of its own, as in spaCy.

References:
    Universal Dependencies 2: 17 parts of speech, 37 relations. Relations are kept without subtypes (`acl:relcl` is
    `acl`), and what has no place in the list is `other`. Names of older English treebanks are translated: those of
    Universal Dependencies 1, and those of ClearNLP that spaCy's English pipelines use. The latter is rough, since
    there a preposition heads its noun: `pobj` becomes `obl`, `prep` becomes `case`, and the heads stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

NONE = "none"

PARTS_OF_SPEECH = tuple(
    f"{NONE} ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X SPACE".split()
)

RELATIONS = tuple(
    f"""{NONE} acl advcl advmod amod appos aux case cc ccomp clf compound conj cop csubj dep det discourse
    dislocated expl fixed flat goeswith iobj list mark nmod nsubj nummod obj obl orphan parataxis punct
    reparandum root vocative xcomp other""".split()
)

_OLDER_PARTS_OF_SPEECH = {"CONJ": "CCONJ"}

_OLDER_RELATIONS = {
    # Universal Dependencies 1
    "auxpass": "aux",
    "csubjpass": "csubj",
    "dobj": "obj",
    "foreign": "flat",
    "mwe": "fixed",
    "name": "flat",
    "neg": "advmod",
    "nsubjpass": "nsubj",
    "remnant": "orphan",
    # ClearNLP
    "acomp": "xcomp",
    "agent": "case",
    "attr": "xcomp",
    "complm": "mark",
    "dative": "iobj",
    "hmod": "compound",
    "hyph": "punct",
    "infmod": "acl",
    "intj": "discourse",
    "meta": "dep",
    "nn": "compound",
    "npadvmod": "obl",
    "npmod": "obl",
    "num": "nummod",
    "number": "nummod",
    "oprd": "xcomp",
    "partmod": "acl",
    "pcomp": "advcl",
    "pobj": "obl",
    "poss": "nmod",
    "possessive": "case",
    "preconj": "cc",
    "predet": "det",
    "prep": "case",
    "prt": "compound",
    "quantmod": "advmod",
    "rcmod": "acl",
    "relcl": "acl",
    "tmod": "obl",
}

_PART_CODES = {name: code for code, name in enumerate(PARTS_OF_SPEECH)}
_RELATION_CODES = {name: code for code, name in enumerate(RELATIONS)}

#: For the facts of a layer.
CODE_NAMES: Mapping[str, list[str]] = {
    "part_of_speech": list(PARTS_OF_SPEECH),
    "relation": list(RELATIONS),
}


def part_of_speech_code(name: str) -> int:
    """The code of a Universal POS name; 0 for anything else (`_`, spaCy's `SPACE`)."""
    return _PART_CODES.get(_OLDER_PARTS_OF_SPEECH.get(name, name), 0)


def relation_code(name: str) -> int:
    """The code of a relation without its subtype, in any case; `other` where it is none that we know, 0 for none."""
    plain = name.lower().partition(":")[0]
    if plain in ("", "_"):
        return 0
    return _RELATION_CODES.get(_OLDER_RELATIONS.get(plain, plain), _RELATION_CODES["other"])
