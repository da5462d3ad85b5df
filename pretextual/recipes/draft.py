"""A recipe in the making: layers laid over each other, with the place of every value."""

from __future__ import annotations

import dataclasses

from pretextual.core.errors import Problem, nearest
from pretextual.core.yaml_source import Entry, Mapping, Node, Place, Scalar
from pretextual.recipes.check_value import written
from pretextual.recipes.foreign import ALIASES
from pretextual.recipes.schema import Model, Slot, all_paths, kind_of, slots
from pretextual.recipes.suggest import explain_unknown


@dataclasses.dataclass(frozen=True)
class Given:
    """A value that somebody gave.

    Attributes:
        node: the value.
        place: where its key stands.
        origin: where it comes from, in words.
        rank: strength of its layer.
    """

    node: Node
    place: Place
    origin: str
    rank: int


class Draft:
    """Takes layers, the weakest first; keeps every value with its place, and all problems."""

    def __init__(self, root: Model, alternatives: tuple[tuple[str, ...], ...] = ()) -> None:
        """Begin with nothing.

        Args:
            root: the class of the whole config.
            alternatives: paths of which a stronger layer's displaces a weaker layer's others.
        """
        self.root = root
        self._alternatives = {path: group for group in alternatives for path in group}
        self.given: dict[str, Given] = {}
        self.notices: list[str] = []
        self.problems: list[Problem] = []
        self._layer, self._rank = "", 0
        self._fresh: dict[str, Entry] = {}

    def lay(self, layer: Mapping, origin: str = "", *, rank: int = 0) -> None:
        """Lay one mapping over what is there.

        Args:
            layer: keys and values, as read.
            origin: where it comes from, such as `recipe bert`; by default every key's own place.
            rank: strength, for alternatives alone; layers of one rank stand side by side.
        """
        self._layer, self._rank, self._fresh = origin, rank, {}
        foreign = self._walk(layer, self.root, "")
        # Last, because the kind of an objective that they belong to may stand further down.
        for path, entry in foreign:
            self._take_foreign(path, entry)

    def forget(self, path: str) -> None:
        """Drop a value, so that the next layer or the default decides."""
        self.given.pop(path, None)

    # --- laying ---

    def _walk(self, mapping: Mapping, model: Model, prefix: str) -> list[tuple[str, Entry]]:
        foreign: list[tuple[str, Entry]] = []
        for entry in mapping.entries:
            path = f"{prefix}{entry.key}"
            slot = slots(model).get(entry.key)
            if slot is not None:
                foreign += self._give(slot, path, entry)
            elif entry.key in ALIASES:
                foreign.append((path, entry))
            else:
                self._unknown(path, entry)
        return foreign

    def _give(self, slot: Slot, path: str, entry: Entry) -> list[tuple[str, Entry]]:
        node = entry.value
        if slot.variants and isinstance(node, Mapping):
            self.given.pop(path, None)
            model = self._choose(slot, path, node)
            return [] if model is None else self._walk(node, model, f"{path}.")
        name = node.value if isinstance(node, Scalar) else None
        if isinstance(name, str) and name in slot.variants:
            # `strategy: span` is short for `strategy: {kind: span}`.
            self._switch(slot, path, name)
            self.given.pop(path, None)
            self._set(f"{path}.kind", Entry("kind", entry.place, node))
        elif slot.takes_value or not slot.variants:
            self._drop_below(path)
            self._set(path, entry)
        elif name is not None or not isinstance(node, Scalar):
            self._not_a_group(slot, path, entry)
        return []

    def _set(self, path: str, entry: Entry) -> None:
        if path in self._fresh and self._fresh[path].key != entry.key:
            first = self._fresh[path]
            self._problem(
                "C009", path, entry.place, got=f"{entry.key} and {first.key} ({first.place})"
            )
        self._fresh[path] = entry
        origin = self._layer or str(entry.place)
        if self._layer and entry.place.line:
            origin = f"{self._layer}, line {entry.place.line}"
        if isinstance(entry.value, Scalar) and entry.value.value is not None:
            for other in self._alternatives.get(path, ()):
                if other in self.given and self.given[other].rank < self._rank:
                    del self.given[other]
        self.given[path] = Given(entry.value, entry.place, origin, self._rank)

    def _take_foreign(self, path: str, entry: Entry) -> None:
        ours = ALIASES[entry.key]
        group, _, name = ours.rpartition(".")
        slot = slots(self.model_at(group)).get(name)
        if slot is None:
            self._unknown(ours, entry)
            return
        self.notices.append(f"{entry.place}: {path} is taken as {ours}")
        self._give(slot, ours, entry)

    def _drop_below(self, path: str) -> None:
        for known in [known for known in self.given if known.startswith(f"{path}.")]:
            del self.given[known]

    # --- choices on `kind` ---

    def variant(self, slot: Slot, path: str) -> Model | None:
        """The config class that stands in a slot by what is given so far, or None where nobody said."""
        given = self.given.get(f"{path}.kind")
        if slot.group is None and given is not None and isinstance(given.node, Scalar):
            return slot.variants.get(str(given.node.value))
        return slot.usual

    def _switch(self, slot: Slot, path: str, kind: str) -> None:
        # What was said of one kind does not hold for another.
        if self.variant(slot, path) is not slot.variants[kind]:
            self._drop_below(path)

    def _choose(self, slot: Slot, path: str, node: Mapping) -> Model | None:
        if slot.group is not None:
            return slot.group
        kind = next((entry for entry in node.entries if entry.key == "kind"), None)
        if kind is not None:
            name = str(kind.value.value) if isinstance(kind.value, Scalar) else ""
            if name not in slot.variants:
                self._not_allowed(f"{path}.kind", kind, ", ".join(slot.variants), slot)
                return None
            self._switch(slot, path, name)
            return slot.variants[name]
        model = self.variant(slot, path)
        if model is None:
            kinds = ", ".join(slot.variants)
            self._problem(
                "C005", path, node.place, got="a mapping without `kind`", expected=f"kind: {kinds}"
            )
        return model

    def model_at(self, path: str) -> Model:
        """The config class that stands at a dotted path of groups, by the kinds given so far."""
        model, done = self.root, ""
        for name in filter(None, path.split(".")):
            done = f"{done}.{name}" if done else name
            found = self.variant(slots(model)[name], done)
            if found is None:
                return model
            model = found
        return model

    # --- problems ---

    def _problem(
        self, code: str, path: str, place: object, got: str = "", expected: str = "", hint: str = ""
    ) -> None:
        self.problems.append(
            Problem(code=code, where=f"{path}   ({place})", got=got, expected=expected, hint=hint)
        )

    def _unknown(self, path: str, entry: Entry) -> None:
        kind = None
        if path in all_paths(self.root):
            kind = kind_of(self.model_at(path.rpartition(".")[0]))
        self.problems.append(explain_unknown(self.root, path, entry, kind))

    def _not_a_group(self, slot: Slot, path: str, entry: Entry) -> None:
        if slot.group is None:
            self._not_allowed(path, entry, ", ".join(slot.variants), slot)
            return
        names = list(slots(slot.group))
        self._problem(
            "C011",
            path,
            entry.place,
            got=written(entry.value),
            expected=f"keys such as {path}.{names[0]}: {', '.join(names[:6])}, …",
        )

    def _not_allowed(self, path: str, entry: Entry, expected: str, slot: Slot) -> None:
        close = nearest(written(entry.value), slot.variants)
        hint = f"did you mean {close}?" if close else ""
        self._problem(
            "C005", path, entry.place, got=written(entry.value), expected=expected, hint=hint
        )
