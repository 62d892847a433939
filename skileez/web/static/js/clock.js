/* Countdowns: the server writes the words, this keeps them true while the page stands open. */
(function () {
  "use strict";
  const MINUTE = 60, HOUR = 3600, DAY = 86400, REFRESH_MS = 20000;

  const say = document.getElementById("said").dataset;
  const [day, hour, minute] = say.units.split(" ");

  function length(seconds) {
    const d = Math.floor(seconds / DAY), h = Math.floor((seconds % DAY) / HOUR), m = Math.floor((seconds % HOUR) / MINUTE);
    const parts = d ? [[d, day], [h, hour]] : [[h, hour], [m, minute]];
    return parts.filter(([n]) => n).map(([n, unit]) => `${n} ${unit}`).join(" ");
  }

  function tick(root) {
    for (const el of root.querySelectorAll("[data-countdown]")) {
      const left = Math.round((Date.parse(el.dateTime) - Date.now()) / 1000);
      if (Number.isNaN(left)) continue;
      const time = length(Math.abs(left));
      const words = !time ? say.now : (left > 0 ? say.in : say.ago).replace("{time}", time);
      const target = el.querySelector("[data-countdown-text]");
      if (target.textContent !== words) target.textContent = words;
    }
  }

  tick(document);
  setInterval(() => tick(document), REFRESH_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(document); });
  document.addEventListener("htmx:afterSwap", () => tick(document));
})();
