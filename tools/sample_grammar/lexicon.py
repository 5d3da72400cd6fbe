"""The words of the sample grammar, as data: classes of lemmas, and which verb takes which class.

A class is what a verb or an adjective may be said of, so that sentences come out sensible. Spelling
rules and irregular forms are in `inflection.py`; productions are in `phrases.py`, `clauses.py` and
`sentences.py`. `HELD_OUT` lists lemmas that no sentence of the training split uses.
"""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """The words of a string."""
    return tuple(text.split())


NOUNS: dict[str, tuple[str, ...]] = {
    "person": words(
        "teacher doctor farmer nurse student lawyer baker driver painter engineer gardener singer "
        "writer editor captain sailor guest neighbor cook guide guard judge coach pilot tailor "
        "plumber waiter chemist reporter librarian mechanic musician actor dentist architect "
        "manager mayor tourist visitor customer child woman man girl boy friend cousin uncle aunt "
        "sister brother colleague assistant scientist historian traveler shepherd clerk potter "
        "poet carpenter fisherman violinist surgeon"
    ),
    "animal": words(
        "dog cat horse cow goat sheep hen goose duck rabbit fox owl crow pony donkey swan mouse "
        "kitten otter hedgehog"
    ),
    "artefact": words(
        "bridge fence boat cart clock engine roof wall door window gate table chair shelf bench "
        "bicycle wagon ladder stove radio telescope piano tent mill pump raft greenhouse"
    ),
    "object": words(
        "basket bag box cup key coin rope knife spoon map ticket bottle blanket umbrella hat coat "
        "scarf watch camera lantern hammer brush ring kite lamp violin saw thimble compass"
    ),
    "clothing": words("hat coat scarf dress jacket shirt ring uniform cap apron"),
    "instrument": words("hammer brush knife rope ladder spoon needle camera telescope saw shovel"),
    "document": words(
        "letter report book poem story novel article note list plan contract recipe message essay "
        "speech song diary invoice review map pamphlet"
    ),
    "food": words(
        "apple cake pie sandwich pancake carrot potato onion egg loaf biscuit tomato pear plum "
        "dumpling turnip"
    ),
    "stuff": words("bread cheese soup rice milk tea coffee honey butter sugar juice water jam"),
    "place": words(
        "village town city park market garden school library station harbor museum hotel farm "
        "forest river lake valley island beach kitchen office theater church hospital factory "
        "bakery square castle airport orchard lighthouse"
    ),
    "event": words(
        "meeting concert party wedding lesson game race trip visit dinner festival lecture "
        "holiday exam rehearsal picnic"
    ),
    "idea": words(
        "idea problem decision reason rule change result project price cost plan question answer "
        "proposal offer mistake remedy"
    ),
    "weekday": words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "month": words(
        "January February March April May June July August September October November December"
    ),
    "part": words("roof wall door window gate clock"),
    "container": words("cup bottle basket box bag bowl jar"),
    "period": words("minute hour day week month year"),
    "skill": words("music history science art English French"),
    "topic": words("music history rain snow weather travel science art winter summer war peace"),
}

MALE = words("Peter Daniel Omar Felix Ravi Hugo Tom Samuel Ivan Kenji Leo Anton Bruno")
FEMALE = words("Anna Clara Mina Ruth Leila Sofia Nora Emma Yuki Ines Maria Greta Odile")
SURNAMES = words("Berg Lindqvist Okafor Tanaka Moreno Haddad Novak Fischer Silva Brennan")
TOWNS = words("Marby Oldhaven Tessel Brackwater Lindow Farrowdale Kelmouth Windermoor")
FIRMS = ("Harbor Bank", "Hill Street Bakery", "Northern Railway", "Lindow Press", "Star Theater")

COMPOUNDS: dict[str, tuple[str, ...]] = {
    "artefact": ("garden gate", "kitchen table", "church clock", "water pump", "barn door"),
    "object": ("train ticket", "tea cup", "street map", "bread basket", "door key"),
    "document": ("love letter", "school report", "travel guide", "news article", "repair plan"),
    "place": ("train station", "bus station", "city park", "school library", "fish market"),
    "person": ("bus driver", "music teacher", "school nurse", "tour guide", "town clerk"),
    "food": ("apple pie", "cheese sandwich", "honey cake", "onion pie"),
    "event": ("boat race", "piano lesson", "dance class", "summer festival", "birthday party"),
    "idea": ("water problem", "house rule", "ticket price"),
}

ADJECTIVES: dict[str, tuple[str, ...]] = {
    "person": words(
        "young old tall kind clever brave quiet busy tired famous careful honest cheerful patient "
        "shy polite strong curious proud jovial"
    ),
    "animal": words("small young black white brown hungry old quick wild tame gray"),
    "thing": words(
        "new old small large heavy light broken wooden red green blue white yellow cheap "
        "expensive useful beautiful round narrow wide clean dirty strange sturdy"
    ),
    "document": words("long short boring interesting funny important new clear old witty"),
    "food": words("fresh sweet warm cold small large delicious ripe"),
    "place": words("old quiet crowded famous distant empty little busy new beautiful"),
    "event": words("long short noisy pleasant important annual"),
    "idea": words("simple difficult good bad serious strange new clear sensible"),
}
# Adjectives of one group do not stand side by side.
OPPOSITES = tuple(
    frozenset(words(group))
    for group in (
        "short long", "young old new", "small large little", "cheap expensive", "clean dirty",
        "heavy light", "narrow wide", "good bad", "simple difficult", "warm cold",
        "red green blue white yellow black brown gray", "empty crowded busy quiet noisy",
        "wild tame", "boring interesting funny witty", "clear strange", "shy brave proud",
    )
)  # fmt: skip
FEELINGS = words("happy sad angry tired hungry nervous calm sure ready late ill upset")
OPINIONS = words("clear possible likely important strange true obvious")
EASE = words("easy difficult important hard safe wise")

MANNER = words(
    "slowly quickly carefully quietly gently happily politely patiently again together "
    "alone briskly"
)
FREQUENCY = words("often always never sometimes usually rarely also")
STANCE = words("perhaps fortunately unfortunately suddenly finally later clearly")
DEGREE = words("very quite rather too so really")

# Which verb takes which class as its object.
TRANSITIVE: dict[str, tuple[str, ...]] = {
    "artefact": words("build repair paint sell buy inspect move clean measure fix draw"),
    "object": words("carry find lose hide borrow drop hold buy sell bring take see want"),
    "document": words("read write sign copy print finish translate discuss study keep"),
    "food": words("eat cook buy taste order share bring prepare like want"),
    "stuff": words("buy taste order share bring like sell need"),
    "person": words("meet help thank visit follow invite call teach know trust praise"),
    "animal": words("feed watch chase follow find see catch hear"),
    "place": words("visit leave reach see remember like love paint"),
    "event": words("attend miss plan enjoy cancel organize remember describe mention"),
    "idea": words("discuss explain accept reject understand mention consider describe"),
}
INTRANSITIVE = words("sleep laugh smile wait rest work sing dance cough arrive read cook")
ANIMAL_ACTS = words("sleep run drink hide rest escape wait jump play swim")
MOTION = words("walk run drive travel return hurry sail ride cycle go come march")
THING_ACTS: dict[str, tuple[str, ...]] = {
    "artefact": ("break", "creak", "fall", "collapse"),
    "object": ("break", "fall", "disappear", "vanish"),
    "event": ("begin", "end", "start", "finish", "continue"),
    "idea": ("change", "matter", "return"),
}
# Verb, preposition, class of the object of the preposition.
PREPOSITIONAL: tuple[tuple[str, str, str], ...] = (
    ("wait", "for", "person"),
    ("look", "at", "artefact"),
    ("look", "for", "object"),
    ("listen", "to", "person"),
    ("talk", "about", "event"),
    ("talk", "to", "person"),
    ("think", "about", "idea"),
    ("search", "for", "animal"),
    ("care", "for", "animal"),
    ("pay", "for", "food"),
    ("complain", "about", "event"),
    ("agree", "with", "person"),
    ("write", "about", "place"),
    ("ask", "for", "stuff"),
)
DITRANSITIVE: tuple[tuple[str, str], ...] = (
    ("give", "object"),
    ("send", "document"),
    ("show", "document"),
    ("lend", "object"),
    ("offer", "food"),
    ("bring", "food"),
    ("teach", "skill"),
    ("tell", "story"),
    ("hand", "object"),
)
PARTICLE: tuple[tuple[str, str, str], ...] = (
    ("pick", "up", "object"),
    ("put", "away", "object"),
    ("write", "down", "document"),
    ("hand", "in", "document"),
    ("give", "back", "object"),
    ("set", "up", "artefact"),
    ("take", "down", "artefact"),
    ("call", "off", "event"),
    ("point", "out", "idea"),
)
INTRANSITIVE_PARTICLE = (("wake", "up"), ("sit", "down"), ("stand", "up"), ("come", "back"))
SAYING = words("say think believe know hope claim notice remember report explain")
TELLING = ("tell", "remind", "warn", "promise")
ASKING = ("ask", "wonder", "know", "forget")
WANTING = words("want try plan hope decide promise refuse begin agree need forget")
URGING = words("ask tell persuade allow help teach remind urge")
ENJOYING = words("start stop enjoy keep avoid finish")
SEEMING = words("seem become look sound feel remain")

MODALS = ("can", "could", "may", "might", "must", "should", "would")
NUMBERS = words("two three four five six seven eight nine ten twelve twenty fifty")
# The preposition of a place where something happens; `in` where none is given.
PLACE_PREPOSITIONS = {
    **dict.fromkeys(words("station harbor airport market lighthouse"), "at"),
    **dict.fromkeys(words("river lake"), "by"),
    **dict.fromkeys(words("island beach farm"), "on"),
}
TOOL_VERBS = frozenset(words("repair build fix measure clean draw paint cook prepare"))
GREETINGS = ("Well", "Yes", "No", "Oh")

MASS = frozenset({"stuff", "topic"})
THINGS = frozenset({"artefact", "object", "clothing", "instrument", "container", "part"})
# Form as subject, form as object, lemma, number, person.
PRONOUNS = (
    ("I", "me", "I", "Sing", 1),
    ("you", "you", "you", "Plur", 2),
    ("he", "him", "he", "Sing", 3),
    ("she", "her", "she", "Sing", 3),
    ("it", "it", "it", "Sing", 3),
    ("we", "us", "we", "Plur", 1),
    ("they", "them", "they", "Plur", 3),
)
POSSESSIVES = ("my", "your", "his", "her", "our", "their")
SINGULAR_DETERMINERS = {
    "the": 44, "a": 26, "this": 4, "that": 4, "every": 3, "another": 3, "one": 3,
    "possessive": 12, "genitive": 9,
}  # fmt: skip
PLURAL_DETERMINERS = {
    "the": 30, "": 12, "number": 16, "digits": 4, "these": 3, "those": 3, "some": 8, "all": 3,
    "several": 4, "many": 4, "possessive": 9, "genitive": 7,
}  # fmt: skip
SITES = frozenset({"place", "instrument", "container"})
SITE_DETERMINERS = {"the": 60, "a": 24, "this": 3, "that": 5, "another": 4, "one": 2}
MASS_DETERMINERS = {"": 40, "the": 25, "some": 20, "possessive": 8, "genitive": 5}
# What may follow a noun: preposition and class of its object.
POSTMODIFIERS: dict[str, tuple[tuple[str, str], ...]] = {
    "person": (
        ("from", "town"),
        ("with", "clothing"),
        ("in", "clothing"),
        ("at", "place"),
        ("at", "firm"),
    ),
    "animal": (("from", "place"), ("in", "place"), ("behind", "artefact")),
    "artefact": (("in", "place"), ("near", "place"), ("behind", "place"), ("of", "person")),
    "object": (("in", "container"), ("on", "artefact"), ("from", "town"), ("under", "artefact")),
    "document": (("about", "place"), ("about", "topic"), ("from", "person"), ("by", "person")),
    "food": (("from", "place"), ("with", "stuff"), ("in", "container"), ("for", "person")),
    "stuff": (("from", "town"), ("in", "container"), ("with", "stuff")),
    "place": (("near", "town"), ("behind", "place"), ("of", "town"), ("beyond", "place")),
    "event": (("in", "place"), ("with", "person"), ("on", "weekday"), ("at", "place")),
    "idea": (("about", "event"), ("of", "person"), ("for", "place"), ("from", "person")),
    "story": (("about", "animal"), ("about", "town")),
}

HELD_OUT = frozenset(
    words(
        "potter poet violinist surgeon otter hedgehog kitten greenhouse raft thimble compass "
        "pamphlet dumpling turnip jam orchard lighthouse rehearsal picnic remedy jovial sturdy "
        "witty briskly march vanish collapse urge Odile Bruno Greta Anton Brennan Silva "
        "Windermoor Kelmouth apron shovel mention sensible gray"
    )
)
