/* The hours editor in place: what its buttons do on the server (add, remove, copy), without the journey,
   and the week beside it drawn anew while one types. */
(function () {
  "use strict";
  const form = document.querySelector("form[data-hours]");
  if (!form) return;
  const template = (name) => form.querySelector(`template[data-template="${name}"]`).content.firstElementChild.cloneNode(true);

  /* The words of a fresh part are the template's: only the names in them are another's. */
  function rename(part, from, to) {
    for (const el of [part, ...part.querySelectorAll("*")]) {
      for (const { name, value } of [...el.attributes]) if (value.includes(from)) el.setAttribute(name, value.replaceAll(from, to));
    }
    return part;
  }

  let freshest = 300; /* behind every row that the page came with */
  function addSpan(group, values) {
    const part = template("span"), inputs = part.querySelectorAll("input");
    inputs.forEach((input, place) => {
      input.name = group.dataset.spans;
      input.value = values ? values[place] : "";
      input.setAttribute("aria-label", group.dataset.of + input.getAttribute("aria-label"));
    });
    part.querySelector("button").setAttribute("aria-label", group.dataset.of + part.querySelector("button").getAttribute("aria-label"));
    group.querySelector(".spans-list").append(part);
    return inputs[0];
  }

  function addRow(name) {
    const part = template(name);
    form.querySelector(`[data-rows-of="${name}"]`).append(rename(part, part.dataset.row, `${name}-${freshest++}`));
    const zones = part.querySelector("select");
    if (zones) {
      zones.replaceChildren(...form.elements.zone.cloneNode(true).childNodes);
      zones.value = form.elements.zone.value;
    }
    return part.querySelector("select, input");
  }

  function copy() {
    const spans = (name) => form.querySelector(`[data-spans="${name}"]`);
    const from = form.elements.copy_from.value;
    const hours = [...spans(from).querySelectorAll("[data-span]")].map((one) => [...one.querySelectorAll("input")].map((input) => input.value));
    for (const box of form.querySelectorAll('input[name="copy_to"]:checked')) {
      if (box.value === from) continue;
      const group = spans(box.value);
      group.querySelector(".spans-list").replaceChildren();
      hours.forEach((values) => addSpan(group, values));
    }
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest('button[name="do"]');
    if (!button) return;
    const [verb, name] = button.value.split(":");
    if (!["add", "remove", "copy"].includes(verb)) return;
    event.preventDefault();
    if (verb === "copy") copy();
    else if (verb === "add") {
      const group = button.closest("[data-spans]");
      (group ? addSpan(group) : addRow(name)).focus();
    } else {
      const part = button.closest("[data-span]") || button.closest("[data-row]");
      const next = part.closest("[data-spans]") || part.closest(".card");
      part.remove();
      next.querySelector('button[value^="add:"]').focus();
    }
    changed();
  });

  let waiting;
  function changed() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const preview = document.querySelector("[data-preview]");
      if (preview && window.htmx) window.htmx.trigger(preview, "hours");
    }, 250);
  }
  document.addEventListener("htmx:afterSettle", () => {
    document.getElementById("said").textContent = form.querySelector(".week-offered").textContent;
  });
  form.addEventListener("change", (event) => {
    if (event.target.id !== "week" && !event.target.name.startsWith("copy_")) changed();
  });
})();
