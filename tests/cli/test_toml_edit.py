from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.questions import build_test_question

from corsguard import Guard, Policy, dangerous
from corsguard.cli.toml_edit import EditError, apply_changes, set_option
from corsguard.explain.changes import Change
from corsguard.explain.fixes import explain_request
from corsguard.explain.place import Place
from corsguard.explain.policy_server import build_policy_server
from corsguard.explain.question import Question
from corsguard.policy.warning_filter import ignore_policy_warnings

A, NEW = "https://a.example", "https://new.example"


def ask_for(path: str, *, page: str = NEW, **options: object) -> Question:
    return build_test_question(f"https://api.example{path}", page, **options)


def ask_for_all(path: str) -> Question:
    """A request that needs a change of every kind."""
    return ask_for(path, method="PATCH", header=["X-New: 1"], credentials="include")


def read_guard(text: str) -> Guard:
    with ignore_policy_warnings():
        return Guard.from_mapping(tomllib.loads(text.removeprefix("\ufeff")))


def fix(text: str, question: Question) -> str:
    """Return the text with the changes that `explain` suggests."""
    explanation = explain_request(read_guard(text), build_policy_server, question.play)
    assert not explanation.problems
    return apply_changes(text, explanation.changes)


def is_allowed(text: str, question: Question) -> bool:
    guard = read_guard(text)
    return explain_request(guard, build_policy_server, question.play).exchange.allowed


LISTED = Policy(allow_origins=[A]), Policy(allow_origins=[NEW])
SECOND = Place("route", "/", LISTED[1], policies=LISTED)
MORE = 'allow_credentials = true\nallow_methods = ["PATCH"]\nallow_headers = ["X-New"]\n'
MORE_INLINE = 'allow_credentials = true, allow_methods = ["PATCH"], allow_headers = ["X-New"]'
# What a file has at the place of the policy for `/x`, before and after all kinds of changes.
PLACES = {
    "top level": (
        f'# c\nallow_origins = ["{A}"]  # the app\nmax_age = 60 # s\n\n# end\n',
        f'# c\nallow_origins = ["{A}", "{NEW}"]  # the app\nmax_age = 60 # s\n{MORE}\n# end\n',
    ),
    "top level before tables": (
        f'allow_origins = ["{A}", {{ set = "p" }}]\n\n# partners\n[origin_sets]\np = ["{A}2"]\n',
        f'allow_origins = ["{A}", {{ set = "p" }}, "{NEW}"]\n{MORE}\n'
        f'# partners\n[origin_sets]\np = ["{A}2"]\n',
    ),
    "table": (
        f'[routes."/x"]\nallow_origins = ["{A}"]\n\n# others\n[routes."/y"]\n'
        f'allow_origins = ["{A}"]\n',
        f'[routes."/x"]\nallow_origins = ["{A}", "{NEW}"]\n{MORE}\n# others\n[routes."/y"]\n'
        f'allow_origins = ["{A}"]\n',
    ),
    "indented table": (
        f'[routes]\n  [routes."/x"]\n  allow_origins = ["{A}"]\n',
        f'[routes]\n  [routes."/x"]\n  allow_origins = ["{A}", "{NEW}"]\n'
        + "".join(f"  {line}\n" for line in MORE.splitlines()),
    ),
    "table with an escaped name": (
        f'[routes."\\u002fx"]\n"allow_origins" = [\'{A}\']\n',
        f'[routes."\\u002fx"]\n"allow_origins" = [\'{A}\', "{NEW}"]\n{MORE}',
    ),
    "inline tables": (
        f'routes = {{ "/x" = {{ allow_origins = ["{A}"] }}, "/y" = false }} # both\n',
        f'routes = {{ "/x" = {{ allow_origins = ["{A}", "{NEW}"], {MORE_INLINE} }}, '
        '"/y" = false } # both\n',
    ),
    "inline table": (
        f'[routes]\n"/x" = {{allow_origins = ["{A}"]}} # x\n',
        f'[routes]\n"/x" = {{ allow_origins = ["{A}", "{NEW}"], {MORE_INLINE} }} # x\n',
    ),
    "keys with dots": (
        f'routes."/x".allow_origins = ["{A}"] # x\nenforce = false\n',
        f'routes."/x".allow_origins = ["{A}", "{NEW}"] # x\nroutes."/x".allow_headers = ["X-New"]\n'
        'routes."/x".allow_methods = ["PATCH"]\nroutes."/x".allow_credentials = true\n'
        "enforce = false\n",
    ),
    "array of tables": (
        f'[[routes."/x"]]\nallow_origins = ["{A}"]\n\n[[routes."/x"]]\nallow_origins = ["*"]\n',
        f'[[routes."/x"]]\nallow_origins = ["{A}", "{NEW}"]\n{MORE}\n[[routes."/x"]]\n'
        'allow_origins = ["*"]\n',
    ),
    "array of inline tables": (
        f'[routes]\n"/x" = [\n  {{ allow_origins = ["{A}"] }}, # one\n]\n',
        f'[routes]\n"/x" = [\n  {{ allow_origins = ["{A}", "{NEW}"], {MORE_INLINE} }}, # one\n]\n',
    ),
    "wildcard": ('allow_origins = ["*"]  # any\n', f'allow_origins = ["{NEW}"]  # any\n{MORE}'),
    "lists on lines": (
        f'allow_origins = [\n  "{A}", # the app\n  "{A}2" # its twin\n  # more\n]\n'
        'allow_methods = [\n    "PUT",\n]\n',
        f'allow_origins = [\n  "{A}", # the app\n  "{A}2", # its twin\n  "{NEW}",\n  # more\n]\n'
        'allow_methods = [\n    "PUT",\n    "PATCH",\n]\n'
        'allow_credentials = true\nallow_headers = ["X-New"]\n',
    ),
    "no end of the last line": (
        f'\ufeffallow_origins = ["{A}"] # x',
        f'\ufeffallow_origins = ["{A}", "{NEW}"] # x\n{MORE}',
    ),
    "line ends of Windows": (
        f'# c\r\nallow_origins = ["{A}"]\r\n\r\n[origin_sets]\r\n',
        f'# c\r\nallow_origins = ["{A}", "{NEW}"]\r\n{MORE}\n[origin_sets]\n',
    ),
    "no table": (
        "enforce = true # x\n",
        f'enforce = true # x\n\n[routes."/x"]\nallow_origins = ["{NEW}"]\n{MORE}',
    ),
    "other tables": (
        f'# c\r\n[routes."/y"]\r\nallow_origins = ["{A}"]\r\n',
        f'# c\n[routes."/y"]\nallow_origins = ["{A}"]\n\n[routes."/x"]\nallow_origins = ["{NEW}"]\n'
        f"{MORE}",
    ),
    "other keys with dots": (
        f'routes."/y".allow_origins = ["{A}"]\n',
        f'routes."/y".allow_origins = ["{A}"]\n\n[routes."/x"]\nallow_origins = ["{NEW}"]\n{MORE}',
    ),
    "other inline tables": (
        f'routes = {{ "/y" = {{ allow_origins = ["{A}"] }} }}\n',
        f'routes = {{ "/y" = {{ allow_origins = ["{A}"] }}, "/x" = {{ allow_origins = ["{NEW}"], '
        f"{MORE_INLINE} }} }}\n",
    ),
    "false": (
        '[routes]\n"/x" = false  # closed\n"/y" = false\n',
        f'[routes]\n"/x" = {{ allow_origins = ["{NEW}"], {MORE_INLINE} }}  # closed\n'
        '"/y" = false\n',
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_all_kinds_of_changes_are_made_in_place(name: str) -> None:
    before, after = PLACES[name]
    if "\r" in before:
        after = re.sub("\r?\n", "\r\n", after)
    question = ask_for_all("/x")

    assert not is_allowed(before, question)
    assert fix(before, question) == after
    assert is_allowed(after, question)
    assert fix(after, question) == after


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"page": NEW}, f'allow_origins = ["{A}", "{NEW}"]'),
        ({"page": A, "credentials": "include"}, "allow_credentials = true"),
        ({"page": A, "method": "PATCH"}, 'allow_methods = ["PATCH"]'),
        ({"page": A, "header": ["X-New: 1"]}, 'allow_headers = ["X-New"]'),
    ],
)
def test_one_kind_of_change_alone_is_made(options: dict[str, str], line: str) -> None:
    text = f'allow_origins = ["{A}"]\n'

    fixed = fix(text, ask_for("/", **{"page": NEW, **options}))

    assert line in fixed.splitlines()
    assert len(tomllib.loads(fixed)) == (1 if "origins" in line else 2)


def test_false_value_becomes_true_in_place() -> None:
    text = f'allow_credentials = false # cookies\nallow_origins = ["{A}"]\n'

    fixed = fix(text, ask_for("/", page=A, credentials="include"))

    assert fixed == text.replace("false", "true")


def test_table_without_fields_gets_some() -> None:
    place = Place("route", "/x", None)
    text = '[routes."/x"]\n'

    fixed = apply_changes(text, [Change(place, "allow_origins", (A,), "")])

    assert fixed == f'[routes."/x"]\nallow_origins = ["{A}"]\n'


def test_empty_text_gets_a_table() -> None:
    fixed = apply_changes("", [Change(Place("route", '/"x"', None), "allow_origins", (A,), "")])

    assert fixed == f'[routes."/\\"x\\""]\nallow_origins = ["{A}"]\n'


def test_entry_that_is_there_is_not_added_again() -> None:
    place = Place("everywhere", "", None)

    fixed = apply_changes(
        f'allow_origins = ["{A}"]', [Change(place, "allow_origins", (A, NEW), "")]
    )

    assert fixed == f'allow_origins = ["{A}", "{NEW}"]'


def test_value_of_another_type_is_replaced() -> None:
    place = Place("everywhere", "", None)

    fixed = apply_changes(f'allow_origins = "{A}" # x', [Change(place, "allow_origins", (A,), "")])

    assert fixed == f'allow_origins = ["{A}"] # x'


@pytest.mark.parametrize(
    ("text", "place", "value", "why"),
    [
        ("a = [", Place("everywhere", "", None), True, "Invalid value"),
        ("a = " + "[" * 9_000, Place("everywhere", "", None), True, "recursion"),
        ("", Place("view", "v", None, holder="view v"), True, "the policy of view v is in no file"),
        (
            "",
            Place("everywhere", "", None),
            (dangerous("null", "null"),),
            "f has entries that no file can hold",
        ),
        ("routes = 1", Place("route", "/", None), (A,), "it has no table for f"),
        ("routes = false", Place("route", "/", None), (A,), "it has no table for f"),
        ('routes."/" = 1', Place("route", "/", None), (A,), "it has no table for f"),
        ('routes."/" = [{}]', Place("route", "/", None), (A,), "it has no table for f"),
        ('[[routes."/"]]', SECOND, True, "it has no table for f"),
        ('routes."/" = {}', SECOND, True, "it has no table for f"),
    ],
)
def test_change_that_no_text_can_hold_is_an_error(
    text: str, place: Place, value: tuple[str, ...] | bool, why: str
) -> None:
    with pytest.raises(EditError, match=why):
        apply_changes(text, [Change(place, "f", value, "")])


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        (
            '[[routes."/"]]\nmax_age = 1\n[[routes."/"]] # 2\nmax_age = 2 # s\n',
            '[[routes."/"]]\nmax_age = 1\n[[routes."/"]] # 2\nmax_age = 2 # s\nf = true\n',
        ),
        (
            '[routes]\n"/" = [{}, {}]\n',
            '[routes]\n"/" = [{}, { f = true }]\n',
        ),
        (
            '[routes]\n"/" = [{}, { f = false }]\n',
            '[routes]\n"/" = [{}, { f = true }]\n',
        ),
    ],
)
def test_policy_of_a_list_is_changed_at_its_position(text: str, edited: str) -> None:
    assert apply_changes(text, [Change(SECOND, "f", value=True, exposes="")]) == edited


def test_later_change_finds_what_an_earlier_one_added() -> None:
    place = Place("route", "/x", None)
    changes = [
        Change(place, "allow_origins", (A,), ""),
        Change(place, "allow_credentials", value=True, exposes=""),
    ]

    fixed = apply_changes("# nothing yet\n", changes)

    assert fixed == (
        f'# nothing yet\n\n[routes."/x"]\nallow_origins = ["{A}"]\nallow_credentials = true\n'
    )


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("", "enforce = true\n"),
        ("enforce = false # c\nmax_age = 1\n", "enforce = true # c\nmax_age = 1\n"),
        ('enforce = "report"', "enforce = true"),
        ("# c\n[routes]\n", "# c\nenforce = true\n\n[routes]\n"),
        ("max_age = 1\n\n# r\n[routes]\n", "max_age = 1\nenforce = true\n\n# r\n[routes]\n"),
        ("a.b = 1\n[routes]\n", "a.b = 1\nenforce = true\n\n[routes]\n"),
        ("a.b = 1", "a.b = 1\nenforce = true\n"),
        ("a.b = [ # c\n]  # d", "a.b = [ # c\n]  # d\nenforce = true\n"),
        ("[routes]\r\n", "enforce = true\r\n\r\n[routes]\r\n"),
        ("# c\r\n", "# c\r\nenforce = true\r\n"),
        ("a.b = 1\r\n# c", "a.b = 1\r\n# c\r\nenforce = true\r\n"),
    ],
)
def test_option_is_set_at_the_top_level(text: str, edited: str) -> None:
    assert set_option(text, "enforce", value=True) == edited


def test_text_that_only_tomllib_can_read_is_an_error() -> None:
    text = "x = {}{}".format("[" * 400, "]" * 400)
    assert tomllib.loads(text)

    with pytest.raises(EditError, match="its layout leaves no place for enforce"):
        set_option(text, "enforce", value=True)


def test_option_of_a_text_that_is_not_toml_is_an_error() -> None:
    with pytest.raises(EditError, match="Invalid statement"):
        set_option("!", "enforce", value=True)


ORIGINS = st.lists(
    st.sampled_from([A, "https://b.example", "https://*.c.example", "http://localhost:*", NEW]),
    unique=True,
    min_size=1,
)
FIELDS = st.fixed_dictionaries(
    {"allow_origins": ORIGINS},
    optional={
        "allow_credentials": st.booleans(),
        "allow_methods": st.lists(st.sampled_from(["PUT", "PATCH", "DELETE"]), unique=True),
        "allow_headers": st.lists(st.sampled_from(["X-New", "Authorization"]), unique=True),
        "max_age": st.integers(1, 600),
    },
)
COMMENTS = st.sampled_from(["", " # why", "\t# 'a' [b] = \"c\""])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A configuration in one of the layouts of TOML, with comments."""

    def write_list(values: list[str]) -> str:
        quoted = [draw(st.sampled_from(["'{}'", '"{}"'])).format(value) for value in values]
        if not quoted or draw(st.booleans()):
            return f"[{draw(st.sampled_from([', ', ',', ' , '])).join(quoted)}]"
        end = draw(st.sampled_from([",", ""]))
        inner = ",\n  ".join(quoted)
        return f"[{draw(COMMENTS)}\n  {inner}{end}{draw(COMMENTS)}\n]"

    def write_value(value: object) -> str:
        return write_list(value) if isinstance(value, list) else str(value).lower()

    def write_fields(fields: dict[str, object], prefix: str = "") -> str:
        return "".join(
            f"{prefix}{name} = {write_value(value)}{draw(COMMENTS)}\n"
            for name, value in fields.items()
        )

    def write_inline(fields: dict[str, object]) -> str:
        items = (
            f"{name} = {value if isinstance(value, list) else write_value(value)}"
            for name, value in fields.items()
        )
        return f"{{ {', '.join(items)} }}"

    one, two = draw(FIELDS), draw(FIELDS)
    layouts = {
        "top level": lambda: write_fields(one),
        "tables": lambda: (
            f'[routes."/x"]{draw(COMMENTS)}\n{write_fields(one)}\n[routes."/"]\n{write_fields(two)}'
        ),
        "inline": lambda: f'routes = {{ "/x" = {write_inline(one)}, "/y" = {write_inline(two)} }}',
        "false": lambda: f'[routes]\n"/x" = {write_inline(one)}{draw(COMMENTS)}\n"/y" = false\n',
        "dots": lambda: write_fields(one, 'routes."/x".') + write_fields(two, 'routes."/y/z".'),
        "array of tables": lambda: (
            f'[[routes."/x"]]\n{write_fields(one)}\n[[routes."/x"]]\n{write_fields(two)}'
        ),
        "array": lambda: f'[routes]\n"/x" = [{write_inline(one)}, {write_inline(two)}]\n',
    }
    return layouts[draw(st.sampled_from([*layouts]))]()


QUESTIONS = st.builds(
    lambda path, page, method, header, credentials: ask_for(
        path, page=page, method=method, header=header, credentials=credentials
    ),
    st.sampled_from(["/", "/x", "/x/1", "/y", "/z"]),
    st.sampled_from([A, NEW, "https://sub.c.example"]),
    st.sampled_from(["GET", "PUT", "PATCH"]),
    st.sampled_from([[], ["X-New: 1"], ["Authorization: x", "X-Other: 1"]]),
    st.sampled_from(["omit", "include"]),
)


@pytest.mark.slow
@given(texts(), QUESTIONS)
def test_request_is_allowed_once_its_fix_is_applied(text: str, question: Question) -> None:
    fixed = fix(text, question)

    assert is_allowed(fixed, question)
    assert [line for line in text.splitlines() if line.startswith("[")] == [
        line for line in fixed.splitlines() if line.startswith("[") and line in text.splitlines()
    ]
    for comment in ("# why", "# 'a' [b] = \"c\""):
        assert fixed.count(comment) == text.count(comment)


@pytest.mark.slow
@given(
    texts(),
    st.sampled_from(["", "\n", "\n# why"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\ufeff"]),
)
def test_option_is_set_in_any_layout(text: str, end: str, newline: str, mark: str) -> None:
    given_text = mark + (text.rstrip("\n") + end).replace("\n", newline)

    edited = set_option(given_text, "enforce", value=True)

    assert tomllib.loads(edited.removeprefix(mark)) == {**tomllib.loads(text), "enforce": True}
    assert edited.startswith(mark)
    assert edited.count("\r") == (edited.count("\n") if "\r" in given_text else 0)
    before, after = (each.removeprefix(mark).splitlines() for each in (given_text, edited))
    assert [line for line in after if line and not line.startswith("enforce")] == [
        line for line in before if line
    ]
