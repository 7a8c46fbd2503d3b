"""Tables of the paper exchange, made from its code: each function returns the Markdown of one region."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tables import ROOT, code, first_sentence, table


def exchange_symbols() -> str:
    from xtitan_core.symbols import SYMBOLS

    rows = [
        (
            code(s.name),
            f"{s.tick_seconds} s",
            str(s.decimals),
            f"{s.volatility:.0%}",
            f"{s.initial_price:g}",
            s.display_name,
        )
        for s in SYMBOLS.values()
    ]
    return table(("symbol", "tick", "decimals", "volatility", "starts at", "name"), rows)


def exchange_calls() -> str:
    from paper_exchange.calls.dispatch import ACCOUNT_HANDLERS, HANDLERS
    from paper_exchange.protocol.requests import REQUESTS

    handlers = {**HANDLERS, **ACCOUNT_HANDLERS}
    rows = [
        (code(name), "account" if name in ACCOUNT_HANDLERS else "any", first_sentence(handlers[name].__doc__))
        for name in REQUESTS
    ]
    return table(("call", "socket", "what it answers"), rows)


def exchange_budgets() -> str:
    from paper_exchange.venue.budgets import _OTHER, GROUPS, PER_CONNECTION, PINGS, REST_PER_ADDRESS, REST_PER_USER

    groups: dict[tuple[tuple[str, int, int], ...], list[str]] = {}
    for name, group in GROUPS.items():
        if group:
            groups.setdefault(group, []).append(code(name))
    rows = [(", ".join(names), _windows(group)) for group, names in groups.items()]
    rows += [
        ("all others", _windows(_OTHER)),
        ("`ping`, a connection", _windows(PINGS[:1])),
        ("everything, a connection", _windows(PER_CONNECTION)),
        ("REST, a user", _windows(REST_PER_USER)),
        ("REST, an address", _windows(REST_PER_ADDRESS)),
    ]
    return table(("calls that share it", "at most"), rows)


def _windows(group: Iterable[tuple[str, int, int]]) -> str:
    names = {1: "second", 60: "minute", 600: "10 minutes", 3_600: "hour"}
    return ", ".join(
        f"{most:,} in {names[seconds]}" if seconds == 600 else f"{most:,} a {names[seconds]}"
        for _, seconds, most in group
    )


def exchange_fault_points() -> str:
    """What stands for each crash and disconnect point of the runner's failure model."""
    from paper_exchange.faults.catalogue import CATALOGUE, NOT_OURS

    found: dict[str, list[str]] = {}
    for name, entry in CATALOGUE.items():
        for point in entry.where:
            found.setdefault(point, []).append(code(name))
    numbered = sorted((found.keys() | NOT_OURS.keys()) - {"network"}, key=lambda point: int(point[1:]))
    rows = [(point, ", ".join(found[point]) if point in found else NOT_OURS[point]) for point in numbered]
    return table(("point", "faults"), [*rows, ("network", ", ".join(found["network"]))])


def exchange_errors() -> str:
    """Codes that a call can be refused with, each with the words of one place that does so."""
    from paper_exchange.contracts.resale import REFUSALS

    found: dict[str, str] = dict(REFUSALS)
    for path in sorted((ROOT / "paper_exchange").rglob("*.py")):
        tree = ast.parse(path.read_text())
        makers = _makers(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in makers:
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    words = makers[getattr(node.func, "id", "")] or _words(node.args[1])
                    found[str(name.value)] = found.get(str(name.value)) or words
    for name, words in {
        # Codes whose words come from elsewhere.
        "InvalidtoBuy": f"{found['StakeLimits']} (`buy` says so where `proposal` says `StakeLimits` or `PayoutLimits`)",
        "TradingNotAvailable": "Trading is not available from … to ….",
    }.items():
        found[name] = found[name] or words
    return table(("code", "for example"), [(code(name), text) for name, text in sorted(found.items())])


def _makers(tree: ast.Module) -> dict[str, str]:
    """Functions of a module that make the error whose code they are given, and its message where that is fixed."""
    makers = {"CallError": ""}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "CallError":
                continue
            if function.args.args and getattr(node.args[0], "id", "") == function.args.args[0].arg:
                makers[function.name] = _words(node.args[1])
    return makers


def _words(node: ast.expr) -> str:
    """The text of a string literal; what it fills in stands as an ellipsis."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def exchange_offers() -> str:
    from paper_exchange.contracts.offerings import OFFERINGS

    rows = []
    for kind, offers in OFFERINGS.items():
        for offer in offers:
            spans = ", ".join(f"{span.shortest} to {span.longest}" for span in offer.spans)
            rows.append((str(kind), code(offer.category), ", ".join(map(code, offer.types)), spans))
        if not offers:
            rows.append((str(kind), "none", "none", "ticks alone: `OfferingsInvalidSymbol`"))
    return table(("kind of symbol", "category", "types", "durations"), rows)


def exchange_faults() -> str:
    """The catalogue of faults."""
    from paper_exchange.faults.catalogue import CATALOGUE

    rows = []
    for name, entry in CATALOGUE.items():
        own = "<br>".join(f"`{key}={p.default}` {p.meaning}" for key, p in entry.parameters.items())
        rows.append(
            (
                code(name),
                str(entry.point),
                code(entry.call) if entry.call else "any",
                own,
                ", ".join(entry.where),
                entry.what,
            )
        )
    return table(("fault", "point", "on", "parameters", "failure points", "what happens"), rows)


def fault_keys() -> str:
    from paper_exchange.faults.script import WHEN

    return table(("key", "meaning"), [(code(key), meaning) for key, meaning in WHEN.items()])


def rules() -> str:
    """What the exchange does and how that is known."""
    from paper_exchange.fidelity.rules import RULES, Known

    settled = [rule for rule in RULES if rule.known not in (Known.ASSUMPTION, Known.DIFFERENCE)]
    rows = [(code(rule.key), rule.does, str(rule.known), rule.source) for rule in settled]
    return table(("rule", "what the exchange does", "known by", "source"), rows)


def differences() -> str:
    """Where the exchange is not Deriv, on purpose."""
    from paper_exchange.fidelity.rules import RULES, Known

    rows = [(code(rule.key), rule.does, rule.source) for rule in RULES if rule.known is Known.DIFFERENCE]
    return table(("difference", "here", "why, and what Deriv does"), rows)


def assumptions() -> str:
    """Open questions, with every answer and how to have it."""
    from paper_exchange.fidelity.assumptions import assumptions as questions

    rows = []
    for rule in questions():
        answers = [f"`{choice}`: {meaning}" for choice, meaning in rule.choices.items()]
        answers[0] += " (in force)"
        rows.append((code(rule.key), rule.does, "<br>".join(answers), rule.source))
    return table(("assumption", "question", "answers", "what speaks for them"), rows)
