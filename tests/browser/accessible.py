"""What axe has to say of a page, without measuring what was measured on the page before."""

from playwright.sync_api import Page

# A text's contrast hangs on its own look and on what lies behind it, and most of a page looks as
# the page before it did: where every look was found good before, nothing is measured again, which
# takes longer than all other rules, and of those that look alike on one page only two are. What is
# wrong is a line each; all that axe says, a megabyte. Of a text's size all that counts is whether
# it is large, and what is hidden from eyes has no look.
FAULTS = """async ([options, contrast, known]) => {
  await Promise.all(document.getAnimations().map((one) => one.finished));
  const behind = new Map([[null, ["", ""]]]);
  const ground = (one) => {
    if (!behind.has(one)) {
      const { position, backgroundColor, backgroundImage, opacity, filter, mixBlendMode } =
        getComputedStyle(one);
      const [paint, veil] = ground(one.parentElement);
      const own = [backgroundColor, backgroundImage].join();
      const hides = backgroundColor.startsWith("rgb(") && backgroundImage === "none";
      const placed = ["absolute", "fixed"].includes(position) ? one.className : "";
      const under = own === "rgba(0, 0, 0, 0),none" ? paint : paint + own;
      const over = [opacity, filter, mixBlendMode].join().replace("1,none,normal", "");
      behind.set(one, [placed + (hides ? own : under), veil + over]);
    }
    return behind.get(one);
  };
  const look = (one, text) => {
    const { color, fontSize, fontWeight, textShadow, textDecorationLine } = getComputedStyle(one);
    const large = parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);  // and needs less
    const link = one.closest("a");
    const inText = link && getComputedStyle(link).display === "inline";
    const around = inText ? getComputedStyle(link.parentElement).color : "";
    const exempt = one.closest(":disabled, [aria-disabled], label:has(:disabled)") !== null;
    const tooShort = text.length < 2;  // for axe to judge
    return [color, large, textShadow, textDecorationLine, around, exempt, tooShort,
      ground(one)].join();
  };
  const good = new Set(known);
  const fresh = new Map();
  const measured = new Map();
  for (const one of document.querySelectorAll("body *")) {
    const text = [...one.childNodes].map((node) => node.nodeType === 3 ? node.data : "").join("");
    if (!text.trim() || !one.checkVisibility({ visibilityProperty: true })) continue;
    if (one.closest(".visually-hidden")) continue;
    const whole = look(one, text.trim());
    if (good.has(whole)) continue;
    measured.set(whole, (measured.get(whole) ?? 0) + 1);
    if (measured.get(whole) > 2) continue;
    fresh.set(one, whole);
    one.dataset.fresh = "";
  }
  if (!fresh.size && options.runOnly) return [[], []];
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-fresh]" }] });
  const enabled = fresh.size > 0;
  const rules = Object.fromEntries(contrast.map((id) => [id, { enabled }]));
  const { violations } = await axe.run({ ...options, rules });
  const bad = new Set();
  for (const { id, nodes } of violations)
    if (contrast.includes(id)) for (const { element } of nodes) bad.add(fresh.get(element));
  const wrong = violations.map(({ id, help, nodes }) =>
    `${id}: ${help} ${JSON.stringify(nodes.slice(0, 3).map((one) => one.target))}`);
  return [wrong, [...new Set(fresh.values())].filter((look) => !bad.has(look))];
}"""
CONTRAST = ["color-contrast", "link-in-text-block"]
"""What axe finds depends on the scheme in these alone."""
EVERY_RULE = {"resultTypes": ["violations"], "preload": False, "elementRef": True}
SECOND_SCHEME = {**EVERY_RULE, "runOnly": CONTRAST}

_good: dict[str, set[str]] = {}


def violations(page: Page, scheme: str) -> list[str]:
    """What axe finds in the page, which has its script and shows this scheme; a line for each.

    All rules in light; in dark those that depend on the scheme.
    """
    good = _good.setdefault(scheme, set())
    options = EVERY_RULE if scheme == "light" else SECOND_SCHEME
    wrong, looks = page.evaluate(FAULTS, [options, CONTRAST, list(good)])
    good.update(looks)
    return [f"{scheme}: {fault}" for fault in wrong]
