/* The bell's count keeps itself true: the server tells (server-sent events); where that fails, we ask now and then.
   A page that nobody looks at does neither. Without this file the bell is a link with the count of the page. */
(function () {
  "use strict";
  const bell = document.querySelector("[data-bell]");
  if (!bell) return;
  const FIRST_MS = 2500, POLL_MS = 30000, SILENT_MS = 10000;
  const count = bell.querySelector("[data-bell-count]"), said = document.getElementById("said");
  const fresh = document.querySelector("[data-news-fresh]");
  const title = document.title;
  let known = Number(bell.dataset.bell), source = null, timer = 0, polls = !window.EventSource, over = false;

  function show(told) {
    if (told.unread > known) {
      said.textContent = told.words;
      if (fresh) fresh.hidden = false;
    }
    known = told.unread;
    count.textContent = known > 99 ? "99+" : known;
    count.hidden = !known;
    bell.setAttribute("aria-label", told.words);
    bell.title = told.words;
    document.title = known ? `(${known}) ${title}` : title;
  }

  function rest() {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  }

  async function ask() {
    timer = setTimeout(ask, POLL_MS);
    try {
      const answer = await fetch(`${bell.pathname}/unread`, { headers: { Accept: "application/json" } });
      if (answer.status === 401) { over = true; rest(); }
      if (answer.ok) show(await answer.json());
    } catch (error) { /* no connection: the next time, then */ }
  }

  function fallBack() { polls = true; rest(); ask(); }

  function listen() {
    source = new EventSource(`${bell.pathname}/stream`);
    /* Something between us may keep the answer back until it is whole. */
    timer = setTimeout(fallBack, SILENT_MS);
    source.addEventListener("message", (event) => { clearTimeout(timer); show(JSON.parse(event.data)); });
    source.addEventListener("error", () => { if (source && source.readyState === EventSource.CLOSED) fallBack(); });
  }

  function start() { rest(); if (!over && !document.hidden) { if (polls) ask(); else listen(); } }
  /* Whoever only passes through asks nothing. */
  timer = setTimeout(start, FIRST_MS);
  document.title = known ? `(${known}) ${title}` : title;
  document.addEventListener("visibilitychange", () => { if (document.hidden) rest(); else start(); });
  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", (event) => { if (event.persisted) start(); });
})();
