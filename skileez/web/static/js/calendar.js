/* The calendar as a grid, in place of the list that the page came with. It shows and leads on: what
   may be done, and when, the server says. Read before the page, so that the list does not flash. */
(function () {
  "use strict";
  const root = document.documentElement, told = document.currentScript.dataset;
  const narrow = matchMedia("(max-width: 47.9375rem)").matches;
  const view = narrow && told.asked === undefined ? "list" : told.view;
  const drawn = { month: "dayGridMonth", week: "timeGridWeek", day: "timeGridDay" }[view];
  if (drawn) root.dataset.calendar = view;

  document.addEventListener("DOMContentLoaded", () => {
    for (const select of document.querySelectorAll("[data-send]")) {
      select.addEventListener("change", () => select.form.requestSubmit());
    }
    for (const look of document.querySelectorAll("[data-look]")) {
      if (look.dataset.look === view) look.setAttribute("aria-current", "page");
      else look.removeAttribute("aria-current");
    }
    if (!drawn) return;
    if (window.FullCalendar) draw(document.getElementById("calendar"));
    else delete root.dataset.calendar;
  });

  const instant = (date) => `${date.toISOString().slice(0, 19)}Z`;

  function draw(grid) {
    const words = grid.dataset, opened = performance.now(), soonest = Date.parse(words.soonest);
    const elapsed = () => performance.now() - opened;
    const tooSoon = (date) => date.getTime() < soonest + elapsed();
    const states = Object.fromEntries([...document.getElementById("calendar-states").content.children].map((one) => [one.dataset.state, one]));
    const spot = document.getElementById("calendar-said");

    function say(sentence) {
      const notice = document.createElement("div"), icon = states.declined.querySelector("svg").cloneNode(true), text = document.createElement("p");
      notice.className = "notice notice-warn";
      text.textContent = sentence;
      notice.append(icon, text);
      spot.replaceChildren(notice);
      spot.scrollIntoView({ block: "nearest" });
    }

    /* What the feed tells, as FullCalendar takes it. */
    function toEvent(one) {
      const event = { start: one.start, end: one.end, extendedProps: one };
      if (!one.session) return { ...event, ...(view === "month" && wholeDays(one)), display: "background", title: words[`word${one.what[0].toUpperCase()}${one.what.slice(1)}`] };
      return { ...event, id: `${one.what}-${one.session}-${one.start}`, title: one.title, url: one.url, startEditable: Boolean(one.move) };
    }

    /* A month shows days, so whoever is away for part of one is away on it. */
    function wholeDays(one) {
      const last = Date.parse(dayOf(Date.parse(one.end) - 1));
      return { allDay: true, start: dayOf(Date.parse(one.start)), end: new Date(last + 86400000).toISOString().slice(0, 10) };
    }

    async function load(range) {
      const asked = new URL(words.feed, location.href);
      asked.searchParams.set("start", instant(range.start));
      asked.searchParams.set("end", instant(range.end));
      const answer = await fetch(asked, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const { entries } = await answer.json();
      return entries.filter((one) => view !== "month" || !["open", "busy"].includes(one.what)).map(toEvent);
    }

    const stateOf = (one) => one.what === "proposed" ? "proposed" : one.confirmed && one.state === "scheduled" ? "confirmed" : one.state;

    function paint(info) {
      const one = info.event.extendedProps, parts = [];
      const add = (name, text) => {
        const part = document.createElement("span");
        part.className = name;
        part.textContent = text;
        parts.push(part);
      };
      if (!one.session) {
        if (one.what !== "open") { add("calendar-ground-word", info.event.title); }
        return { domNodes: parts };
      }
      const chip = states[stateOf(one)] || states.scheduled, icon = chip.querySelector("svg");
      if (icon) parts.push(icon.cloneNode(true));
      add("calendar-time", info.timeText);
      add("calendar-name", one.title);
      add("calendar-with", words.wordWith.replace("{name}", one.with));
      add("calendar-state", chip.textContent.trim());
      return { domNodes: parts };
    }

    /* "Mon 23" in every language, so that the day stands where one looks for it. */
    function headed(info) {
      if (view === "month") return info.text;
      const day = document.createElement("strong");
      day.textContent = info.dayNumberText;
      return { domNodes: [document.createTextNode(`${info.weekdayText} `), day] };
    }

    const calendar = new FullCalendar.Calendar(grid, {
      plugins: [FullCalendar.dayGrid, FullCalendar.timeGrid, FullCalendar.interaction],
      initialView: drawn, initialDate: words.at, timeZone: words.zone, locale: words.lang === "en" ? "en-GB" : words.lang, firstDay: 1,
      now: () => new Date(Date.parse(words.now) + elapsed()),
      headerToolbar: false, allDaySlot: false, nowIndicator: true, fixedWeekCount: false,
      height: view === "month" ? "auto" : "100%", scrollTime: "07:00:00", eventShortHeight: 44,
      // One snap a slot: of a finer snap FullCalendar takes the middle of a slot for the next one.
      slotDuration: "00:15:00", slotMinHeight: 13, slotHeaderInterval: "01:00:00",
      displayEventEnd: view === "day" || (view === "week" && matchMedia("(min-width: 72rem)").matches),
      eventTimeFormat: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
      slotHeaderFormat: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
      dayHeaders: view !== "day", dayHeaderAlign: "center", dayHeaderFormat: view === "month" ? { weekday: "short" } : { weekday: "short", day: "numeric" }, dayHeaderContent: headed,
      editable: false, eventStartEditable: false, eventDurationEditable: false, eventInteractive: true,
      dayMaxEvents: view === "month" ? (narrow ? 2 : 4) : false,
      moreLinkText: (count) => `+${words.msgMore.replace("{count}", count)}`,
      moreLinkClick: (info) => toDay(info.date),
      navLinks: view !== "day", navLinkHint: (day) => words.msgGo.replace("{day}", day), navLinkDayClick: toDay,
      events: (range, done, failed) => { load(range).then(done, failed); },
      eventSourceFailure: () => say(words.msgFailed),
      eventContent: paint, backgroundEventContent: paint,
      eventDrop: dropped, dateClick: pressed,
      viewClass: "calendar-view", tableHeaderClass: "calendar-header", dayHeaderClass: (info) => `calendar-day-head${info.isToday ? " is-today" : ""}`,
      dayHeaderInnerClass: "calendar-day-word", dayHeaderRowClass: "calendar-line", dayRowClass: "calendar-row", dayHeaderDividerClass: "calendar-divider",
      dayCellClass: (info) => `calendar-cell${info.isToday ? " is-today" : ""}${info.isOther ? " is-other" : ""}`, dayCellTopClass: "calendar-cell-top", dayCellTopInnerClass: "calendar-cell-number",
      dayLaneClass: (info) => `calendar-cell${info.isToday ? " is-today" : ""}`, dayLaneInnerClass: "calendar-lane",
      slotLaneClass: (info) => `calendar-slot${info.isMinor ? " is-minor" : ""}`, slotHeaderClass: "calendar-hour", slotHeaderInnerClass: "calendar-hour-word", slotHeaderDividerClass: "calendar-axis",
      nowIndicatorLineClass: "calendar-now", navLinkClass: "calendar-day-link", highlightClass: "calendar-highlight",
      eventClass: (info) => `calendar-event look-${stateOf(info.event.extendedProps)}${info.isDraggable ? " is-movable" : ""}${info.isDragging ? " is-dragged" : ""}`,
      eventInnerClass: (info) => `calendar-event-inner${info.isShort ? " is-short" : ""}${info.isNarrow ? " is-narrow" : ""}`,
      rowEventClass: "is-row", listItemEventClass: "is-row", columnEventClass: "is-column",
      backgroundEventClass: (info) => `calendar-ground ground-${info.event.extendedProps.what}`, moreLinkClass: "calendar-more",
    });
    calendar.render();

    function dayOf(moment) { return calendar.formatIso(new Date(moment)).slice(0, 10); }

    function toDay(date) {
      const there = new URL(words.day, location.href);
      there.searchParams.set("at", dayOf(date));
      location.assign(there);
    }

    /* A drag asks, and moves nothing: the answer is the other's. */
    function dropped(info) {
      const moved = info.event, one = moved.extendedProps, start = moved.start, end = moved.end;
      info.revert();
      if (tooSoon(start)) { say(words.msgPast); return; }
      const taken = calendar.getEvents().some((other) => {
        const what = other.extendedProps;
        const blocks = what.what === "busy" || what.what === "away" || (what.what === "session" && what.taken && what.session !== one.session);
        return blocks && Date.parse(what.start) < end && Date.parse(what.end) > start;
      });
      if (taken) say(words.msgTaken);
      else location.assign(`${one.move}?at=${encodeURIComponent(instant(start))}`);
    }

    function pressed(info) {
      if (info.allDay) { toDay(info.date); return; }
      if (!words.book) {
        say(words.msgChoose);
        const select = document.getElementById("calendar-contract");
        if (select) select.focus();
      } else if (tooSoon(info.date)) say(words.msgPastBook);
      else location.assign(`${words.book}?at=${encodeURIComponent(instant(info.date))}`);
    }

    /* Whoever scrolls by the keyboard must be able to stand on what scrolls: it becomes the group of
       rows that its parent was. Headings have words. */
    let part = grid.querySelector(".calendar-slot");
    while (part && part !== grid && !/auto|scroll/.test(getComputedStyle(part).overflowY)) part = part.parentElement;
    const group = part && part.closest("[role=rowgroup]");
    if (group) {
      group.removeAttribute("role");
      part.setAttribute("role", "rowgroup");
      part.setAttribute("aria-label", words.msgScroll);
      part.tabIndex = 0;
    }
    for (const head of grid.querySelectorAll("[role=rowheader]:empty")) {
      const word = document.createElement("span");
      word.className = "visually-hidden";
      word.textContent = words.msgScroll;
      head.append(word);
    }
    for (const hidden of grid.querySelectorAll("[role=columnheader] > * > [aria-hidden]")) hidden.removeAttribute("aria-hidden");
  }
})();
