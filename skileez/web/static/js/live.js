/* Forms marked data-live are checked while one types, with the server's own sentences (data-msg-*).
   The server checks everything again; a browser without this file only hears of it later. */
(function () {
  "use strict";

  const trimmed = (el) => el.value.trim();
  /* The server counts characters, not UTF-16 halves. */
  const size = (text) => Array.from(text).length;

  function complaint(el) {
    const text = trimmed(el), say = el.dataset;
    if (el.type === "checkbox" || el.type === "radio") return "";
    if (el.validity.badInput) return say.msgRange || say.msgRequired || el.validationMessage;
    if (!text) return el.required ? say.msgRequired || "" : "";
    if (say.min && size(text) < Number(say.min)) return say.msgMin || "";
    if (say.max && size(text) > Number(say.max)) return say.msgMax || "";
    /* Wall-clock texts of one zone compare as text. */
    if (say.minIso && text < say.minIso) return say.msgEarly || "";
    if (say.maxIso && text > say.maxIso) return say.msgLate || "";
    if (el.type === "number" && !el.validity.valid) return say.msgRange || el.validationMessage;
    if (el.type === "datetime-local" && repeated(el)) return el.closest("[data-rows]").dataset.msgDistinct;
    return "";
  }

  function repeated(el) {
    const rows = el.closest("[data-rows]");
    if (!rows) return false;
    const inputs = [...rows.querySelectorAll('input[type="datetime-local"]')];
    return inputs.slice(0, inputs.indexOf(el)).some((other) => other.value && other.value === el.value);
  }

  function show(el, words) {
    const line = document.getElementById(`${el.id}-error`);
    if (!line) return;
    line.hidden = !words;
    line.querySelector("[data-error-text]").textContent = words;
    if (words) el.setAttribute("aria-invalid", "true"); else el.removeAttribute("aria-invalid");
  }

  function count(el) {
    const field = el.closest(".field"), counter = field && field.querySelector("[data-counter]");
    if (!counter) return;
    const used = size(trimmed(el));
    counter.querySelector("[data-count]").textContent = used;
    counter.dataset.over = String(used > Number(counter.dataset.of));
  }

  const GROWS = CSS.supports("field-sizing", "content");
  function grow(el) {
    if (GROWS || el.tagName !== "TEXTAREA") return;
    el.rows = Math.min(20, Math.max(4, el.value.split("\n").length + 1));
  }

  const checked = (form) => [...form.elements].filter((el) => el.id && el.willValidate && el.offsetParent);
  const touched = new WeakSet();

  document.addEventListener("input", (event) => {
    const el = event.target;
    if (!el.form) return;
    count(el);
    grow(el);
    if (!el.form.matches("[data-live]")) return;
    /* Do not scold while somebody is still writing; take a complaint back at once. */
    if (touched.has(el) || el.getAttribute("aria-invalid") === "true") show(el, complaint(el));
    else if (el.dataset.max && size(trimmed(el)) > Number(el.dataset.max)) show(el, complaint(el));
  });

  document.addEventListener("focusout", (event) => {
    const el = event.target;
    if (!el.form || !el.form.matches("[data-live]") || !("value" in el) || !trimmed(el)) return;
    touched.add(el);
    show(el, complaint(el));
  });

  document.addEventListener("change", (event) => {
    const el = event.target;
    if (!el.closest || !el.closest("[data-rows]") || !el.form.matches("[data-live]")) return;
    for (const other of el.closest("[data-rows]").querySelectorAll("input")) if (other.value) show(other, complaint(other));
  });

  /* Loaded before app.js, so that a form held back here is neither asked about nor counted as sent. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-live]") || (event.submitter && event.submitter.formNoValidate)) return;
    let first = null;
    for (const el of checked(form)) {
      const words = complaint(el);
      show(el, words);
      if (words && !first) first = el;
    }
    if (first) {
      event.preventDefault();
      event.stopImmediatePropagation();
      const fold = first.closest("details");
      if (fold) fold.open = true;
      first.focus();
    }
  }, true);

  function foldRows(rows) {
    const items = [...rows.querySelectorAll("[data-row]")], add = rows.querySelector("[data-row-add]");
    const value = (item) => item.querySelector("input").value;
    const refresh = () => { add.hidden = items.every((item) => !item.hidden); };
    items.forEach((item, index) => {
      const remove = item.querySelector("[data-row-remove]");
      if (!remove) return;
      remove.hidden = false;
      item.hidden = index > 0 && !value(item) && !item.querySelector('[aria-invalid="true"]');
      remove.addEventListener("click", () => {
        const input = item.querySelector("input");
        input.value = "";
        show(input, "");
        item.hidden = true;
        refresh();
        add.querySelector("button").focus();
      });
    });
    add.querySelector("button").addEventListener("click", () => {
      const next = items.find((item) => item.hidden);
      if (!next) return;
      next.hidden = false;
      refresh();
      next.querySelector("input").focus();
    });
    refresh();
  }

  function prepare(root) {
    for (const form of root.querySelectorAll("form[data-live]")) form.noValidate = true;
    for (const counter of root.querySelectorAll("[data-counter]")) count(counter.closest(".field").querySelector("input, textarea"));
    for (const rows of root.querySelectorAll("[data-rows]:not([data-ready])")) { rows.dataset.ready = ""; foldRows(rows); }
  }
  prepare(document);
  document.addEventListener("htmx:load", (event) => prepare(event.detail.elt.parentElement || document));
})();
