"""What the columns of a delivered layer mean: whose records, of which kind and status, under which ids.

What the user said comes first, then the operator's profile, then the common vocabulary, then a file's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from geopipe.config import DeliveryOptions, Vocabulary
from geopipe.io.delivery import GEOMETRY, GEOMETRY_PROBLEM, ROW, RawLayer
from geopipe.profiles import IdRules, OperatorProfile
from geopipe.recognition import find_column, fold_tight, lookup, map_values, word_in_name
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind, Status
from geopipe.values import as_text

_REGISTERS = {
    **dict.fromkeys(HAZARD_KINDS, "hazard"),
    **dict.fromkeys(RELEASED_KINDS, "land_release"),
    Kind.SURVEY_BOX: "survey",
    Kind.TASK: "task",
    Kind.UNKNOWN: "unknown",
}
# What the reader adds to the columns of a file.
_OF_THE_READER = (ROW, GEOMETRY, GEOMETRY_PROBLEM)
# A column whose values repeat this much is no identity, whatever its name says.
_LEAST_DISTINCT_SHARE = 0.5


@dataclass
class Columns:
    """The columns of one layer, and what was assumed while they were understood.

    Parameters
    ----------
    layer : RawLayer
    file : str
        Name of its file, as people see it.
    options : DeliveryOptions
        What the user said, and what the profile adds to it.
    vocabulary : Vocabulary
        Words that are recognised where the user said nothing, the profile's own first.
    profile : OperatorProfile
        How the operator writes ids, and whether all its records belong to one register.
    folder : str
        Name of the folder where that is what was delivered (tables of IMSMA NG); '' for a file.
    """

    layer: RawLayer
    file: str
    options: DeliveryOptions
    vocabulary: Vocabulary
    profile: OperatorProfile
    folder: str = ""
    assumptions: list[str] = field(default_factory=list)
    of: dict[str, str] = field(init=False)
    """Canonical column -> delivered column."""

    def __post_init__(self) -> None:
        self.of = self._recognised()

    @property
    def place(self) -> str:
        """The layer's name for people: the file alone where the layer has the file's name."""
        name = self.layer.name
        return self.file if not name or name in self.file else f"{self.file}, layer {name}"

    @property
    def names(self) -> list[str]:
        """Names of the delivered columns."""
        return [name for name in self.layer.table.column_names if name not in _OF_THE_READER]

    def __contains__(self, canonical: str) -> bool:
        """Say whether the layer has a column of this meaning."""
        return canonical in self.of

    def __getitem__(self, canonical: str) -> pa.ChunkedArray:
        """Return the delivered column of this meaning."""
        return self.layer.table[self.of[canonical]]

    def unknown_field(self) -> str:
        """Return the sentence about a column that was asked for and is not there, '' if all are."""
        for option in ("operator_field", "kind_field", "id_field"):
            wanted = getattr(self.options, option)
            if wanted is not None and find_column(self.names, [wanted]) is None:
                flag = "--" + option.replace("_", "-")
                known = ", ".join(self.names) or "(the file has no columns)"
                return f"{self.place}: there is no column {wanted!r}. Give {flag} one of: {known}."
        return ""

    def operators(self) -> pa.Array:
        """Return each record's operator: as told, from its column, else from a file's or folder's name."""
        known = lookup(self.vocabulary.operators)
        if self.options.operator:
            return self._all(known.get(fold_tight(self.options.operator), self.options.operator))
        in_file = word_in_name(self.file, known)
        bearer = "folder" if self.folder and not in_file else "file"
        recognised = in_file or word_in_name(self.folder, known)
        fallback = recognised or self.folder or self.file.rsplit("/", 1)[-1].split(".", 1)[0]
        if "operator" in self:
            values = as_text(self["operator"])
            named = map_values(values, lambda text: known.get(fold_tight(text), text), pa.string())
            if named.null_count:
                self.assumptions.append(
                    f"{self.place}: {named.null_count} records without operator are {fallback}'s"
                )
            return pc.fill_null(named, fallback)
        source = f"a word in the {bearer}'s name" if recognised else f"the {bearer}'s name"
        self.assumptions.append(f"{self.place}: operator {fallback} ({source})")
        return self._all(fallback)

    def kinds(self) -> pa.Array:
        """Return each record's kind: as told, from its column, else from a word in a name."""
        if self.options.kind:
            return self._all(str(self.options.kind))
        known = lookup(self.vocabulary.kinds)
        words = (
            word_in_name(name, known, self.vocabulary.kinds_not_in_names, self.vocabulary.kinds_in_doubt)
            for name in (self.layer.name, self.file)
        )
        from_name = next((word for word in words if word), None)
        if "kind" in self:
            values = as_text(self["kind"])
            kinds = map_values(values, lambda text: known.get(fold_tight(text)), pa.string())
            # A column none of whose values is a kind is about something else; one odd value is unknown.
            if kinds.null_count < len(kinds):
                return self._kinds_of_column(values, kinds, from_name or str(Kind.UNKNOWN))
        if from_name:
            self.assumptions.append(f"{self.place}: all {from_name} (a word in the name)")
        else:
            self.assumptions.append(f"{self.place}: kind UNKNOWN; say it with --kind or --kind-field")
        return self._all(from_name or str(Kind.UNKNOWN))

    def _kinds_of_column(self, values: pa.Array, kinds: pa.Array, where_empty: str) -> pa.Array:
        """Fill what a kind column left open: unknown where it is odd, the name's word where it is empty."""
        odd = kinds.null_count - values.null_count
        if odd:  # the values themselves are not shown: free text may name people
            self.assumptions.append(
                f"{self.place}: kind UNKNOWN for {odd} records whose value is not a known kind"
            )
        return pc.if_else(pc.is_valid(values), pc.fill_null(kinds, str(Kind.UNKNOWN)), where_empty)

    def statuses(self) -> pa.Array | str:
        """Return each record's status, unknown where its column says nothing that is known."""
        unknown = Status.UNKNOWN.value
        if "status" not in self:
            return unknown
        known = lookup(self.vocabulary.statuses)
        values = as_text(self["status"])
        return map_values(
            pc.fill_null(values, ""), lambda text: known.get(fold_tight(text), unknown), pa.string()
        )

    def registers(self, kind: pa.Array) -> pa.Array:
        """Return the register that each record belongs to: as the profile says, else by its kind."""
        if self.profile.register_name:
            return self._all(self.profile.register_name)
        return map_values(kind, _REGISTERS.__getitem__, pa.string())

    def source_ids(self, register: pa.Array) -> pa.Array:
        """Return the operator's own ids, null where it gave none."""
        self._choose_id(register)
        rows = self.layer.table.num_rows
        if "source_id" not in self:
            self.assumptions.append(f"{self.place}: no id column; records are known by their geometry")
            return pa.nulls(rows, pa.string())
        ids = as_text(self["source_id"])
        given = len(ids) - ids.null_count
        distinct = len(pc.unique(ids.drop_null()))
        if self.options.id_field is None and distinct < _LEAST_DISTINCT_SHARE * given:
            self.assumptions.append(
                f"{self.place}: column {self.of['source_id']} repeats too much to be an id, not used"
            )
            return pa.nulls(rows, pa.string())
        rules = self.profile.ids
        return ids if rules == IdRules() else map_values(ids, rules.apply, pa.string())

    def _choose_id(self, register: pa.Array) -> None:
        """Choose the id column by what most records are: HAZARD_ID in a clearance file is not its own id."""
        if self.options.id_field:
            self.of["source_id"] = find_column(self.names, [self.options.id_field]) or ""
            return
        counts = {row["values"]: row["counts"] for row in register.value_counts().to_pylist()}
        most = max(sorted(counts), key=counts.__getitem__, default="")  # of equals the first by name
        ids = self.vocabulary.ids
        column = find_column(self.names, [*ids["always"], *ids.get(most, ()), *ids["otherwise"]])
        if column is not None:
            self.of["source_id"] = column
            self.assumptions.append(f"{self.place}: own ids from column {column}")

    def _recognised(self) -> dict[str, str]:
        """Return canonical column -> delivered column: as the user said, else as recognised."""
        said = {
            "operator": self.options.operator_field,
            "kind": self.options.kind_field,
        }
        found = {}
        for canonical, aliases in self.vocabulary.columns.items():
            wanted = said.get(canonical)
            column = find_column(self.names, [wanted] if wanted else aliases)
            if column is not None:
                found[canonical] = column
        return found

    def _all(self, value: str) -> pa.Array:
        return pa.repeat(pa.scalar(value, pa.string()), self.layer.table.num_rows)
