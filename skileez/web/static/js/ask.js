/* The button says how many sessions are ticked. Without this file it says how many were at first. */
(function () {
  "use strict";
  for (const form of document.querySelectorAll("form[data-ask]")) {
    const button = form.querySelector("[data-ask-words]");
    const words = button.dataset.askWords.split("|");
    const count = () => {
      const ticked = form.querySelectorAll('input[name="session"]:checked').length;
      button.querySelector("span").textContent = words[ticked];
      button.disabled = ticked === 0;
    };
    form.addEventListener("change", count);
    count();
  }
})();
