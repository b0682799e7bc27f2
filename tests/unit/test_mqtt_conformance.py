"""Walks the numbered statements of MQTT 3.1.1 and 5.0: each is held by a test that names it, or placed here.

Tests name statements in their docstrings, `v5` or `v3` in front: "v5 MQTT-3.1.0-1 · v3 MQTT-3.1.0-1".
`HIGHEST` counts the statements of each section as the appendices list them; `PLACED` says who answers
for the ones that no test of the codec or the session can hold.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HIGHEST = {
    "v5": {
        "1.5.4": 3, "1.5.5": 1, "1.5.7": 1, "2.1.3": 1, "2.2.1": 6, "2.2.2": 1, "3.1.0": 2, "3.1.2": 30, "3.1.3": 12,
        "3.1.4": 6, "3.2.0": 2, "3.2.2": 22, "3.3.1": 13, "3.3.2": 20, "3.3.4": 10, "3.4.2": 3, "3.5.2": 3, "3.6.1": 1,
        "3.6.2": 3, "3.7.2": 3, "3.8.1": 1, "3.8.3": 5, "3.8.4": 8, "3.9.2": 2, "3.9.3": 2, "3.10.1": 1, "3.10.3": 2,
        "3.10.4": 6, "3.11.2": 2, "3.11.3": 2, "3.12.4": 1, "3.14.0": 1, "3.14.1": 1, "3.14.2": 4, "3.14.4": 3,
        "3.15.1": 1, "3.15.2": 3, "4.1.0": 2, "4.2.0": 1, "4.3.1": 1, "4.3.2": 5, "4.3.3": 13, "4.4.0": 2, "4.5.0": 2,
        "4.6.0": 6, "4.7.0": 1, "4.7.1": 2, "4.7.2": 1, "4.7.3": 4, "4.8.2": 6, "4.9.0": 3, "4.12.0": 7, "4.12.1": 2,
        "4.13.1": 1, "4.13.2": 1, "6.0.0": 4,
    },
    "v3": {
        "1.5.3": 3, "2.2.2": 2, "2.3.1": 7, "3.1.0": 2, "3.1.2": 24, "3.1.3": 11, "3.1.4": 5, "3.2.0": 1, "3.2.2": 6,
        "3.3.1": 12, "3.3.2": 3, "3.3.4": 1, "3.3.5": 2, "3.6.1": 1, "3.8.1": 1, "3.8.3": 4, "3.8.4": 6, "3.9.3": 2,
        "3.10.1": 1, "3.10.3": 2, "3.10.4": 6, "3.12.4": 1, "3.14.1": 1, "3.14.4": 3, "4.1.0": 2, "4.3.1": 1,
        "4.3.2": 2, "4.3.3": 2, "4.4.0": 1, "4.5.0": 2, "4.6.0": 6, "4.7.1": 3, "4.7.2": 1, "4.7.3": 4, "4.8.0": 2,
        "6.0.0": 4, "7.0.0": 2, "7.1.1": 1, "7.1.2": 1,
    },
}  # fmt: skip
NEVER_PRINTED = {"v5": {"MQTT-2.2.1-1"}, "v3": set()}  # numbers that the specification left out

CLIENT = "binds clients; what a server does with one that breaks it is held elsewhere"
NOT_OFFERED = "about something the server does not offer, and says so in CONNACK, SUBACK or by its granted QoS"

PLACED = {
    "v5": {
        CLIENT: """
            MQTT-3.1.2-20 MQTT-3.1.2-21 MQTT-3.1.2-30 MQTT-3.2.2-4 MQTT-3.2.2-5 MQTT-3.2.2-11 MQTT-3.2.2-21
            MQTT-3.3.2-10 MQTT-3.3.4-8 MQTT-4.5.0-2 MQTT-4.6.0-1 MQTT-4.6.0-4 MQTT-4.12.0-3 MQTT-4.12.1-1
        """,
        NOT_OFFERED: """
            MQTT-4.3.3-1 MQTT-4.3.3-2 MQTT-4.3.3-3 MQTT-4.3.3-5 MQTT-4.3.3-6 MQTT-4.3.3-7
            MQTT-4.8.2-3 MQTT-4.8.2-4 MQTT-4.8.2-5 MQTT-4.8.2-6 MQTT-4.12.0-2 MQTT-4.12.0-5
        """,
    },
    "v3": {
        CLIENT: "MQTT-2.3.1-2 MQTT-2.3.1-3 MQTT-3.1.2-23 MQTT-4.5.0-2 MQTT-4.6.0-4 MQTT-7.1.2-1",
    },
}


def statements(version):
    numbered = {f"MQTT-{section}-{n}" for section, last in HIGHEST[version].items() for n in range(1, last + 1)}
    return numbered - NEVER_PRINTED[version]


def placed(version):
    return {each for text in PLACED[version].values() for each in text.split()}


@cache
def held(version):
    """The statements that tests name, each with the tests that do."""
    found = {}
    tests = Path(__file__).parents[1]
    for path in (*tests.glob("unit/test_mqtt_*.py"), *tests.glob("journey/test_mqtt_conformance_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for statement in named(ast.get_docstring(node) or "", version):
                    found.setdefault(statement, []).append(f"{path.name}::{node.name}")
    return found


def named(docstring, version):
    speaking = None
    for word in re.findall(r"\bv[35]\b|\bMQTT-[\d.]+-\d+\b", docstring):
        if word.startswith("v"):
            speaking = word
        elif speaking == version:
            yield word


@pytest.mark.parametrize("version", ["v3", "v5"])
def test_every_statement_is_held_by_a_test_or_placed_with_its_reason(version):
    missing = statements(version) - held(version).keys() - placed(version)

    assert sorted(missing) == []


@pytest.mark.parametrize("version", ["v3", "v5"])
def test_no_test_names_a_statement_that_does_not_exist(version):
    unknown = {name: tests for name, tests in held(version).items() if name not in statements(version)}

    assert unknown == {}
    assert placed(version) <= statements(version)


@pytest.mark.parametrize("version", ["v3", "v5"])
def test_no_statement_is_placed_elsewhere_that_a_test_holds(version):
    assert sorted(held(version).keys() & placed(version)) == []


def test_all_statements_of_both_specifications_are_counted():
    assert {version: len(statements(version)) for version in HIGHEST} == {"v5": 251, "v3": 141}
