/* What makes the pages pleasanter, and nothing they need: every form and link works without this file.
   Submits are caught on their way down, before htmx hears of them, in this order: live.js, confirm, one press. */
(function () {
  "use strict";
  const said = document.getElementById("said");
  const say = (words) => { said.textContent = ""; setTimeout(() => { said.textContent = words; }, 50); };
  const hold = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };

  /* data-confirm="sentence" on a form or a submit button asks first. */
  const dialog = document.getElementById("confirm");
  const answered = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target, press = event.submitter;
    const words = (press && press.dataset.confirm) || form.dataset.confirm;
    if (!words || answered.has(form) || !dialog.showModal) return;
    hold(event);
    const yes = dialog.querySelector("[data-confirm-yes]");
    dialog.querySelector("[data-confirm-text]").textContent = words;
    yes.textContent = (press && press.textContent.trim()) || yes.textContent;
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

  /* One press is enough. A page that comes back from the browser's memory may be sent again. */
  function release(form) { delete form.dataset.sent; form.removeAttribute("aria-busy"); }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { hold(event); return; }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
  }, true);
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));

  /* Light or dark: the browser remembers, the server need not know. */
  const root = document.documentElement;
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch (error) { /* only this page, then */ }
    });
  }

  function prepare(part) {
    /* The browser's zone, unless the form came back with errors and so with a choice. */
    for (const select of part.querySelectorAll("select[data-browser-zone]")) {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const known = [...select.options].some((option) => option.value === zone);
      if (known && !select.form.querySelector(".error-summary")) select.value = zone;
    }
    for (const button of part.querySelectorAll("[data-reveal][hidden]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const input = document.getElementById(button.dataset.reveal);
        const shown = input.type === "text";
        input.type = shown ? "password" : "text";
        button.setAttribute("aria-pressed", String(!shown));
      });
    }
    for (const link of part.querySelectorAll(".error-summary a")) {
      link.addEventListener("click", () => { const field = document.querySelector(link.hash); if (field) field.focus(); });
    }
    const first = part.querySelector("[data-autofocus]");
    if (first) first.focus();
  }
  prepare(document);

  /* htmx: answers with errors are shown like others (see the htmx-config in base.html); what cannot be shown is said. */
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt !== document.body) prepare(event.detail.elt); });
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('input[name="csrf_token"]');
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.value;
  });
  for (const done of ["htmx:afterRequest", "htmx:validation:halted"]) {
    document.addEventListener(done, (event) => {
      const form = event.target.closest && event.target.closest("form");
      if (form) release(form);
    });
  }
  /* The button that was pressed is gone with its part of the page; reading goes on where that was. */
  document.addEventListener("htmx:afterSettle", () => {
    if (document.activeElement === document.body) document.getElementById("main").focus({ preventScroll: true });
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status >= 500) say(said.dataset.msgFailed);
  });
  document.addEventListener("htmx:sendError", () => say(said.dataset.msgOffline));
})();
