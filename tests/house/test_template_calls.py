"""Calls in templates: what is marked is passed what Jinja's own calls pass it."""

from typing import Any

import pytest
from flask import Flask
from jinja2 import Environment, UndefinedError, pass_context, pass_environment, pass_eval_context

from skileez.web.templating import Templates

SOURCE = """
{%- macro around(word, mark='!') -%}
<{{ word }}{{ caller() if caller else '' }}{{ mark }}>
{%- endmacro -%}
{{ around('a') }} {% call around('b', mark='?') %}{{ plain('&') }}{% endcall %}
{{ plain('x', again='y') }} {{ escapes('z') }} {{ environment() }} {{ method('m') }}
{% block one %}{% set inner = 7 %}{{ context('inner') }}{{ plain('p') }}{% endblock %}
{%- for turn in [1] %}{% set within = turn + 7 %}{{ context('within') }}{{ plain('q') }}{% endfor %}
"""


def plain(word: str, again: str = "") -> str:
    return word + again


@pass_eval_context
def escapes(context: Any, word: str) -> str:
    return f"{word} {context.autoescape}"


@pass_context
def context(there: Any, name: str) -> str:
    return f"{name} is {there.resolve(name)}"


@pass_environment
def environment(there: Environment) -> str:
    return str(there.autoescape)


def rendered(kind: type[Environment], source: str = SOURCE) -> str:
    there = (
        kind(autoescape=True)
        if kind is Environment
        else Templates(Flask(__name__), autoescape=True)
    )
    words = {"plain": plain, "escapes": escapes, "context": context, "environment": environment}
    return there.from_string(source).render(method="".join, **words)


def test_a_template_says_the_same_as_with_jinjas_own_calls() -> None:
    assert rendered(Templates) == rendered(Environment)
    assert "inner is 7" in rendered(Templates)
    assert "within is 8" in rendered(Templates)


def test_a_name_that_is_missing_is_named() -> None:
    with pytest.raises(UndefinedError, match="'nobody' is undefined"):
        rendered(Templates, "{{ nobody() }}")
