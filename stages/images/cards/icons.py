"""Which Lucide icon suits a text: a small dictionary of stems, looked up word by word."""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache
from pathlib import Path
from zipfile import ZipFile

# icon: the words it stands for. A word matches with its plural, -ing, -ed and -er taken off.
_ICONS = """
fish: fish reef coral marine tuna salmon shark whale aquarium fishery
waves: ocean sea wave tide surf swim beach marine
droplets: water rain drop liquid moisture wet drink
ship: ship boat sail harbour harbor navy port cargo
anchor: anchor coast island
thermometer-sun: heat warm warming temperature hot celsius degree fever
snowflake: snow ice cold winter freeze frozen glacier arctic
sun: sun solar summer day sunlight shine
moon: moon night sleep lunar dream
cloud-rain: weather storm climate flood
cloud: cloud sky
wind: wind breeze air
zap: lightning electric electricity energy power battery voltage charge
flame: fire burn flame volcano lava
leaf: leaf nature green plant organic ecology environment sustainable
tree-pine: forest pine wood tree jungle
sprout: seed grow growth garden sprout soil farm crop
flower-2: flower bloom blossom bee pollen pollinate pollinator
bird: bird fly wing feather eagle owl nest
paw-print: animal dog wildlife pet mammal wolf fox bear
cat: cat lion tiger kitten
bug: bug insect beetle ant spider
turtle: turtle reptile slow
mountain: mountain rock hill climb alpine peak summit stone
globe: world globe earth international country nation planet global
map-pin: place location city town address visit
map: map travel route explore journey
compass: compass navigate direction discover discovery explorer
plane: plane flight airport airline fly trip
train-front: train rail railway station metro
car: car drive road traffic vehicle
bike: bike bicycle cycle
rocket: rocket space launch mission nasa startup astronaut
orbit: orbit satellite solar mars jupiter saturn
sparkles: magic new star wonder beauty sparkle
telescope: telescope astronomy galaxy universe cosmos hubble
atom: atom physics quantum nuclear particle electron
flask-conical: science chemistry experiment laboratory lab chemical research
microscope: microscope biology cell bacteria
dna: dna gene genetic genome evolution species
brain: brain mind think memory psychology neuron intelligence thought
heart-pulse: health heart pulse medical doctor hospital medicine
pill: drug pill vaccine
dumbbell: sport exercise gym fitness strength muscle
apple: food fruit apple eat diet nutrition
wheat: wheat grain bread flour bake
coffee: coffee tea cafe
utensils: cook kitchen meal restaurant dinner recipe
wine: wine grape vineyard
users: people community team group population human social
user: person customer individual
baby: child baby kid birth
house: house home family building
building-2: city office company skyscraper urban business
factory: factory industry production manufacture emission pollution carbon
landmark: government history museum bank ancient roman empire temple
castle: castle king medieval kingdom queen
crown: crown royal winner
scale: law justice legal court balance
shield-check: safe security protect protection guard defence defense
lock: lock private privacy secret password
key: key unlock access
coins: money coin cost price cash economy dollar euro
piggy-bank: saving save budget
trending-up: increase growth rise profit record market
trending-down: decline decrease fall drop loss
chart-column: data statistic chart survey percent report
calculator: math mathematics calculate number count
clock: time hour minute second clock late
hourglass: century decade wait patience past ancient
calendar: year month week date calendar
book-open: book read story chapter literature novel poem
graduation-cap: school learn student university teach education teacher
pencil: write writer draw pen
palette: art paint colour color painter artist design
music: music song sound melody concert instrument guitar piano
mic: speak voice speech podcast talk
film: film movie cinema video
camera: photo camera picture photograph image
gamepad-2: game play player
trophy: win award prize champion victory
flag: goal flag milestone
target: target aim focus
lightbulb: idea invent invention innovation solution light lamp bulb
cpu: computer chip processor digital technology
bot: robot automation ai machine
code: code software program programmer developer
wifi: internet wireless network online web
smartphone: phone mobile app smartphone
satellite: signal radio communication
mail: email mail letter message
newspaper: news newspaper press journalist
hammer: build tool construct craft repair
wrench: fix maintain mechanic
cog: engine gear mechanism process system
recycle: recycle waste plastic reuse circular
trash-2: garbage litter
handshake: deal agree partner trade cooperate agreement
hand-heart: help donate charity care volunteer gift
heart: love kindness emotion
smile: happy happiness joy fun
eye: eye see look vision watch
ear: ear hear listen
footprints: walk step foot hike
tent: camp tent outdoors
shopping-cart: shop buy store retail
package: package deliver product ship
swords: war battle fight conflict soldier army
vote: vote election democracy
puzzle: puzzle problem challenge part
layers: layer level structure
infinity: infinite forever endless
"""


@lru_cache(maxsize=1)
def _by_word() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in _ICONS.strip().splitlines():
        icon, words = line.split(":")
        for word in words.split():
            table.setdefault(word, icon)
    return table


def icon_for(*texts: str) -> str | None:
    """The drawing of a fitting icon on a 24 by 24 grid (strokes, no colour), or None. Earlier texts count first."""
    for text in texts:
        for word in re.findall(r"[^\W\d_]+", text.lower()):
            for stem in _stems(word):
                drawing = _drawing(_by_word().get(stem, ""))
                if drawing:
                    return drawing
    return None


def _stems(word: str) -> list[str]:
    stems = [word]
    for suffix, instead in (("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ed", ""), ("er", ""), ("es", "e"),
                            ("ing", "e"), ("ed", "e"), ("er", "e")):  # fmt: skip
        if word.endswith(suffix) and len(word) - len(suffix) > 2:
            stems.append(word.removesuffix(suffix) + instead)
    return stems


@lru_cache(maxsize=256)
def _drawing(icon: str) -> str | None:
    spec = importlib.util.find_spec("justmyresource_lucide")
    if not icon or spec is None or spec.origin is None:
        return None
    with ZipFile(Path(spec.origin).parent / "icons.zip") as archive:
        try:
            svg = archive.read(f"{icon}.svg").decode()
        except KeyError:
            return None
    body = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    return re.sub(r"\s*\n\s*", "", body[1]) if body else None


def icon_svg(icon: str, colour: str, x: float, y: float, size: float) -> str:
    """The drawing in one colour, `size` pixels wide with its middle at (x, y); empty for no drawing."""
    if not icon:
        return ""
    return (
        f'<g transform="translate({x - size / 2:.1f} {y - size / 2:.1f}) scale({size / 24:.4f})" fill="none"'
        f' stroke="{colour}" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">{icon}</g>'
    )
