"""What people in the demo write: notes after a session, and reasons."""

from typing import Final

Theme = tuple[tuple[str, str], ...]
"""Pairs of what the coach and the student note after a session."""

SPEAKING: Final[Theme] = (
    (
        (
            "Opening is strong now: one picture, one sentence, pause. Next time: the same talk in "
            "half the time."
        ),
        "I keep forgetting to breathe before the first sentence. Wrote it on my hand.",
    ),
    (
        (
            "We cut the agenda slide and nobody missed it. Homework: record two minutes, listen once, "
            "no edits."
        ),
        "Hearing myself was horrible for a minute and then useful. I say 'basically' a lot.",
    ),
    (
        "Worked on questions from the floor. Repeat, answer, stop. The stopping needs practice.",
        "Good trick: repeat the question and look at someone else while answering.",
    ),
    (
        (
            "First run standing up, with a clicker. Hands are calm when there is something to point "
            "at."
        ),
        "Standing changes everything. I will book the small meeting room to rehearse.",
    ),
    (
        "Structure before slides. We drew the whole talk as five boxes on paper.",
        "Five boxes! I finally know which part to drop when time runs out.",
    ),
    (
        "Demo rehearsal failed twice, which was the best thing that could happen. Plan B is ready.",
        "Screenshots as a fallback. I feel much less afraid of the live demo.",
    ),
)
CAREER: Final[Theme] = (
    (
        "Your numbers are good; say them first and then be quiet. Practise the silence.",
        "Seven seconds of silence feel like a minute. I did it twice today.",
    ),
    (
        "We rewrote three achievements as before, after, and what you did. Two more to do at home.",
        "Finished the other two. The one about the migration surprised me.",
    ),
    (
        (
            "Mock interview went well. Slow down on the trade-off question: name two options, choose "
            "one."
        ),
        "I jump to the solution too fast. Will write the options down first.",
    ),
    (
        "Looked at the offer line by line. Questions for the recruiter are in our shared document.",
        "Sent the questions. They answered within an hour and raised the sign-on.",
    ),
    (
        "Good session. Agreed on one goal for the month and how we will know it is reached.",
        "One goal instead of five is a relief.",
    ),
)
MANAGEMENT: Final[Theme] = (
    (
        "Talked through the difficult one-to-one. Next week: ask first, then wait, then ask again.",
        "It went better than I feared. He had been waiting for the question.",
    ),
    (
        "We sorted last week's decisions into mine, theirs and ours. Half of them moved to theirs.",
        "I gave two decisions away and nothing fell over.",
    ),
    (
        "Delegation: the brief was clear, the deadline was not. Rewrote it together.",
        "New brief worked on the first try. Keeping the template.",
    ),
    (
        "Feedback in three sentences: what I saw, what it did, what I would like. Practised aloud.",
        "Said it in the corridor, took a minute. So much easier than a meeting.",
    ),
    (
        "A tired week, so we only looked at the calendar and took four meetings out.",
        "Friday afternoons are free now. I went for a walk.",
    ),
    (
        "Roadmap review: three bets instead of eleven promises. The board will like it.",
        "Showed it to the team first. They had better names for the bets.",
    ),
)
LANGUAGE: Final[Theme] = (
    (
        "Told the story of the lost suitcase in the past tense, with only two slips. Bravo.",
        "Still mixing up the two past tenses, but I notice it now while speaking.",
    ),
    (
        "Role play at the pharmacy. New words are on the card; use five of them before Thursday.",
        "Used six! One of them wrongly, to general amusement.",
    ),
    (
        "Listening was hard today because of the accent. We will use the same speaker again.",
        "Listened twice more at home with the text. Third time I understood the joke.",
    ),
    (
        "Mock conversation of ten minutes without a break. Pronunciation much clearer.",
        "Ten minutes without English. I am exhausted and proud.",
    ),
    (
        "Read the first half of the story; the argument about the ending was worth the hour.",
        "I still think she should have taken the train.",
    ),
)

MOVING: Final = (
    "My train back from the client is only at seven, so I would be late.",
    "The school called, I have to pick up my daughter earlier that day.",
    "We have a release that evening and I am on call for it.",
    "I have a doctor's appointment that could not be placed any other time.",
    "Could we move? A colleague is ill and I am taking over her workshop.",
    "I will be travelling and the hotel connection is not to be trusted.",
    "A team offsite was put on top of our hour, sorry about that.",
    "My notes are not ready yet and I would rather use the hour well.",
)
COUNTERING: Final = (
    "Those are teaching hours for me. Would one of these work instead?",
    "I am in the air then. Here are two times from my side.",
)
DECLINING: Final = (
    "I have no other free hour that week, so let us keep the time we have.",
    "Let us keep it, please: the next two weeks are full on my side.",
)
CANCELLING: Final = (
    "I have caught a cold and my voice is gone for today.",
    "A deadline was moved forward and I need the evening for it.",
    "A family matter came up, I will book another time next week.",
    "Power cut in the whole street, and no end in sight.",
    "The conference pays for a day longer, so I will still be away.",
)
MISSING: Final = (
    "Waited for twenty minutes and tried to call, nobody came.",
    "Nobody joined the call, and my message stayed unread.",
    "The link did not work for either of us and we gave up.",
)
CORRECTING: Final = (
    "We did meet: the link was broken, so we talked on the phone for the whole hour.",
    "It took place, only half an hour later than planned. The notes are in our document.",
)
REFUSING: Final = (
    "Thank you, it sounds good, but I have no evenings left this quarter.",
    "I would rather finish what I have started first. Ask me again in summer?",
)
ENDING: Final = (
    "We have reached what we set out for, and the company will pay for a course from here."
)
PAUSING: Final = "Parental leave until the end of the month; we go on from where we are."
