/* The slot picker with scripts: a pressed time fills the form's field, and months change in place.
   Without this file every time and day is a link to the same page with that much filled in. */
(function () {
  "use strict";
  const said = document.getElementById("said");
  const say = (words) => { said.textContent = ""; setTimeout(() => { said.textContent = words; }, 50); };
  const all = (box, what) => [...box.querySelectorAll(what)];
  const typed = (box) => all(box, 'input[type="datetime-local"]');
  const exact = (input) => input.parentElement.querySelector("[data-slot-exact]");
  const line = (box, input) => box.querySelector(`[data-slot-for="${input.id}"]`);
  const instant = (text) => new Date(text).getTime();
  const holds = (input, slot) => exact(input) !== null && instant(exact(input).value) === instant(slot.dataset.slot);

  function mark(box) {
    for (const slot of all(box, "[data-slot]")) {
      slot.setAttribute("role", "button");
      slot.removeAttribute("aria-current");
      slot.setAttribute("aria-pressed", String(typed(box).some((input) => holds(input, slot))));
    }
  }

  /* The text input shows the clock; this one beside it says which instant that was. */
  function keep(input, value) {
    forget(input);
    const hidden = document.createElement("input");
    Object.assign(hidden, { type: "hidden", name: input.name, value });
    hidden.dataset.slotExact = "";
    input.after(hidden);
  }
  function forget(input) {
    if (exact(input)) exact(input).remove();
    for (const radio of all(input.parentElement, 'input[type="radio"]')) radio.checked = false;
  }

  function write(input, value) {
    const row = input.closest("[data-row]");
    if (row && value) row.hidden = false;
    input.value = value.slice(0, 16);
    input.dispatchEvent(new Event("input", { bubbles: true }));  // live.js takes its complaint back
  }

  function take(box, slot) {
    const inputs = typed(box), most = Number(box.dataset.most);
    const held = inputs.find((input) => holds(input, slot));
    if (held) { giveBack(box, held); return; }
    /* Where a time was refused, the next one takes its place. */
    const refused = inputs.find((one) => one.id === box.dataset.refused);
    const input = most === 1 ? inputs[0] : refused || inputs.slice(0, most).find((one) => !one.value);
    delete box.dataset.refused;
    full(box, !input);
    if (!input) return;
    write(input, slot.dataset.slot);
    keep(input, slot.dataset.slot);
    const item = box.querySelector("[data-slots-template]").content.firstElementChild.cloneNode(true);
    item.dataset.slotFor = input.id;
    item.querySelector("[data-slot-label]").textContent = slot.dataset.label;
    if (line(box, input)) line(box, input).replaceWith(item);
    else box.querySelector("[data-slots-chosen]").append(item);
    /* In the order in which they are sent: silence agrees to the first. */
    for (const one of inputs) if (line(box, one)) line(box, one).parentElement.append(line(box, one));
    say(box.dataset.msgChosen.replace("{time}", slot.dataset.label));
    mark(box);
  }

  function full(box, is) {
    const words = box.querySelector("[data-slots-full]");
    words.hidden = !is;
    if (is) say(words.textContent);
  }

  function giveBack(box, input) {
    full(box, false);
    const item = line(box, input);
    if (item) {
      say(box.dataset.msgBack.replace("{time}", item.querySelector("[data-slot-label]").textContent));
      item.remove();
    }
    forget(input);
    write(input, "");
    mark(box);
  }

  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row-remove]");
    const around = row && row.closest("[data-slots]");
    if (around) giveBack(around, row.closest("[data-row]").querySelector("input"));
    const pressed = event.target.closest("[data-slot], [data-slot-remove]");
    const box = pressed && pressed.closest("[data-slots]");
    if (!box) return;
    event.preventDefault();
    if (pressed.matches("[data-slot]")) { take(box, pressed); return; }
    const id = pressed.closest("[data-slot-for]").dataset.slotFor;
    giveBack(box, document.getElementById(id));
    box.querySelector("[tabindex='-1']").focus({ preventScroll: true });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches("[data-slot]")) return;
    event.preventDefault();
    event.target.click();
  });

  /* What is typed by hand is no longer the time that was pressed. */
  document.addEventListener("input", (event) => {
    const input = event.target, box = input.closest("[data-slots]");
    if (!box || !event.isTrusted || input.type !== "datetime-local") return;
    if (exact(input)) exact(input).remove();
    if (line(box, input)) line(box, input).remove();
    mark(box);
  });
  /* Another length or zone: other times. What was pressed was meant in the zone before. */
  document.addEventListener("change", (event) => {
    const field = event.target, box = field.form && field.form.querySelector("[data-slots]");
    if (!box || !["duration_minutes", "timezone"].includes(field.name) || !window.htmx) return;
    if (field.name === "timezone") for (const input of typed(box)) if (exact(input)) giveBack(box, input);
    const part = box.querySelector("[data-slots-month]");
    /* The picker as the source: this takes the place of an answer under way (hx-sync), a day just pressed say,
       and asks for that day. */
    const how = { source: box, target: part, swap: "outerHTML show:none" };
    window.htmx.ajax("GET", box.dataset.asked || part.dataset.url, how).catch(() => {});  // app.js says what failed
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const box = event.target.closest("[data-slots]");
    if (!box) return;
    box.dataset.asked = event.detail.path;
    const form = box.closest("form").elements, asked = event.detail.parameters;
    if (form.duration_minutes) asked.minutes = form.duration_minutes.value;
    if (form.timezone) asked.zone = form.timezone.value;
  });

  function prepare(box) {
    for (const input of typed(box)) {
      const item = line(box, input), radio = input.parentElement.querySelector('input[type="radio"]:checked');
      if (item && input.value) keep(input, radio ? radio.value : item.dataset.slotValue);
    }
    mark(box);
  }
  document.querySelectorAll("[data-slots]").forEach(prepare);
  let inside = false;
  document.addEventListener("htmx:beforeSwap", (event) => { inside = event.detail.target.contains(document.activeElement); });
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.target.closest("[data-slots-month]");
    if (!part) return;
    mark(part.closest("[data-slots]"));
    say(part.dataset.said);
    const gone = [document.body, document.getElementById("main")].includes(document.activeElement);
    if (inside && gone) part.querySelector("[tabindex='-1']").focus({ preventScroll: true });
  });
})();
