"""Cases, drawn at random: some answered by a policy, the others by a script."""

from __future__ import annotations

from random import Random

from support.differential.aims import AIMS
from support.differential.answering import RESPONSE_HEADERS, policy, soup
from support.differential.asking import requests
from support.differential.cases import Case, Hop

from corsguard.browser.messages import Answer

EACH = 75
"""How many cases are drawn for each aim: some turn out well, or for another reason."""
AT_LEAST = 50
"""How often each reason of a refusal comes up."""


def draw(seed: int, of_policies: int = 1_500, of_soup: int = 1_500) -> list[Case]:
    """So many cases that a policy answers, so many with any headers, and `EACH` for each aim."""
    random = Random(seed)
    cases = [by_policy(random) for _ in range(of_policies)]
    for name, aim in AIMS.items():
        cases.extend(aim(random)._replace(aim=name) for _ in range(EACH))
    cases += [by_soup(random) for _ in range(of_soup)]
    random.shuffle(cases)
    return cases


def by_policy(random: Random) -> Case:
    actual = Answer(random.choice([200, 200, 404, 500]), RESPONSE_HEADERS, b"text")
    sandboxed = random.random() < 0.1
    return Case(requests(random), (Hop(None, actual, policy(random)),), sandboxed, "policy")


def by_soup(random: Random) -> Case:
    return Case(requests(random), (Hop(*soup(random)),), aim="soup")
