"""Open questions about Deriv and the answers in force.

The exchange does the first choice of each, unless ``serve --assume KEY=CHOICE`` (``Settings.assume``) names another
one. So a strategy can be tried under every answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from paper_exchange.errors import SetupError
from paper_exchange.fidelity.rules import BY_KEY, RULES, Known, Rule


def assumptions() -> tuple[Rule, ...]:
    """The rules that only a live account can settle."""
    return tuple(rule for rule in RULES if rule.known is Known.ASSUMPTION)


def assumed(chosen: Mapping[str, str]) -> dict[str, str]:
    """The answer in force for every assumption.

    Args:
        chosen: answers by key; what is missing takes its first choice.

    Raises:
        SetupError: an unknown key or answer.
    """
    answers = {rule.key: next(iter(rule.choices)) for rule in assumptions()}
    for key, answer in chosen.items():
        if key not in answers:
            raise SetupError(f"{key!r} is no assumption; choose one of {', '.join(sorted(answers))}")
        if answer not in BY_KEY[key].choices:
            raise SetupError(f"{key} cannot be {answer!r}; choose {' or '.join(BY_KEY[key].choices)}")
        answers[key] = answer
    return answers


def parse_assumptions(items: Iterable[str]) -> dict[str, str]:
    """Answers written as ``KEY=CHOICE``.

    Raises:
        SetupError: one that is written otherwise, or two answers to one question.
    """
    answers: dict[str, str] = {}
    for item in items:
        key, equals, answer = item.partition("=")
        if not equals:
            raise SetupError(f"assumption {item!r} has no answer; write it as KEY=CHOICE, such as resale=never")
        if answers.get(key, answer) != answer:
            raise SetupError(f"{key} is assumed to be {answers[key]} and {answer}; choose one")
        answers[key] = answer
    return answers
