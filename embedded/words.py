"""Plain English words that names are made of. Ours."""

from __future__ import annotations

_PLAIN_TEXT = """
oak bridge river king queen garden star lion castle mill bay holly rose willow stone market abbey church crown
eagle fox swan bell anchor harbour forest meadow field lake spring summer winter autumn north star rainbow sun
moon ocean pearl ruby amber ivory jade coral maple cedar birch elm ash pine bear wolf deer otter badger robin
raven falcon hawk dove finch wren thistle clover heather fern ivy moss berry cherry apple pear plum lemon
olive ginger pepper salt honey sugar bread butter cheese bean corn rice noodle curry kebab pizza burger steak
tiger panda dragon phoenix lotus bamboo palace temple pagoda city town village county station street arms head
house grove green park wood hill valley dale moor heath marsh ferry quay port dock pier cross gate corner view
end saint mary john peter george albert victoria charles henry edward alexander lucy emma anna rosa carolina
worth travel lodge express inn palm royal grand imperial regent plaza central parade union liberty peace hope
faith old new big little great upper lower east west south middle first second third number one two six twelve
forty and of the at on bed breakfast guest tandoori brasserie trattoria cantina taverna bistro deli diner
lounge bar
"""
PLAIN = tuple(_PLAIN_TEXT.split())
