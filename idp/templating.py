"""Templates as code, once for each language: what is known before a person comes stands in that code already.

Promises: a sentence without places, and the address of a static file, cost nothing when a page is shown. A sentence of
ours is markup (it may hold <strong>); what fills it is escaped as it goes in. Must not know: any page.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator
from jinja2.filters import do_mark_safe
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from idp.languages import LANGUAGES, Moment, local, translatable, write_day, write_grouped

HIGH, MEDIUM = 27, 25


class Words:
    """The words of one language, as templates ask for them."""

    def __init__(self, language: str, catalogue: NullTranslations) -> None:
        self._language = language
        self._catalogue = catalogue

    def sentence(self, text: str, /, **values: object) -> Markup:
        """A Dutch sentence in this language, its named places filled."""
        return do_mark_safe(self._catalogue.gettext(text)) % values

    def counted(self, one: str, many: str, /, *, num: int) -> Markup:
        """The same for a sentence about a number of things."""
        return do_mark_safe(self._catalogue.ngettext(one, many, num)) % {"num": num}

    def plain(self, text: str) -> str:
        """A sentence that comes in a value: as plain text, so that it is escaped like any value."""
        return self._catalogue.gettext(text)

    def level_word(self, level: int) -> str:
        """How sure a key of this level is."""
        words = {3: translatable("hoog"), 2: translatable("gemiddeld"), 1: translatable("laag")}
        return self.plain(words[bars(level)])

    def clock_time(self, moment: Moment) -> str:
        """The time of day."""
        at = local(moment)
        hour, minute = (f"{at.hour:02}", f"{at.minute:02}") if isinstance(at, datetime) else ("00", "00")
        return self.plain(translatable("%(hour)s.%(minute)s uur")) % {"hour": hour, "minute": minute}

    def day(self, moment: Moment) -> str:
        """A day, in words."""
        return write_day(moment, self._language)


class Folding(NodeTransformer):
    """Puts in place of a call what it gives, where all that it is given stands in the template."""

    def __init__(self, known: Mapping[str, Callable[..., object]]) -> None:
        self._known = known

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        """The value of the call, if it is known; else the call."""
        self.generic_visit(node)
        made = self._known.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        given = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
        if made is None or len(given) < len(node.args) or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return node
        return nodes.Const(made(*given), lineno=node.lineno)


def folding_generator(known: Mapping[str, Callable[..., object]]) -> type[CodeGenerator]:
    """What turns templates into code, with these calls made beforehand."""

    class Generator(CodeGenerator):
        def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:
            super().visit_Template(Folding(known).visit(node), frame)

    return Generator


def make_environment(templates: Path, words: Words, *, static: Callable[[str], str]) -> Environment:
    """The templates in the language of these words; a value that one needs and does not get is an error."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.code_generator_class = folding_generator({"_": words.sentence, "static": static})
    environment.globals.update(_=words.sentence, ngettext=words.counted, static=static, languages=LANGUAGES)
    environment.filters.update(
        clock_time=words.clock_time,
        day=words.day,
        grouped=write_grouped,
        iso=lambda moment: local(moment).isoformat(),
        level_icon=lambda level: f"icons/level-{bars(level)}.svg",
        level_word=words.level_word,
        translated=words.plain,
    )
    environment.tests["web_address"] = is_web_address
    return environment


def bars(level: int) -> int:
    """How many bars of three a level has."""
    return 3 if level >= HIGH else 2 if level >= MEDIUM else 1


def is_web_address(address: str) -> bool:
    """Whether a client's own address may become a link or a picture: never `javascript:` or `data:`."""
    return address.startswith(("https://", "http://"))
