/* What makes the pages pleasanter, and nothing they need: every form and link works without this file. */
(function () {
  "use strict";
  const said = document.getElementById("said");
  const say = (words) => { said.textContent = ""; setTimeout(() => { said.textContent = words; }, 50); };

  /* One press is enough. A page that comes back from the browser's memory may be sent again. */
  function release(form) { delete form.dataset.sent; form.removeAttribute("aria-busy"); }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));

  /* data-confirm="sentence" on a form or a submit button asks first. */
  const dialog = document.getElementById("confirm");
  const answered = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target, press = event.submitter;
    const words = (press && press.dataset.confirm) || form.dataset.confirm;
    if (!words || event.defaultPrevented || answered.has(form) || !dialog.showModal) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const yes = dialog.querySelector("[data-confirm-yes]");
    dialog.querySelector("[data-confirm-text]").textContent = words;
    const label = press && press.textContent.trim();
    if (label) yes.textContent = label;
    yes.className = press && press.matches(".button-danger") ? "button button-danger button-solid" : "button button-primary";
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "yes") return;
      answered.add(form);
      form.requestSubmit(press);
      answered.delete(form);
    }, { once: true });
    dialog.showModal();
  }, true);

  /* Light, dark. The browser remembers, the server need not know. */
  const root = document.documentElement;
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch (error) { /* only this page, then */ }
    });
  }

  /* The browser's zone, until somebody chose another or the form came back with errors. */
  for (const select of document.querySelectorAll("select[data-browser-zone]")) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const known = [...select.options].some((option) => option.value === zone);
    if (known && !select.form.querySelector(".error-summary")) select.value = zone;
  }

  for (const button of document.querySelectorAll("[data-reveal]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const input = document.getElementById(button.dataset.reveal);
      const shown = input.type === "text";
      input.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
    });
  }

  const focusFirst = () => { const el = document.querySelector("[data-autofocus]"); if (el) el.focus(); };
  focusFirst();

  /* htmx: answers with errors are shown like others; what cannot be shown is said. */
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('input[name="csrf_token"]');
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.value;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest("form");
    if (form) release(form);
  });
  document.addEventListener("htmx:afterSwap", focusFirst);
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status >= 500) say(said.dataset.msgFailed);
  });
  document.addEventListener("htmx:sendError", () => say(said.dataset.msgOffline));
})();
