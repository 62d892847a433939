"""What watches the pages in every other test notices what no page may do."""

import pytest

OTHER_HOST = """(how) => {
  const one = document.createElement(how);
  one.src = one.href = "https://elsewhere.example/one";
  if (how === "link") one.rel = "stylesheet";
  document.body.append(one);
}"""


@pytest.fixture
def page(seat, watch):
    """A page that is watched, for a test that says itself what was seen."""
    page = seat()
    page.goto("/sign-in")
    yield page
    watch.seen.clear()


@pytest.mark.parametrize("how", ["img", "script", "link", "iframe"])
def test_a_page_that_asks_another_host_is_noticed(page, watch, how):
    with page.expect_console_message():
        page.evaluate(OTHER_HOST, how)
    assert any("elsewhere.example" in one for one in watch.seen)


def test_a_script_that_asks_another_host_is_noticed(page, watch):
    with page.expect_console_message():
        page.evaluate("fetch('https://elsewhere.example/one').catch(() => null)")
    assert any("elsewhere.example" in one for one in watch.seen)


def test_a_host_that_the_policy_would_let_through_is_not_found(page, watch):
    page.route("**/sign-in", _without_policy)
    page.reload()
    with page.expect_console_message():
        page.evaluate(OTHER_HOST, "img")
    assert watch.seen == ["console: Failed to load resource: net::ERR_NAME_NOT_RESOLVED"]


def test_a_script_that_fails_is_noticed(page, watch):
    with page.context.expect_event("weberror"):
        page.evaluate("setTimeout(() => { throw new Error('by a test'); })")
    assert any("by a test" in one for one in watch.seen)


def test_a_file_that_is_not_there_is_noticed(page, watch):
    page.goto("/static/build/no.css")
    assert watch.seen == ["404: /static/build/no.css"]


def _without_policy(route):
    answer = route.fetch()
    headers = dict(answer.headers)
    del headers["content-security-policy"]
    route.fulfill(response=answer, headers=headers)
