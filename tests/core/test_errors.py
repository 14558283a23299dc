"""Problem, PolicyError: the address of each code's section, and the notes of a traceback."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from collections.abc import Callable

import pytest

from corsguard import Policy, PolicyError, Problem
from corsguard.errors import DOCUMENTATION_URL

_PAGE = "https://corsguard.readthedocs.io/en/stable/problems.html"


def _build_error(**fields: object) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        Policy.from_mapping({"allow_origins": ["https://a.example"], **fields})
    return caught.value


def test_url_is_the_section_of_the_code() -> None:
    problem = Problem("method-case", "allow_methods", "patch", "it is lower case", "PATCH")
    assert problem.url == f"{_PAGE}#method-case"
    assert problem.url.startswith(DOCUMENTATION_URL)
    assert problem.url not in str(problem)


def test_as_dict_has_the_url_and_is_json() -> None:
    problem = Problem("method-case", "allow_methods", b"patch", "it is lower case", "PATCH")
    assert json.loads(json.dumps(problem.as_dict())) == {
        "code": "method-case",
        "field": "allow_methods",
        "value": "b'patch'",
        "message": "it is lower case",
        "suggestion": "PATCH",
        "url": f"{_PAGE}#method-case",
    }


def test_traceback_of_one_problem_ends_with_its_address() -> None:
    lines = "".join(traceback.format_exception(_build_error(allow_methods=["patch"]))).splitlines()
    assert lines[-3].endswith("Use PATCH [method-case]")
    assert lines[-2:] == [
        f"See {_PAGE}#method-case",
        "Offline: corsguard explain-code method-case",
    ]


def test_notes_name_each_code_once_in_order() -> None:
    error = _build_error(allow_origins=["a.example", "b.example"], allow_methods=["patch", "put"])
    assert [problem.code for problem in error.problems] == ["origin-invalid"] * 2 + [
        "method-case"
    ] * 2
    assert error.__notes__ == [
        f"See {_PAGE}#origin-invalid",
        f"See {_PAGE}#method-case",
        "Offline: corsguard explain-code CODE",
    ]
    assert "readthedocs" not in str(error)


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copied_error_has_the_notes_once(
    duplicate: Callable[[PolicyError], PolicyError],
) -> None:
    error = _build_error(allow_methods=["patch"])
    for _ in range(2):
        error = duplicate(error)
        assert error.__notes__ == [
            f"See {_PAGE}#method-case",
            "Offline: corsguard explain-code method-case",
        ]


def test_note_of_an_application_survives_pickling() -> None:
    error = _build_error(allow_methods=["patch"])
    error.add_note("in settings/production.py")
    assert pickle.loads(pickle.dumps(error)).__notes__[2:] == ["in settings/production.py"]


def test_error_without_problems_has_no_notes() -> None:
    assert not hasattr(PolicyError([]), "__notes__")
