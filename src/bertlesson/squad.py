"""SQuAD: questions read from its JSON, and predictions written for its official scripts.

Version 1.1 has one answer or several for each question (Rajpurkar et al. 2016). Version 2.0 adds
questions that their context does not answer (Rajpurkar et al. 2018). `bertlesson.squad_metrics`
scores predictions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

from .characters import has_half_pair
from .replacing import replacing
from .texts import not_text

__all__ = ["GoldAnswer", "SquadQuestion", "read_squad", "write_predictions"]

SHOWN = 60  # characters of a text that a message shows


class GoldAnswer(NamedTuple):
    """An answer that an annotator has marked.

    Attributes:
        text: As in the context.
        start: Its first character in the context.
    """

    text: str
    start: int


class SquadQuestion(NamedTuple):
    """A question with its context.

    Attributes:
        id: The name under which the scripts look for its prediction.
        question: The question.
        context: The paragraph that is to answer it.
        answers: All that annotators have marked; empty if the context has none.
        is_impossible: Whether the context has no answer.
    """

    id: str
    question: str
    context: str
    answers: tuple[GoldAnswer, ...] = ()
    is_impossible: bool = False

    @property
    def span(self) -> tuple[int, int] | None:
        """The first answer as `encode_questions` takes it, in characters; None if there is none."""
        for text, start in self.answers:
            return start, start + len(text)
        return None


def read_squad(path: str | Path, *, labelled: bool = True) -> list[SquadQuestion]:
    """Read a file of SQuAD's JSON, of version 1.1 or 2.0.

    Args:
        path: The file, in UTF-8, with or without a byte-order mark.
        labelled: Whether every question must have answers, or ``"is_impossible": true``. If not,
            answers are read where there are any.

    Returns:
        The questions in the order of the file. ``plausible_answers`` are left out.

    Raises:
        ValueError: If the file is not in UTF-8, not JSON, or not of SQuAD's form; if an answer is
            not where its ``answer_start`` says, or an id comes twice. The message tells where.

    >>> import tempfile
    >>> asked = {"id": "7", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 4}]}
    >>> data = {"data": [{"paragraphs": [{"context": "was Ada.", "qas": [asked]}]}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "one.json"
    ...     size = path.write_text(json.dumps(data))
    ...     read_squad(path)[0].answers
    (GoldAnswer(text='Ada', start=4),)
    """
    path = Path(path)
    text = _read_text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}: {error.msg} at column {error.colno}; expected one JSON "
            "object, as SQuAD's files are"
        ) from None
    questions: list[SquadQuestion] = []
    seen: dict[str, str] = {}
    for context, asked, place in _walk(content, str(path)):
        identity = _get(asked, "id", str, place)
        here = f"{place}, question {identity!r}"
        if identity in seen:
            raise ValueError(
                f"{here}: the id is also that of {seen[identity]}; expected one of its own for "
                "each question, since predictions are found by it"
            )
        seen[identity] = here.removeprefix(f"{path}, ")
        try:
            questions.append(_read_question(identity, context, asked, here, labelled))
        except ValueError as error:  # only now, since the whole text is searched for the line
            problem = str(error).removeprefix(place)
            raise ValueError(f"{_with_line(text, identity, place, str(path))}{problem}") from None
    if not questions:
        raise ValueError(f"{path} has no questions; expected 1 or more in data")
    return questions


def write_predictions(path: str | Path, predictions: Mapping[str, str | float]) -> None:
    """Write what the official scripts read: one JSON object, with an entry for each question's id.

    The file appears when all of it is written.

    Args:
        path: The file.
        predictions: Answers, or null scores for the option ``--na-prob-file`` of version 2.0.

    Raises:
        TypeError: If one of them is neither a text nor a number.
    """
    for name, value in predictions.items():
        if not isinstance(value, str | Real):
            raise TypeError(
                f"the prediction of {name!r} is {value!r}; expected a text, '' for no answer"
            )
    with replacing(path) as part:
        # in ASCII, since the scripts read it in the encoding of the machine
        plain = {  # JSON does not take the numbers of NumPy
            name: value if isinstance(value, str | int) else float(value)
            for name, value in predictions.items()
        }
        part.write_text(json.dumps(plain, indent=1) + "\n", "ascii")


def _read_text(path: Path) -> str:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line}: {raw[error.start]:#04x} at byte {error.start} is not UTF-8; "
            f"expected JSON in UTF-8: {not_text(raw) or 'save the file in that encoding'}"
        ) from None
    if not text.strip():
        raise ValueError(f"{path} is empty; expected SQuAD's JSON")
    return text


def _walk(content: Any, path: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Each question with its context, and where it stands."""
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} holds {_kind(content)}; expected an object with the key data, as in SQuAD: "
            '{"version": ..., "data": [{"title": ..., "paragraphs": [...]}]}'
        )
    for number, article in enumerate(_get(content, "data", list, path), 1):
        in_article = f"{path}, article {number}"
        for part, paragraph in enumerate(_get(article, "paragraphs", list, in_article), 1):
            place = f"{in_article}, paragraph {part}"
            context = _get(paragraph, "context", str, place)
            for order, asked in enumerate(_get(paragraph, "qas", list, place), 1):
                if not isinstance(asked, dict) or "id" not in asked:
                    _get(asked, "id", str, f"{place}, question {order}")
                yield context, asked, place


def _read_question(
    identity: str, context: str, asked: dict[str, Any], place: str, labelled: bool
) -> SquadQuestion:
    question = _get(asked, "question", str, place)
    impossible = _get(asked, "is_impossible", bool, place) if "is_impossible" in asked else False
    given = _get(asked, "answers", list, place) if labelled or "answers" in asked else []
    answers = tuple(
        _read_answer(context, answer, f"{place}, answer {number}")
        for number, answer in enumerate(given, 1)
    )
    if impossible and answers:
        raise ValueError(
            f"{place}: is_impossible is true, but there are {len(answers)} answers; expected none: "
            "move them to plausible_answers, or set is_impossible to false"
        )
    if labelled and not impossible and not answers:
        raise ValueError(
            f"{place}: no answers; expected 1 or more: set is_impossible to true if the context "
            "has none, or read the file with labelled=False"
        )
    return SquadQuestion(identity, question, context, answers, impossible)


def _read_answer(context: str, answer: Any, place: str) -> GoldAnswer:
    text = _get(answer, "text", str, place)
    start = _get(answer, "answer_start", int, place)
    if not text.strip():
        raise ValueError(f"{place}: text is {text!r}; expected a part of the context: leave it out")
    there = context[max(start, 0) : max(start, 0) + len(text)]
    if start < 0 or there != text:
        others = [found.start() for found in re.finditer(re.escape(text), context)]
        hint = f"it begins at {others[0]}" if others else "it is nowhere in the context"
        raise ValueError(
            f"{place}: answer_start is {start}, where the context has {_short(there)}; expected "
            f"{_short(text)}, and {hint}: count characters from 0, not bytes or UTF-16 units"
        )
    return GoldAnswer(text, start)


def _get(holder: Any, key: str, kind: type, place: str) -> Any:
    if not isinstance(holder, dict):
        raise ValueError(f"{place}: {_kind(holder)}; expected an object with the key {key}")
    if key not in holder:
        raise ValueError(f"{place}: no key {key} among {', '.join(holder) or 'none'}; expected one")
    value = holder[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        names = {str: "a text", int: "a whole number", list: "a list", bool: "true or false"}
        raise ValueError(
            f"{place}: {key} is {_kind(value)}, {_short(value)}; expected {names[kind]}"
        )
    if isinstance(value, str) and has_half_pair(value):
        raise ValueError(
            f"{place}: {key} has half of a surrogate pair, {_short(value)}; expected whole "
            "characters"
        )
    return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _with_line(text: str, identity: str, place: str, path: str) -> str:
    """The place with the line of the question, if the file has several and the id stands in one."""
    if "\n" not in text.rstrip():
        return place
    for ascii_only in (False, True):
        written = json.dumps(identity, ensure_ascii=ascii_only)
        if text.count(written) == 1:
            line = text.count("\n", 0, text.index(written)) + 1
            return f"{path}, line {line}{place.removeprefix(path)}"
    return place
