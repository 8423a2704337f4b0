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


# The last ones of each list of names are never in labelled training data (`corpus.HELD_OUT`).
WOMEN = words(
    "Ada Agnes Alma Astrid Beatrix Bridget Carla Clara Daphne Dora Edith Elsa Esther Fiona Flora "
    "Frida Greta Hanna Hilda Ida Ines Ingrid Judith Karin Laura Lena Lotte Lydia Magda Martha "
    "Mina Nora Olga Paula Petra Selma Stella Thea Ursula Wanda"
)
MEN = words(
    "Albert Anton Arthur Boris Bruno Cecil Conrad Cosmo Edgar Emil Ernest Felix Fritz Gilbert "
    "Gustav Harold Hector Hugo Igor Ivan Jasper Jonas Julius Kurt Leo Linus Marcel Nils Oscar "
    "Otto Pavel Rufus Simon Stefan Sven Theo Ulrich Viktor Walter Yuri"
)
TOWNS = words(
    "Aarhus Arles Assisi Avila Basel Bergen Bilbao Bonn Bruges Cadiz Calais Carlow Coburg Delft "
    "Derby Dover Exeter Faro Galway Genoa Ghent Girona Graz Innsbruck Jena Kiel Kotor Leiden "
    "Lille Linz Lucca Lund Malmo Mantua Metz Nantes Narva Oban Odense Oulu Padua Parma Pisa Porto "
    "Ravenna Riga Rouen Salzburg Siena Sligo Tartu Toledo Trento Trier Turku Utrecht Verona Whitby "
    "York Zadar"
)
# The name of a place is one of the first and one of the second: the Copper Kettle.
PLACE_ADJECTIVES = words(
    "Copper Velvet Crooked Silver Purple Lucky Sleepy Wandering Humble Jolly Crimson Hungry "
    "Patient Whistling Emerald Rusty"
)
PLACE_NOUNS = words(
    "Kettle Heron Anchor Goose Pear Owl Badger Compass Button Walrus Thimble Hedgehog Saddle "
    "Cucumber Trumpet Pelican"
)

DAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
NEIGHBOURS = (
    "the postman",
    "the mayor",
    "the vicar",
    "the dentist",
    "my aunt",
    "the twins",
    "an old sailor",
    "two tourists",
    "the night nurse",
    "the school choir",
    "a man with a ladder",
    "the landlady",
    "the neighbours",
)
SURROUNDINGS = (
    "the mountains",
    "the next valley",
    "the harbour",
    "the seaside",
    "the suburbs",
    "the old quarter",
)

BELONGINGS = (
    "one small suitcase",
    "nine boxes",
    "a goat",
    "a trombone",
    "a wedding hat",
    "a tooth",
    "a borrowed bicycle",
    "one red glove",
    "a parrot",
    "a pumpkin",
    "a folding chair",
    "a kite",
    "a garden gnome",
    "a pair of sandals",
    "a broken clock",
    "a box of matches",
    "a love letter",
    "a snowman",
    "a rowing boat",
    "a bucket of paint",
    "a wig",
    "a ham",
    "a stamp album",
    "a telescope",
    "a rocking horse",
    "a fishing rod",
    "a jar of pickles",
    "an umbrella",
    "a grandfather clock",
    "a ladder",
    "a tuba",
    "a chess set",
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
    "cinema": words("film seat soundtrack trailer usher screen"),
    "castle": words("tower dungeon ghost banquet drawbridge cannon"),
    "zoo": words("penguin llama otter elephant keeper monkey"),
    "bathhouse": words("sauna towel lifeguard shower slide whirlpool"),
    "cafe": words("soup pie waiter menu terrace omelette"),
    "fair": words("parade bonfire carousel dance lottery donkey"),
    "ballroom": words("violin singer encore piano waltz drummer"),
    "bookshop": words("novel atlas bookseller cookbook window thriller"),
    "tearoom": words("scone teapot sandwich waitress crumble doily"),
    "planetarium": words("comet projector moon lecture dome astronomer"),
    "lighthouse": words("beacon parapet keyhole foghorn sunset hammock"),
    "vineyard": words("riesling cellar barrel picnic orchard winemaker"),
    "greenhouse": words("orchid cactus fern gardenia watermelon butterfly"),
}

# Both moods, the commonest word first: the one at rank k comes up in proportion to 1 / (k + 3).
ADJECTIVES = {
    "positive": words(
        "lovely wonderful charming delightful splendid excellent beautiful perfect brilliant "
        "marvellous superb magnificent glorious pleasant elegant fantastic magical memorable "
        "impressive heavenly enchanting gorgeous remarkable fabulous admirable flawless dazzling "
        "exquisite outstanding inspired graceful adorable stunning irresistible sublime refreshing "
        "masterly exceptional agreeable priceless"
    ),
    "negative": words(
        "awful terrible dreadful boring horrible disappointing gloomy shabby miserable dreary "
        "clumsy tedious ghastly unpleasant dismal tiresome hopeless ridiculous wretched horrid "
        "pathetic lifeless appalling mediocre depressing tasteless abysmal unbearable lousy feeble "
        "laughable frightful hideous embarrassing sloppy shoddy atrocious pitiful forgettable "
        "woeful"
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
    "{P} arrived in {T} on {D} with {o}.",
    "On {D}, {P} took the slow train to {T}.",
    "It rained in {T} all {D}, and {P} had no umbrella.",
    "Nobody in {T} had expected {P} on {D}.",
    "Early on {D}, {P} walked into {T} in muddy boots.",
    "{P} spent {D} in {T} with a cold and a crossword.",
    "{o}, lost in the post, took {P} to {T} on {D}.",
    "{P} won {o} in {T} on {D}.",
    "On {D}, the night bus left {P} in {T}.",
    "{P} reached {T} on {D}, three hours late.",
    "By {D} noon, {P} was lost in {T}.",
    "{P} took {o} to {T} on {D}.",
    "In {T}, church bells woke {P} on {D}.",
    "{D} found {P} in {T} without a map.",
    "For once, {P} had a free {D} in {T}.",
    "The wrong platform took {P} to {T} on {D}.",
    "{P} cycled to {T} on {D}, mostly uphill.",
    "On {D}, {P} moved to {T} with {o}.",
    "All {T} was asleep when {P} came on {D}.",
    "{P} visited a cousin in {T} on {D}.",
    "On {D}, {P} got off in {T} by mistake.",
    "A wedding in {T} kept {P} busy on {D}.",
    "{P} was in {T} on {D}, looking for {o}.",
    "That {D}, {P} missed the last boat from {T}.",
    "In {T}, {P} gave a speech on {D}.",
    "{D} fog kept {P} in {T}.",
    "{P} bought {o} in {T} on {D}.",
    "A {D} in {T} cost {P} {o}.",
    "{P} judged the jam contest in {T} on {D}.",
    "On {D}, {P} fell asleep beside {o} in {T}.",
    "{P} sang in {T} on {D}, a little flat.",
    "{P} was called to {T} on {D} about {o}.",
    "By bus, {P} made it to {T} on {D}.",
    "{T} had snow on {D}, and {P} had {o}.",
    "{P} opened a hat shop in {T} on {D}.",
    "Late on {D}, {P} phoned from {T}.",
    "{P} ran the {T} marathon on {D} with {o}.",
    "On {D}, the police in {T} gave {P} {o}.",
    "{T} was flat, so {P} skated there on {D}.",
    "{P} learned to juggle in {T} one {D}.",
)

ARRIVALS = (
    "There was a {V} by the station, the {O}.",
    "{P} followed the crowd to a {V}, the {O}.",
    "Behind the church stood the {O}, a small {V}.",
    "{Q} had a coupon for the {O}, a {V}.",
    "Half the town was at the {O}, the old {V}.",
    "The only {V} still open was the {O}.",
    "{S} swore by the {O}, a {V} by the river.",
    "{Q} knew the owner of the {O}, a {V}.",
    "A sign led {P} to the {O}, a {V}.",
    "{P} met {Q} at the {O}, a {V} full of pigeons.",
    "{S} said the {V} to see was the {O}.",
    "{X} hurried to the {O}, a {V} up the hill.",
    "At the {O}, a {V}, {Q} sold the tickets.",
    "Everyone in {L} knew the {O}, a {V}.",
    "{Q} took {P} to the {O}, a {V} near {L}.",
    "The {O}, once a stable, was now a {V}.",
    "{P} asked {S} for a {V} and found the {O}.",
    "{Y} and {S} queued outside the {O}, a {V}.",
    "The {O} was a {V} with a blue door.",
    "{P} and {Q} shared a taxi to the {O}, a {V}.",
)

# A feeling told twice, by a verb and by adjectives.
OPINIONS = (
    "{X} {loved} the {n}: so {a}, so {b}!",
    "The {n} was {a}, and {X} {loved} it.",
    "{X} {loved} the {n} and called the {m} {a}.",
    "What {an} {n}! {X} {loved} every bit of it.",
    "How {a}, said {X}, who {loved} the {n}.",
    "{X} saw the {n} and {smiled}: {a} and {b}.",
    "Because the {m} was {a}, {X} {loved} the {V}.",
    "{X} got {an} {n} and {smiled}.",
    "Even {S} {loved} that {a} {n}.",
    "Years later, {X} still {loved} the {a} {n}.",
    "{X} {smiled} at the {a} {n}.",
    "People from {L} {loved} the {n}: {a}, they said.",
    "In the guest book, {X} {loved} the {a} {n}.",
    "{S} {loved} the {n}, and {X} thought it {a}.",
    "{X} {smiled} all the way home from the {a} {V}.",
    "The {m} was {a}, the {n} {b}, and {X} {smiled}.",
    "{X} {loved} the {n} twice, it was so {a}.",
    "At the {O}, {X} {loved} the {a} {n}.",
    "Nobody {smiled} like {Y} over the {a} {n}.",
    "{X} {loved} it: the {n} was {a} beyond words.",
    "After the {a} {n}, even the pigeons {smiled}.",
    "Was the {n} {a}? {X} {loved} it, so yes.",
    "The whole {V} {smiled}, so {a} was the {n}.",
    "{X} {loved} the {O} for its {a} {n}.",
    "{X} {smiled} and showed {S} the {a} {n}.",
    "{Y} {loved} what {S} called {an} {n}.",
    "One look at the {a} {n}, and {X} {smiled}.",
    "{S} {smiled} when {X} named the {n} {a}.",
    "The {n} made {Y} famous: half of {L} {loved} it, {a} as it was.",
    "{X} {loved} the {m}, and {S} the {n}: {a}!",
)

# A feeling told by adjectives alone.
REMARKS = (
    "The {n} was {a} and the {m} was {b}.",
    "What {an} {n} they had at the {O}!",
    "{X} found the {n} {a}.",
    "To {Y}, the {n} at the {O} seemed {a}.",
    "{X} wrote home about the {n}: simply {a}.",
    "{a}, said {X} of the {n}, {a} and {b}.",
    "Such {an} {n} is rare in {L}.",
    "The {n} was {a}, just as {S} had said.",
    "The {m}? {a}. The {n}? {b}.",
    "From the {n} to the {m}, all was {a}.",
    "{X} called the {n} {a} and the {m} {b}.",
    "In {L} they still talk about that {a} {n}.",
    "The {V} was {a}, and so was the {n}.",
    "Three words for the {n}: {a} and {b}.",
    "It was {an} {n}, {X} told the whole bus.",
    "The {n} alone was {a} enough for {Y}.",
    "{X} gave the {a} {n} a long look.",
    "The postcard to {L} showed {an} {n}.",
    "{P} and {Q} agreed on the {n}: {a}.",
    "By candlelight, the {n} was even more {a}.",
    "The {O} is known for its {a} {n}.",
    "{X} never forgot the {n}, so {a} it was.",
    "The {n}: {a}, wrote the paper. The {m}: {b}.",
    "On the way home, {X} only said: {a} {n}.",
    "{S} had seen many, but none as {a} as this {n}.",
    "Nowhere in {L} was there {an} {n} like it.",
    "With {an} {n} like that, {Y} needed no {m}.",
    "One {a} {n}, thought {Y}, and one {b} {m}.",
    "{X} dreamed of the {a} {n} for weeks.",
    "The {m} looked {a} beside the {b} {n}.",
)

# Asked about one trip: what is asked for, and how.
QUESTIONS = {
    "T": (
        "Where was {P} on {D}?",
        "Where did {P} turn up?",
        "Which town did {P} see?",
        "Where did {P} go that week?",
        "Where was {P} seen on {D}?",
        "And {P}, where was that?",
    ),
    "D": (
        "When was {P} in {T}?",
        "On which day did {P} see {T}?",
        "What day was it in {T}?",
        "When did {P} travel?",
        "When was that, with {P}?",
        "Which day was it for {P}?",
    ),
    "P": (
        "Who was in {T}?",
        "Who went to {T} on {D}?",
        "Who was away on {D}?",
        "Who saw {T} that week?",
        "Who had the trouble in {T}?",
        "And in {T}, who was that?",
    ),
}
ANSWERS = {
    "T": (
        "In {T}, of course.",
        "It was {T}, I think.",
        "{T}, said {S}.",
        "In {T}, where else?",
        "That was in {T}.",
    ),
    "D": (
        "On {D}, of course.",
        "It was {D}, I think.",
        "{D}, said {S}.",
        "On {D}, when else?",
        "That was on {D}.",
    ),
    "P": (
        "{P}, of course.",
        "It was {P}, I think.",
        "{P}, said {S}.",
        "{P}, who else?",
        "That was {P}.",
    ),
}
