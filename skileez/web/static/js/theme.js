/* Runs before the first paint: the scheme this browser chose, if it chose one. */
(function () {
  "use strict";
  try {
    var chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch (error) { /* no storage: the system's scheme stands */ }
})();
