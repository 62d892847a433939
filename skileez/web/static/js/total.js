/* The sum of a proposal while it is typed; the server works it out again. */
(function () {
  "use strict";
  const form = document.querySelector("form[data-total]");
  if (!form) return;
  const box = document.querySelector("[data-total-box]");
  const out = box.querySelector("[data-total-figure]");
  const digits = JSON.parse(form.dataset.total);
  const field = (name) => form.elements[name];

  function add() {
    const price = /^([0-9]{1,9})(?:[.,]([0-9]{1,2}))?$/.exec(field("price").value.trim());
    const count = Number(field("total_sessions").value), currency = field("currency").value;
    const known = price && Number.isInteger(count) && count > 0 && !(price[2] && !digits[currency]);
    box.hidden = !known;
    if (!known) return;
    const minor = Number(price[1] + (price[2] || "").padEnd(digits[currency], "0")) * count;
    const format = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "currency", currency });
    out.textContent = format.format(minor / 10 ** digits[currency]);
  }

  form.addEventListener("input", add);
  form.addEventListener("change", add);
  add();
})();
