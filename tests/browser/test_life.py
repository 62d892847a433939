"""Whole lives of sessions in a real browser: what each of the two people sees, at every step."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from skileez.availability.rules import Hours
from tests.browser.site import Site, Someone
from tests.browser.steps import (
    REASON,
    ask_to_move,
    book,
    follow,
    press,
    propose,
    said,
    sees,
    sees_not,
    session_of,
    stands_at,
    state,
    told,
)
from tests.cast import DAY, HOUR, MINUTE, NOW

START = NOW + 3 * DAY + 3 * HOUR  # Thursday 5 March, 16:00 in Berlin and 10:00 in New York


def test_from_a_proposal_to_the_last_session(site: Site, seat, student, coach):
    hers, his = seat(student), seat(coach)

    # The coach proposes two sessions.
    his.goto("/proposals/new")
    his.get_by_label("Your student's e-mail address").fill(student.email)
    his.get_by_label("Title").fill("Speaking with confidence")
    his.get_by_label("Number of sessions").fill("2")
    his.get_by_label("Price of one session").fill("45.50")
    expect(his.locator("[data-total-figure]")).to_have_text("€91.00")
    his.get_by_label("Message").fill("Two sessions to begin with.")
    press(his, "Send the proposal")
    said(his, "Your proposal is sent.")
    state(his, "Waiting for an answer")
    told(his, "Proposed")

    # The student finds it on the dashboard, reads and accepts.
    hers.goto("/dashboard")
    sees(hers, "Hello, Amara", "A proposal waits for your answer.", f"from {coach.name}")
    follow(hers, "Read it")
    sees(hers, "Two sessions to begin with.", "€45.50 a session", "€91.00", "America/New York")
    press(hers, "Accept")
    said(hers, "Accepted: the contract has started.")
    state(hers, "Active")
    told(hers, "Contract started")
    contract = hers.url
    sees(hers, f"with {coach.name}", "2 open")
    his.reload()
    state(his, "Accepted")

    # She books; to her it is 16:00 in Berlin, to him 10:00 in New York.
    first = book(hers, student, START)
    state(hers, "Scheduled")
    stands_at(hers, student, coach, START)
    assert (student.shown(START), coach.shown(START)) == ("16:00", "10:00")
    told(hers, "Booked")

    # He finds it on his dashboard and confirms it there.
    his.goto("/dashboard")
    sees(his, f"{student.name} waits for your confirmation.", "Thu 5 Mar, 10:00")
    his.get_by_role("button", name="Confirm").click()
    said(his, "Confirmed.")
    expect(his.get_by_role("button", name="Confirm")).to_have_count(0)
    sees(his, "All clear")
    his.goto(f"/sessions/{first}")
    state(his, "Confirmed")
    stands_at(his, coach, student, START)
    told(his, "Confirmed", "Booked")
    sees(his, f"{coach.name} (coach)", f"{student.name} (student)")
    hers.reload()
    state(hers, "Confirmed")

    # She asks to move it, with three times.
    times = [START + DAY, START + DAY + 2 * HOUR, START + 4 * DAY]
    ask_to_move(hers, student, *times)
    said(hers, f"{coach.name} has been asked to move it.")
    state(hers, "Reschedule requested")
    stands_at(hers, student, coach, START)  # the original time stands
    sees(hers, REASON, "Friday 6 March 2026, 16:00", "Friday 6 March 2026, 18:00")
    sees(hers, f"For {coach.name}: 10:00", student.shown_long(NOW + DAY))
    told(hers, "Asked to move it", "Confirmed", "Booked")

    # None of them suits him: he proposes two others.
    his.goto("/dashboard")
    sees(his, f"{student.name} asks to move it. Answer until {coach.shown_long(NOW + DAY)}.")
    his.get_by_role("link", name="Answer").click()
    sees(his, f"{student.name} asks to move it", REASON, "Friday 6 March 2026, 10:00")
    sees(his, f"For {student.name}: 16:00")
    assert his.get_by_role("radio").count() == len(times)
    site.clock.pass_by(HOUR)
    others = [START + 5 * DAY, START + 6 * DAY]
    propose(his, coach, *others)
    press(his, "Send these times")
    said(his, f"Your times were sent to {student.name}.")
    state(his, "Reschedule requested")
    told(his, "Proposed other times", "Asked to move it")

    # She chooses the second of them; New York will be on summer time by then, and Berlin not.
    hers.goto("/dashboard")
    hers.get_by_role("link", name="Answer").click()
    moved = others[1]
    assert (student.shown(moved), coach.shown(moved)) == ("16:00", "11:00")
    hers.get_by_role("radio", name="Wednesday 11 March 2026, 16:00").check()
    press(hers, "Approve")
    said(hers, "Approved. The session has its new time.")
    state(hers, "Confirmed")  # the coach proposed the time, so it stays confirmed
    stands_at(hers, student, coach, moved)
    told(hers, "Move approved", "Proposed other times", "Asked to move it", "Confirmed", "Booked")
    sees(hers, student.shown_long(START), student.shown_long(moved))
    his.goto(f"/sessions/{first}")
    state(his, "Confirmed")
    stands_at(his, coach, student, moved)
    sees_not(his, "Answer the request")

    # It is held. She completes it with notes; then he adds his.
    site.clock.strike(moved + 65 * MINUTE)
    hers.goto("/dashboard")
    sees(hers, "It is over. Say how it went.")
    hers.get_by_role("link", name="Complete").click()
    sees(hers, "Progress goes to 1 of 2 sessions.")
    hers.get_by_label("Session notes").fill("I spoke <b>slowly</b>.\nNext: the opening.")
    hers.get_by_label("How long it really took, in minutes").fill("63")
    press(hers, "Complete it")
    said(hers, "Completed. Well done.")
    state(hers, "Completed")
    told(hers, "Completed", "Move approved")
    sees(hers, "1 h 3 min", f"{coach.name} has not written any.")
    his.reload()
    state(his, "Completed")
    sees(his, f"From {student.name}", "I spoke <b>slowly</b>.")
    his.get_by_label("Your notes").fill("Her pauses are good now.")
    press(his, "Save my notes")
    said(his, "Your notes are saved.")
    told(his, "Notes changed", "Completed")
    hers.reload()
    sees(hers, f"From {coach.name}", "Her pauses are good now.")
    hers.goto(contract)
    expect(hers.get_by_role("img", name="50% done: 1 of 2 sessions completed")).to_be_visible()

    # The last session completes the contract.
    last_start = moved + 7 * DAY
    last = site.session(int(contract.rpartition("/")[2]), coach, last_start)
    site.clock.strike(last_start + HOUR)
    his.goto(f"/sessions/{last}")
    follow(his, "Complete it")
    sees(his, "It is the last one: the contract is completed with it.")
    press(his, "Complete it")
    state(his, "Completed")
    for page in (hers, his):
        page.goto(contract)
        state(page, "Completed")
        told(page, "Completed: the last session was held", "Contract started")
        expect(page.get_by_role("img", name="100% done")).to_be_visible()
        sees_not(page, "Book a session")


@pytest.fixture
def booked(site: Site, student: Someone, coach: Someone) -> int:
    """A confirmed session, three days ahead."""
    return site.session(site.contract(coach, student), student, START)


def test_declined_the_session_stays_where_it_was(site: Site, seat, student, coach, booked):
    hers, his = seat(student), seat(coach)
    his.goto(f"/sessions/{booked}")
    ask_to_move(his, coach, START + DAY)
    said(his, f"{student.name} has been asked to move it.")

    hers.goto(f"/sessions/{booked}")
    follow(hers, "Answer the request")
    hers.get_by_label("Why not?").fill("On that day I am at a wedding.")
    press(hers, "Decline")
    said(hers, "Declined. The session stays where it was.")
    his.reload()
    for page, me, other in ((hers, student, coach), (his, coach, student)):
        state(page, "Confirmed")
        stands_at(page, me, other, START)
        told(page, "Move declined", "Asked to move it", "Confirmed", "Booked")
        sees(page, "On that day I am at a wedding.")


def test_withdrawn_the_request_is_gone(seat, student, coach, booked):
    hers, his = seat(student), seat(coach)
    hers.goto(f"/sessions/{booked}")
    ask_to_move(hers, student, START + DAY)
    his.goto(f"/sessions/{booked}/reschedule-approval")
    press(hers, "Withdraw the request")
    said(hers, "The request is withdrawn; the original time stands.")
    state(hers, "Confirmed")

    # His page is stale: he is told, and nothing moves.
    press(his, "Approve")
    sees(his, "This is not possible now")
    follow(his, "See the session as it is")
    for page, me, other in ((hers, student, coach), (his, coach, student)):
        state(page, "Confirmed")
        stands_at(page, me, other, START)
        told(page, "Request withdrawn", "Asked to move it")


def test_cancelled_with_a_reason_and_booked_again(site: Site, seat, student, coach, booked):
    hers, his = seat(student), seat(coach)
    site.clock.strike(START - 20 * HOUR)
    hers.goto(f"/sessions/{booked}")
    follow(hers, "Cancel it")
    sees(hers, "20 h left, under the 24 h of notice: it will show as late.", "There is no refund")
    hers.get_by_label("Why are you cancelling it?").fill("I have a fever since this morning.")
    press(hers, "Cancel the session")
    said(hers, "Cancelled. The credit stays with the contract.")
    his.goto(f"/sessions/{booked}")
    for page in (hers, his):
        state(page, "Cancelled")
        told(page, "Cancelled late", "Confirmed", "Booked")
        sees(page, "I have a fever since this morning.", "late cancellation")
        sees_not(page, "Ask to move it", "Cancel it")

    # The make-up is a new session with the same number, at a time that he presses.
    site.hours(coach, Hours(coach.zone, weekly={3: [(9 * 60, 12 * 60)]}, step=60))
    follow(his, "The whole contract")
    sees(his, "1 cancelled or missed session", "4 open")
    his.get_by_role("link", name="Book a session").first.click()
    his.get_by_role("link", name="The next month").click()
    his.get_by_role("link", name="Thursday 9 April 2026: 3 free times").click()
    his.get_by_label("Duration in minutes").fill("120")
    his.get_by_label("Duration in minutes").blur()
    expect(his.get_by_role("link", name="Thursday 9 April 2026: 2 free times")).to_be_visible()
    his.get_by_role("button", name="Thursday 9 April 2026, 10:00").click()
    expect(his.get_by_role("list", name="Chosen time")).to_contain_text("10:00; 16:00 in Berlin")
    press(his, "Book it")
    said(his, "Booked. It is in both calendars.")
    stands_at(his, coach, student, START + 35 * DAY - HOUR)  # summer time has begun
    assert session_of(his) != booked
    sees(his, "Session 1 of 4")


def test_missed_then_corrected_by_the_other(site: Site, seat, student, coach, booked):
    hers, his = seat(student), seat(coach)
    site.clock.strike(START + 20 * MINUTE)
    his.goto(f"/sessions/{booked}")
    follow(his, "It was missed")
    sees(his, "is not paid; the credit returns to the contract", "For 3 days either of you can say")
    his.get_by_role("radio", name="The student").check()
    his.get_by_label("What happened?").fill("Nobody came to the meeting room.")
    press(his, "Mark it missed")
    said(his, "Marked missed.")
    state(his, "Missed")
    told(his, "Marked missed: the student was absent", "Confirmed")

    hers.goto(f"/sessions/{booked}")
    state(hers, "Missed")
    sees(hers, "Nobody came to the meeting room.", student.shown_long(site.clock() + 3 * DAY))
    follow(hers, "It did take place")
    hers.get_by_label("What happened?").fill("We met in the other room, remember?")
    press(hers, "Say that it took place")
    said(hers, "Sent. It waits for their answer.")
    state(hers, "Missed")  # until the other agrees
    sees(hers, f"It waits for {coach.name} or an administrator.")

    his.goto("/dashboard")
    sees(his, f"{student.name} says that it did take place.")
    his.get_by_role("link", name="Look at it").click()
    sees(his, "We met in the other room, remember?")
    press(his, "Yes, it took place")
    said(his, "Corrected: the session counts as completed.")
    hers.reload()
    for page in (hers, his):
        state(page, "Completed")
        told(page, "Corrected: it did take place", "Said that it did take place")


def test_approved_by_silence_on_the_administrators_page(
    site: Site, seat, student, coach, admin, booked
):
    hers, his, hers_too = seat(student), seat(coach), seat(admin)
    hers.goto(f"/sessions/{booked}")
    ask_to_move(hers, student, START + DAY, START + 2 * DAY)
    sees(hers, "it moves to the first proposed time still free")

    hers_too.goto("/admin/due")
    sees_not(hers_too, coach.name)
    site.clock.pass_by(timedelta(days=1))
    hers_too.reload()
    sees(hers_too, "Speaking with confidence · 1 of 4", "Reschedule requested")
    press(hers_too, "Settle all of it")
    dialog = hers_too.get_by_role("dialog")
    expect(dialog).to_contain_text("for everybody, at once")
    dialog.get_by_role("button", name="Settle all of it").click()
    said(hers_too, "Settled: 1 approved")
    sees(hers_too, "Nothing is due")

    hers.reload()
    his.goto(f"/sessions/{booked}")
    for page, me, other in ((hers, student, coach), (his, coach, student)):
        state(page, "Scheduled")  # the coach has to confirm the new time
        stands_at(page, me, other, START + DAY)
        told(page, "Move approved, as nobody answered in time", "Asked to move it")
        sees(page, "Automatically")


def test_a_late_request_lapses_in_silence(site: Site, seat, student, coach, booked):
    hers, his = seat(student), seat(coach)
    site.clock.strike(START - 5 * HOUR)
    hers.goto(f"/sessions/{booked}/reschedule")
    sees(hers, "This is a late request (5 h left; 24 h would be standard)")
    hers.goto(f"/sessions/{booked}")
    ask_to_move(hers, student, START + DAY)
    sees(hers, "late request")

    # The coach comes too late: the start was the deadline.
    his.goto(f"/sessions/{booked}/reschedule-approval")
    site.clock.strike(START + MINUTE)
    press(his, "Approve")
    sees(his, "This is not possible now")
    follow(his, "See the session as it is")
    state(his, "Confirmed")
    stands_at(his, coach, student, START)
    told(his, "Request lapsed without an answer", "Asked to move it")


def test_a_coach_may_not_ask_in_the_last_ten_hours_and_is_told_why(
    site: Site, seat, student, coach, booked
):
    his = seat(coach)
    site.clock.strike(START - 9 * HOUR)
    his.goto(f"/sessions/{booked}")
    his.get_by_text("Not possible now").click()
    refused = his.get_by_role("listitem").filter(has_text="Ask to move it")
    expect(refused).to_contain_text("9 h left")
    expect(refused).to_contain_text("10 h")


def test_without_a_free_proposed_time_the_asker_picks_another(
    site: Site, seat, student, coach, booked
):
    taken = START + DAY
    other = site.contract(coach, site.person("student", "Noor Haddad", "Asia/Amman"))
    hers, his = seat(student), seat(coach)
    his.goto(f"/sessions/{booked}")
    ask_to_move(his, coach, taken)
    site.session(other, coach, taken)
    # What the worker will do: the deadline passes, and the only proposed time is gone.
    site.clock.pass_by(DAY + MINUTE)
    hers.goto(f"/sessions/{booked}/reschedule")
    site.sweep()
    hers.goto(f"/sessions/{booked}")
    state(hers, "To be scheduled")
    sees(hers, "This session has no time yet", "The coach picks a new one.")
    expect(hers.get_by_role("link", name="Pick a time")).to_have_count(0)
    his.goto("/dashboard")
    sees(his, "It has no time yet.")
    his.get_by_role("link", name="Pick a time").click()
    his.get_by_label("Date and time").fill(coach.typed(START + 3 * DAY))
    press(his, "Take this time")
    assert session_of(his) == booked
    stands_at(his, coach, student, START + 3 * DAY)
    told(his, "Time picked", "No proposed time was left; it is to be scheduled")
