// What the calendar page needs of FullCalendar, and no theme: ours is in css/calendar.css.
export { Calendar } from "fullcalendar";
export { default as dayGrid } from "fullcalendar/daygrid";
export { default as interaction } from "fullcalendar/interaction";
export { default as timeGrid } from "fullcalendar/timegrid";
