"""What a template may not do: speak without translation, script or style inline, call a host."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

from tests.rules.table import rows

ROOT = Path(__file__).parents[2]
WEB = ROOT / "skileez" / "web"
TEMPLATES = sorted((ROOT / "skileez").rglob("templates/**/*.html"))
MESSAGES = sorted((ROOT / "skileez" / "notifications" / "templates").glob("*"))
WORDS = sorted({*TEMPLATES, *MESSAGES})
PAGES = [path for path in TEMPLATES if WEB in path.parents]
STYLES = sorted((WEB / "static").rglob("*.css"))
SCRIPTS = sorted(p for p in (WEB / "static").rglob("*.js") if "vendor" not in p.parts)

JINJA = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"])
SPOKEN = {"alt", "aria-label", "aria-description", "label", "placeholder", "title", "data-confirm"}
ADDRESSES = {"src", "srcset", "href", "action", "formaction", "poster", "hx-get", "hx-post"}
SAME_EVERYWHERE = re.compile(r"Skileez( Sessions)?|UTC|CSV|https?://\S*|[^@\s]+@[^@\s]+\.\w+")
TRANSLATE = {"_", "gettext", "ngettext", "pgettext"}


@cache
def parsed(path: Path) -> nodes.Template:
    return JINJA.parse(path.read_text(encoding="utf-8"))


class Page(HTMLParser):
    """A template's own HTML, what Jinja inserts left out."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed("".join(data.data for data in parsed(path).find_all(nodes.TemplateData)))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


page = cache(Page)


def speaks(text: str) -> bool:
    return bool(re.search(r"[^\W\d_]{2,}", SAME_EVERYWHERE.sub(" ", text)))


# The brand is a name; it stands in no catalogue.
@rows("path", [p for p in WORDS if p.name != "brand.html"])
def test_every_word_is_marked_for_translation(path: Path) -> None:
    said = [
        *page(path).texts,
        *(value for _, attrs in page(path).tags for key, value in attrs.items() if key in SPOKEN),
    ]
    assert [text.strip() for text in said if speaks(text)] == []


@rows("path", WORDS)
def test_every_sentence_handed_to_a_macro_is_marked(path: Path) -> None:
    tree = parsed(path)
    marked = {
        id(inner)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in TRANSLATE
        for inner in call.find_all(nodes.Const)
    }
    bare = [
        const.value
        for const in tree.find_all(nodes.Const)
        if id(const) not in marked
        and isinstance(const.value, str)
        and re.match(r"[A-Z][a-z]+( [a-z]+|$)", SAME_EVERYWHERE.sub("", const.value))
    ]
    assert bare == []


@rows("path", PAGES)
def test_nothing_is_inline(path: Path) -> None:
    """The content security policy would block it in the browser. Mails know no other way."""
    for tag, attrs in page(path).tags:
        assert tag != "style", "a <style> element"
        assert tag != "script" or "src" in attrs or "json" in attrs.get("type", "")
        inline = [k for k in attrs if k == "style" or k.startswith(("on", "hx-on"))]
        assert inline == [], f"<{tag}> has {inline}"
        assert not any(value.strip().startswith("javascript:") for value in attrs.values())


@rows("path", TEMPLATES)
def test_no_template_calls_another_host(path: Path) -> None:
    for tag, attrs in page(path).tags:
        away = [v for k, v in attrs.items() if k in ADDRESSES and re.match(r"(https?:)?//", v)]
        assert away == [], f"<{tag}>"


@rows("path", [*STYLES, *SCRIPTS])
def test_no_stylesheet_or_script_calls_another_host(path: Path) -> None:
    assert (
        re.findall(r"""(?:url\(|import|["'(])\s*["']?(?:https?:)?//\w\S*""", path.read_text()) == []
    )


@rows("path", TEMPLATES)
def test_no_template_marks_text_as_safe(path: Path) -> None:
    """What people typed must come out as text."""
    tree = parsed(path)
    assert [f.lineno for f in tree.find_all(nodes.Filter) if f.name == "safe"] == []
    assert [b.lineno for b in tree.find_all(nodes.ScopedEvalContextModifier)] == []
