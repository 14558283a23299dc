"""Changes of origin sets: their text, and the text of a document after them."""

from __future__ import annotations

import time
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corsguard.errors import PolicyError
from corsguard.sources.changes import (
    SetChange,
    apply_changes,
    format_changes,
    merge_changes,
    parse_changes,
)
from corsguard.sources.set_text import edit_set, find_sets

A, B, C, D = (f"https://{name}.example" for name in "abcd")
DOCUMENT = f"""\
# The API of the shop
allow_origins = [{{ set = "partners" }}, {{ set = "inline" }}, {{ set = "long" }}]

[origin_sets]  # changed at run time
partners = [
    "{A}",  # the first customer
    '{B}',
]  # partners
inline = ["{A}", "{B}"]
long = '''
# Customers
{A}
{B}
'''

[routes]  # below the sets
"""


def read_sets(text: str) -> dict[str, list[str]]:
    """Return the sets of a document as a worker reads them: name -> origins."""
    sets = tomllib.loads(text)["origin_sets"]
    return {
        name: [
            line
            for line in (value.split() if isinstance(value, str) else value)
            if line.startswith("https:")
        ]
        for name, value in sets.items()
    }


def problems(text: str) -> list[tuple[str, str]]:
    """Return the field and the code of each problem of a text of changes."""
    with pytest.raises(PolicyError) as refused:
        parse_changes(text)
    return [(problem.field, problem.code) for problem in refused.value.problems]


def test_changes_are_read() -> None:
    text = f"""
    [changes.partners]
    add = ["{A}", "{B}", "{A}"]
    remove = ["{C}"]
    [changes."the others"]
    add = '''
    {A}

    {B}
    '''
    [changes.none]
    """

    assert parse_changes(text) == {
        "partners": SetChange(add=(A, B), remove=(C,)),
        "the others": SetChange(add=(A, B)),
        "none": SetChange(),
    }


def test_changes_are_written_for_people() -> None:
    changes = {"partners": SetChange((A, B), (C,)), "the others": SetChange(remove=(D,))}

    assert format_changes(changes) == (
        f"""\
[changes.partners]
add = ["{A}", "{B}"]
remove = ["{C}"]

[changes."the others"]
remove = ["{D}"]
"""
    )


def test_long_list_is_a_literal_string() -> None:
    many = tuple(f"https://h{number}.example" for number in range(101))
    text = format_changes({"long": SetChange(add=many, remove=(*many, "it's"))})

    assert text.startswith("[changes.long]\nadd = '''\nhttps://h0.example\n")
    assert 'remove = ["https://h0.example", ' in text  # a quote might end a literal string
    assert parse_changes(text) == {"long": SetChange(many, (*many, "it's"))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("add = [", [("changes", "type-invalid")]),
        ("x = " + "[" * 10_000, [("changes", "type-invalid")]),
        ("", [("changes", "type-invalid")]),
        ("changes = 1", [("changes", "type-invalid")]),
        ("[changes]", [("changes", "type-invalid")]),
        ("enforce = false", [("enforce", "unknown-field")]),
        ("[changes]\npartners = []", [("changes.partners", "type-invalid")]),
        ("[changes.partners]\nadds = []", [("changes.partners.adds", "unknown-field")]),
        ("[changes.partners]\nadd = [1]", [("changes.partners.add", "type-invalid")]),
        ("[changes.partners]\nremove = 1", [("changes.partners.remove", "type-invalid")]),
        (
            'enforce = 1\n[changes."a b"]\nadd = {}\nx = 1',
            [
                ("enforce", "unknown-field"),
                ('changes."a b".x', "unknown-field"),
                ('changes."a b".add', "type-invalid"),
            ],
        ),
    ],
)
def test_changes_of_the_wrong_shape_are_refused(text: str, expected: list[tuple[str, str]]) -> None:
    assert problems(text) == expected


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=5),
        st.builds(
            SetChange,
            *[st.lists(st.text(st.characters(codec="utf-8")), unique=True).map(tuple)] * 2,
        ),
        min_size=1,
    )
)
def test_changes_that_are_written_are_read(changes: dict[str, SetChange]) -> None:
    assert parse_changes(format_changes(changes)) == changes


def test_changes_edit_lists_and_literal_strings_alone() -> None:
    change = SetChange(add=(C,), remove=(B,))

    changed = apply_changes(DOCUMENT, dict.fromkeys(("partners", "inline", "long"), change))

    assert changed == (
        f"""\
# The API of the shop
allow_origins = [{{ set = "partners" }}, {{ set = "inline" }}, {{ set = "long" }}]

[origin_sets]  # changed at run time
partners = [
    "{A}",  # the first customer
    "{C}",
]  # partners
inline = ["{A}", "{C}"]
long = '''
# Customers
{A}
{C}
'''

[routes]  # below the sets
"""
    )


def test_entry_that_is_listed_already_stays_where_it_is() -> None:
    for name in ("partners", "inline", "long"):
        assert apply_changes(DOCUMENT, {name: SetChange(add=(A, B))}) == DOCUMENT
        assert apply_changes(DOCUMENT, {name: SetChange(remove=(C,))}) == DOCUMENT


def test_entry_that_is_removed_and_added_moves_to_the_end() -> None:
    for name in ("partners", "inline", "long"):
        changed = apply_changes(DOCUMENT, {name: SetChange(add=(A,), remove=(A,))})
        assert read_sets(changed)[name] == [B, A]


def test_set_that_the_document_lacks_is_refused() -> None:
    with pytest.raises(PolicyError) as refused:
        apply_changes(DOCUMENT, {"others": SetChange(add=(C,)), "my set": SetChange(add=(C,))})

    first, second = refused.value.problems
    assert (first.field, first.code) == ("origin_sets.others", "set-unknown")
    assert "no such set in its table [origin_sets]" in first.message
    assert first.suggestion == "add [origin_sets] others = [...]"
    assert second.field == 'origin_sets."my set"'


@pytest.mark.parametrize(
    "entry",
    ["", "'''\n[candidate]", "https://a.example'''", "a b", "a\tb", "a\x85b", '"', "\\"],
)
def test_entry_that_might_end_its_string_is_refused(entry: str) -> None:
    for name in ("partners", "long"):
        with pytest.raises(PolicyError) as refused:
            apply_changes(DOCUMENT, {name: SetChange(add=(C, entry))})
        (problem,) = refused.value.problems
        assert (problem.field, problem.code) == (f"changes.{name}.add", "origin-invalid")


@pytest.mark.parametrize("value", ['"https://a.example"', "{ a = 1 }", '"""\\u0061\n"""', "1"])
def test_set_in_another_form_is_refused_with_what_to_do(value: str) -> None:
    with pytest.raises(PolicyError) as refused:
        apply_changes(f"[origin_sets]\nx = {value}\n", {"x": SetChange(add=(A,))})

    assert refused.value.problems[0].suggestion == "write '''...''', one origin a line"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]", f'["{C}"]'),
        ("[ ]", f'[ "{C}"]'),
        ("[\n]", f'[\n    "{C}",\n]'),
        ("[\n  # none yet\n  ]", f'[\n  # none yet\n    "{C}",\n  ]'),
        (f'["{A}"]', f'["{A}", "{C}"]'),
        (f'["{A}",]', f'["{A}", "{C}"]'),
        (f'[ "{A}" ]', f'[ "{A}", "{C}"]'),
        (f'["{A}", # one\n]', f'["{A}", # one\n    "{C}",\n]'),
        (f'[\n\t"{A}" # one\n]', f'[\n\t"{A}", # one\n\t"{C}",\n]'),
        (f'[\n  "{A}"]', f'[\n  "{A}", "{C}"]'),
        (f'[\n  "{B}",\n  "{A}", # one\n  # end\n]', f'[\n  "{A}", # one\n  "{C}",\n  # end\n]'),
        (f'["{B}"]', f'["{C}"]'),
        (f'["{B}", "{A}"]', f'["{A}", "{C}"]'),
        (f'[\n  "{B}", # gone\n]', f'[\n    "{C}",\n]'),
        (f'[\n  "{B}", "{A}",\n]', f'[\n  "{A}",\n  "{C}",\n]'),
        (f'[\n  "{A}"\n  , "{B}"]', f'[\n  "{A}"\n  , "{C}"]'),
        ('["https:\\u002f/b.example"]', f'["{C}"]'),
        (f"['''{B}''', {{ origin = \"{B}\" }}]", f'[{{ origin = "{B}" }}, "{C}"]'),
        (f'[["{B}", "]"], "{A}"]', f'[["{B}", "]"], "{A}", "{C}"]'),
        ("''''''", f"'''\n{C}\n'''"),
        (f"'''{A}'''", f"'''{A}\n{C}\n'''"),
        (f"'''\n{A}'''", f"'''\n{A}\n{C}'''"),
        (f"'''\n  {A}\n  {B}\n  '''", f"'''\n  {A}\n{C}\n  '''"),
        (f"'''\n{A} {B}\n'''", f"'''\n{A}\n{C}\n'''"),
        (f'"""\n{A}\n{B}\n"""', f'"""\n{A}\n{C}\n"""'),
        (f"'''\r\n{A}\r\n{B}\r\n'''", f"'''\r\n{A}\r\n{C}\n'''"),
    ],
)
def test_value_of_a_set_is_edited_where_it_is(before: str, after: str) -> None:
    assert edit_set(before, {C: None}, {B}) == after
    tomllib.loads(f"value = {after}")


@pytest.mark.parametrize(
    "text",
    [
        "[origin_sets]\nx = 'here'",
        "origin_sets.x = 'here' # comment",
        "\"origin_sets\" . 'x' = 'here'",
        "[ 'origin_sets' ]\r\n\"\\u0078\" = 'here'\r\n",
        "x = ['[origin_sets]', \"x = '\"]\n[origin_sets]\nx = 'here'",
        "y = '''\n[origin_sets]\nx = 1\n'''\n[origin_sets]\nx = 'here'",
        "y = ''''\n[origin_sets]\n''''' # '''\n[origin_sets]\nx = 'here'",
        'y = """\n\\"""\n[origin_sets]\nx = 1\\\\""""\n[origin_sets]\nx = \'here\'',
        "y = { a = [1, { b = '}' }] } # }\nz = 1979-05-27 07:32:00\n[origin_sets]\nx = 'here'",
        "[[routes.'/']]\nx = 'there'\n[[routes.'/']]\n[origin_sets]\nx = 'here'",
        "[routes.origin_sets]\nx = 1\n[origin_sets]\nx.y = 1\n[origin_sets]\nx = 'here'",
    ],
)
def test_sets_are_found_in_every_form_of_toml(text: str) -> None:
    places = find_sets(text)

    assert [*places] == ["x"]
    start, end = places["x"]
    assert text[start:end] == "'here'"


@pytest.mark.parametrize(
    "text", ["", "origin_sets = { x = [] }", "x", "= 1", "x = '''\n", "x = [", 'x = """', "x = '"]
)
def test_text_without_sets_or_that_is_no_toml_has_none(text: str) -> None:
    assert find_sets(text) == {}


@pytest.mark.parametrize("value", ["[", "['", "['a'", "['a', ", "['a' # "])
def test_list_that_is_no_toml_stays_wrong(value: str) -> None:
    edited = edit_set(value, {C: None}, {B})

    assert edited is not None
    with pytest.raises(ValueError, match=r"at end of document|line"):
        tomllib.loads(f"value = {edited}")


ENTRIES = st.sampled_from([A, B, C, D])
CHANGES = st.builds(SetChange, *[st.lists(ENTRIES, unique=True).map(tuple)] * 2)
SPACE = st.sampled_from(["", " ", "\n", "\n    ", " # comment, ] ''' \"\n", "\n\n  # one\n\t"])


@st.composite
def lists(draw: st.DrawFn) -> str:
    """Draw a list of TOML with comments and line ends anywhere."""
    entries = draw(st.lists(ENTRIES, unique=True))
    quoted = [draw(st.sampled_from(['"{}"', "'{}'", "'''{}'''"])).format(each) for each in entries]
    parts = [f"{draw(SPACE)}{each}{draw(SPACE)}" for each in quoted]
    end = draw(st.sampled_from([",", ""])) if parts else ""
    return f"[{','.join(parts)}{end}{draw(SPACE)}]"


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """Draw a multi-line literal string."""
    lines = draw(st.lists(st.sampled_from(["", "  ", A, B, C, f"  {D} "])))
    end = draw(st.sampled_from(["", "\n", "\n  "]))
    return "'''\n" + "\n".join(lines) + f"{end}'''"


def apply(entries: list[str], change: SetChange) -> list[str]:
    """Return the entries of a set after a change, by the definition."""
    kept = [each for each in entries if each not in change.remove]
    return [*kept, *(each for each in change.add if each not in kept)]


@settings(max_examples=500, deadline=None)
@given(lists() | blocks(), CHANGES, st.sampled_from(["", "\n[routes]\nx = 1\n"]))
def test_any_set_has_the_entries_of_the_definition(value: str, change: SetChange, end: str) -> None:
    text = f"enforce = true\n[origin_sets]\nx = {value} # end\ny = ['{A}']{end}"
    before, after = read_sets(text), read_sets(apply_changes(text, {"x": change}))

    assert after["x"] == apply(before["x"], change)
    assert after["y"] == [A]
    unchanged = {key: each for key, each in tomllib.loads(text).items() if key != "origin_sets"}
    changed = tomllib.loads(apply_changes(text, {"x": change}))
    assert {key: each for key, each in changed.items() if key != "origin_sets"} == unchanged


@settings(max_examples=300, deadline=None)
@given(st.lists(ENTRIES, unique=True), st.lists(CHANGES, max_size=5))
def test_merged_changes_do_what_they_do_in_order(
    entries: list[str], changes: list[SetChange]
) -> None:
    text = "[origin_sets]\nx = '''\n" + "".join(f"{each}\n" for each in entries) + "'''\n"
    one_by_one = text
    for change in changes:
        one_by_one = apply_changes(one_by_one, {"x": change})

    merged = merge_changes({"x": change} for change in changes)
    assert apply_changes(text, merged) == one_by_one


def test_merged_changes_keep_sets_apart() -> None:
    merged = merge_changes(
        [{"x": SetChange((A,)), "y": SetChange((B,))}, {"y": SetChange((C,), (B,))}]
    )

    assert merged == {"x": SetChange((A,)), "y": SetChange((C,), (B,))}


def test_change_of_a_long_set_takes_milliseconds() -> None:
    lines = "".join(f"https://h{number}.example.com\n" for number in range(100_000))
    text = f"[origin_sets]\nx = '''\n{lines}'''\n"

    start = time.perf_counter()
    changed = apply_changes(text, {"x": SetChange((A,), ("https://h7.example.com",))})
    assert time.perf_counter() - start < 1  # 50 ms on an idle machine

    assert changed == text.replace("https://h7.example.com\n", "").replace(
        "\n'''\n", f"\n{A}\n'''\n"
    )
