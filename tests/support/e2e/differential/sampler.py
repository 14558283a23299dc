"""Cases, drawn at random: some answered by a policy, the others by a script."""

from __future__ import annotations

from random import Random

from support.e2e.differential.cases import Case, Hop
from support.e2e.differential.requests import draw_requests
from support.e2e.differential.responses import RESPONSE_HEADERS, draw_policy, random_responses
from support.e2e.differential.strategies import STRATEGIES

from corsguard.browser.messages import Answer

EACH = 75
"""How many cases are drawn for each strategy: some turn out well, or for another reason."""
AT_LEAST = 50
"""How often each reason of a refusal comes up."""


def draw_cases(seed: int, of_policies: int = 1_500, of_soup: int = 1_500) -> list[Case]:
    """Return cases in random order: `EACH` for each strategy, the others at random."""
    random = Random(seed)
    cases = [policy_case(random) for _ in range(of_policies)]
    for name, strategy in STRATEGIES.items():
        cases.extend(strategy(random)._replace(strategy=name) for _ in range(EACH))
    cases += [random_headers_case(random) for _ in range(of_soup)]
    random.shuffle(cases)
    return cases


def policy_case(random: Random) -> Case:
    actual = Answer(random.choice([200, 200, 404, 500]), RESPONSE_HEADERS, b"text")
    sandboxed = random.random() < 0.1
    return Case(
        draw_requests(random), (Hop(None, actual, draw_policy(random)),), sandboxed, "policy"
    )


def random_headers_case(random: Random) -> Case:
    return Case(draw_requests(random), (Hop(*random_responses(random)),), strategy="random-headers")
