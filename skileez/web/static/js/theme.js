/* Runs before the first paint: that scripts run at all, and the scheme this browser chose, if any. */
(function () {
  "use strict";
  document.documentElement.dataset.js = "";
  try {
    var chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch (error) { /* no storage: the system's scheme stands */ }
})();
