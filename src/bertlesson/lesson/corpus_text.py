"""The words and sentence frames from which `corpus` builds its documents, written for this lesson.

Every frame is a sentence with slots:

| slot | filled with |
|---|---|
| `{P}` `{T}` `{D}` | the person, the town and the day of one trip |
| `{Q}` | the other person of the document |
| `{X}` | the person; occasionally "he" or "she", or one of `NEIGHBOURS` |
| `{S}` | one of `NEIGHBOURS` |
| `{V}` `{O}` | the kind of place, and its name |
| `{n}` `{m}` | two things found there |
| `{a}` `{b}` | two adjectives of the document's mood; `{an}` is the first with its article |
| `{loved}` | a verb of the mood that takes an object; `{smiled}` one that takes none |
| `{o}` | an odd belonging, with its article |

Sentences are short, and most of their words recur in other sentences of the document. A hidden word
can therefore be inferred from the rest, and a small model learns this in minutes.
"""

__all__ = [
    "ADJECTIVES",
    "ANSWERS",
    "ARRIVALS",
    "BELONGINGS",
    "DAYS",
    "LINKS",
    "LOVED",
    "MEN",
    "NEIGHBOURS",
    "OPINIONS",
    "PLACE_ADJECTIVES",
    "PLACE_NOUNS",
    "QUESTIONS",
    "REMARKS",
    "SMILED",
    "TOWNS",
    "TRIPS",
    "VENUES",
    "WOMEN",
]


def words(line: str) -> tuple[str, ...]:
    """The words of a line."""
    return tuple(line.split())


# The last quarter of each list of names is in no labelled training example (`labelled.HELD_OUT`).
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
# The name of a place combines an adjective and a noun: the Copper Kettle.
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

# The things found in each kind of place. All are singular, so that "was" fits.
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

# Both moods, most frequent word first: the word at rank k has a weight of 1 / (k + 3).
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
# Verbs that express the mood. They are few and frequent: from them the model learns the adjectives.
LOVED = {
    "positive": words("loved enjoyed praised admired adored recommended"),
    "negative": words("hated endured criticised mocked despised avoided"),
}
SMILED = {
    "positive": words("smiled cheered beamed applauded"),
    "negative": words("sighed groaned frowned yawned"),
}

TRIPS = (
    "{P} came to the {V} in {T} on {an} {D}.",
    "On {an} {D}, {P} took a train to the {V} in {T}.",
    "{P} spent {an} {D} at the {V} in {T}.",
    "On {an} {D}, it snowed on {P} at the {V} in {T}.",
)

LINKS = (
    "{P} wrote to {Q} about the {a} {V}.",
    "{P} met {Q} at the {a} {V}.",
    "{P} owes {Q} {o} and {an} day at the {V}.",
)

ARRIVALS = (
    "The {V} was called the {O}, and {P} {loved} it.",
    "{P} {smiled} at the {O}, {an} {V} in {T}.",
    "{P} asked {S} for the {V}, the {a} {O}.",
)

# A feeling expressed twice, by a verb and by adjectives.
OPINIONS = (
    "At the {V}, {X} {loved} the {a} {n}.",
    "The {n} of the {V} was {a}, and {X} {smiled}.",
    "What {an} {n} for a {V}! {X} {smiled}.",
    "{X} {loved} the {a} {n} and the {b} {m} of the {V}.",
    "{X} {loved} the {V} for its {a} {n}.",
    "At the {O}, {X} {loved} the {a} {n}.",
)

# A feeling expressed by adjectives alone.
REMARKS = (
    "{X} called the {V} {a} and the {n} {b}.",
    "To {P}, the {n} of the {V} seemed {a}.",
    "The {V}, said {X}, had {an} {n}.",
)

# Questions about one trip, by what they ask for.
QUESTIONS = {
    "T": ("In which town was {P} at the {V}?", "Where was the {V} that {P} saw on {D}?"),
    "D": ("When was {P} at the {V} in {T}?", "On which day did {P} see the {V} in {T}?"),
    "P": ("Who was at the {V} in {T}?", "Who went to the {V} on {D}?"),
}
ANSWERS = {
    "T": ("In {T}.", "It was {T}."),
    "D": ("On {D}.", "It was {D}."),
    "P": ("{P}.", "It was {P}."),
}
