"""The words and sentence frames that `corpus` makes its documents of, written for this lesson.

Every frame is a sentence with slots. What fills them:

| slot | filled with |
|---|---|
| `{P}` `{T}` `{D}` | the person, the town and the day of one trip |
| `{Q}` | the other person of the document |
| `{o}` | what somebody carries about, with its article |
| `{V}` `{O}` | the kind of place, and its name |
| `{n}` `{m}` | two things one finds there |
| `{a}` `{b}` | two adjectives of the document's mood; `{an}` is one with its article |
| `{loved}` | a verb of the mood that takes an object; `{smiled}` one that takes none |
| `{X}` | somebody: a person of the document, "he" or "she", or one of `NEIGHBOURS` |
| `{Y}` | the same without the pronoun, where it is not the subject |
| `{S}` | one of `NEIGHBOURS` |
| `{L}` | somewhere: a town of the document, or one of `SURROUNDINGS` |

Who has a name can stand where "the postman" stands, and a town where "the mountains" stand. So a
frame alone does not tell what is a name.
"""


def words(line: str) -> tuple[str, ...]:
    """The words of a line."""
    return tuple(line.split())


# The last quarter of each list of names is in no labelled training example (`corpus.HELD_OUT`).
WOMEN = words(
    "Ada Agnes Astrid Beatrix Carla Clara Daphne Dora Edith Elsa Fiona Flora Frida Greta Hanna "
    "Hilda Ingrid Judith Magda Nora Olga Petra Selma Thea"
)
MEN = words(
    "Albert Anton Boris Bruno Cecil Conrad Cosmo Edgar Emil Ernest Felix Fritz Gustav Harold "
    "Hector Hugo Igor Jasper Linus Nils Oscar Otto Rufus Viktor"
)
TOWNS = words(
    "Aarhus Assisi Avila Basel Bergen Bilbao Bonn Bruges Cadiz Delft Derby Exeter Galway Genoa "
    "Ghent Graz Jena Kiel Leiden Lille Lucca Lund Malmo Metz Odense Padua Parma Pisa Riga Siena "
    "Toledo Trieste"
)
# The name of a place is one of the first and one of the second: the Copper Kettle.
PLACE_ADJECTIVES = words(
    "Copper Velvet Crooked Silver Purple Lucky Sleepy Wandering Whistling Humble"
)
PLACE_NOUNS = words("Kettle Heron Anchor Goose Pear Owl Badger Compass Walrus Thimble")

DAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
NEIGHBOURS = (
    "the postman",
    "the mayor",
    "the vicar",
    "the dentist",
    "my aunt",
    "the twins",
    "an old sailor",
)
SURROUNDINGS = ("the mountains", "the valley", "the harbour", "the suburbs")

BELONGINGS = (
    "nine boxes",
    "a goat",
    "a trombone",
    "a wedding hat",
    "a tooth",
    "a parrot",
    "a pumpkin",
    "a love letter",
    "a rowing boat",
    "an umbrella",
)

# What there is, by the kind of place. One of each, so that "was" is right for all.
VENUES = {
    "bakery": words("loaf cake pastry tart baker pretzel"),
    "theatre": words("play stage costume chorus curtain prompter"),
    "museum": words("painting statue guide staircase mummy skeleton"),
    "hotel": words("room bed breakfast lobby porter view"),
    "market": words("cheese trout melon stall herring butcher"),
    "library": words("armchair lamp catalogue globe librarian carpet"),
    "garden": words("fountain lawn beehive maze pond gardener"),
    "circus": words("clown tent acrobat lion magician juggler"),
    "castle": words("tower dungeon ghost banquet drawbridge cannon"),
    "zoo": words("penguin llama otter elephant keeper monkey"),
}

# Both moods, the commonest word first: the one at rank k comes up in proportion to 1 / (k + 3).
ADJECTIVES = {
    "positive": words(
        "lovely wonderful charming delightful splendid excellent beautiful perfect brilliant "
        "marvellous superb magnificent glorious pleasant elegant fantastic magical memorable "
        "impressive gorgeous remarkable fabulous flawless dazzling exquisite outstanding graceful "
        "adorable sublime priceless"
    ),
    "negative": words(
        "awful terrible dreadful boring horrible disappointing gloomy shabby miserable dreary "
        "clumsy tedious ghastly unpleasant dismal tiresome hopeless ridiculous wretched horrid "
        "pathetic lifeless appalling mediocre tasteless unbearable feeble hideous sloppy woeful"
    ),
}
# Verbs that tell the mood. The same few come back all the time: the adjectives are learned by them.
LOVED = {
    "positive": words("loved enjoyed praised admired adored recommended"),
    "negative": words("hated endured criticised mocked despised avoided"),
}
SMILED = {
    "positive": words("smiled cheered beamed applauded"),
    "negative": words("sighed groaned frowned yawned"),
}

TRIPS = (
    "On {an} {D}, {P} took a train to {T}.",
    "{P} spent {an} {D} in {T}.",
    "In {T}, bells woke {P} on {an} {D}.",
    "On {an} {D}, {P} was lost in {T}.",
    "{P} won {o} in {T} on {an} {D}.",
    "By {D}, all of {a} {T} knew {P}.",
    "It snowed in {T} that {a} {D}, and {P} had {o}.",
)

LINKS = (
    "{P} wrote to {Q}.",
    "{P} and {Q} are friends.",
    "{P} still owes {Q} {o}.",
    "{P} often rang {Q}.",
    "{Q} named a hen after {P}.",
)

ARRIVALS = (
    "{P} found the {O}, {an} {V}.",
    "{P} {loved} the {O}, {an} {V}.",
    "A sign led {P} to the {O}, {an} {V}.",
    "{P} and {Q} met at the {O}, {an} {V}.",
    "{S} took {P} to the {O}, {an} {V}.",
)

# A feeling told twice, by a verb and by adjectives.
OPINIONS = (
    "{X} {loved} the {a} {n}.",
    "The {n} was {a}, and {X} {smiled}.",
    "{X} {loved} the {a} {n} and the {b} {m}.",
    "What {an} {n}! {X} {smiled}.",
    "At the {O}, {X} {loved} the {a} {n}.",
    "{X} saw the {a} {n} and {smiled}.",
    "{Y} and half of {L} {loved} the {a} {n}.",
    "Even {S} {loved} what {Y} called {an} {n}.",
)

# A feeling told by adjectives alone.
REMARKS = (
    "{X} called the {n} {a} and the {m} {b}.",
    "To {Y}, the {n} of the {O} seemed {a}.",
    "The {O}, said {Y}, had {an} {n}.",
    "The {n} was {a} and the {m} {b}, wrote {Y}.",
    "What {an} {n}, {Y} told {S}.",
)

# Asked about one trip: what is asked for, and how.
QUESTIONS = {
    "T": ("Where was {P} on {D}?", "Which town did {P} see?"),
    "D": ("When was {P} in {T}?", "On which day did {P} see {T}?"),
    "P": ("Who was in {T}?", "Who went away on {D}?"),
}
ANSWERS = {
    "T": ("In {T}.", "It was {T}."),
    "D": ("On {D}.", "It was {D}."),
    "P": ("{P}.", "It was {P}."),
}
