import pytest

from models.pnlp_mixer.repair import read_parse, repair_tags


def repaired(tokens: str, tags: str, parse: str) -> str:
    return " ".join(repair_tags(tokens.split(" "), tags.split(" "), parse))


def test_the_verb_of_a_nested_call_comes_back() -> None:
    assert (
        repaired(
            "remind me to call mom tonight at 5 .",
            "O B-PERSON_REMINDED O O B-TODO B-DATE_TIME I-DATE_TIME I-DATE_TIME O",
            "[IN:CREATE_REMINDER [SL:PERSON_REMINDED me ] [SL:TODO [IN:CREATE_CALL [SL:CONTACT "
            "[IN:GET_CONTACT [SL:TYPE_RELATION mom ] ] ] ] ] [SL:DATE_TIME tonight at 5 ] ]",
        )
        == "O B-PERSON_REMINDED O B-TODO I-TODO B-DATE_TIME I-DATE_TIME I-DATE_TIME O"
    )


def test_the_verb_before_a_preposition_comes_back() -> None:
    assert (
        repaired(
            "remind us to video chat with Barb tonight",
            "O B-PERSON_REMINDED O O O O B-TODO B-DATE_TIME",
            "[IN:CREATE_REMINDER [SL:PERSON_REMINDED us ] [SL:TODO [IN:CREATE_VIDEO_CALL [SL:CONTACT "
            "Barb ] ] ] [SL:DATE_TIME tonight ] ]",
        )
        == "O B-PERSON_REMINDED O B-TODO I-TODO I-TODO I-TODO B-DATE_TIME"
    )


@pytest.mark.parametrize(
    ("tokens", "tags", "place", "expected"),
    [
        ("stop at Jim 's house today", "B-TODO I-TODO I-TODO O O B-DATE_TIME",
         "[SL:TODO stop at ] [SL:LOCATION [IN:GET_LOCATION [SL:CONTACT Jim ] ] ]",
         "B-TODO I-TODO I-TODO I-TODO I-TODO B-DATE_TIME"),
        ("get eggs on the way today", "B-TODO I-TODO O O O B-DATE_TIME",
         "[SL:TODO get eggs ] [SL:LOCATION [IN:GET_LOCATION ] ]",
         "B-TODO I-TODO I-TODO I-TODO I-TODO B-DATE_TIME"),
    ],
)  # fmt: skip
def test_the_end_of_a_nested_place_comes_back(
    tokens: str, tags: str, place: str, expected: str
) -> None:
    parse = f"[IN:CREATE_REMINDER [SL:TODO [IN:GET_TODO {place} ] ] [SL:DATE_TIME today ] ]"
    assert repaired(tokens, tags, parse) == expected


def test_other_slots_stay_as_they_are() -> None:
    tags = "O O B-CONTACT O B-CONTACT"
    parse = "[IN:CREATE_CALL [SL:CONTACT [IN:GET_CONTACT [SL:CONTACT Ann ] ] ] [SL:CONTACT Bob ] ]"
    assert repaired("please call Ann and Bob", tags, parse) == tags


@pytest.mark.parametrize("parse", ["", "[IN:X", "[IN:X ] ]", "word", "[IN:X ] [IN:Y ]"])
def test_a_broken_parse_is_named(parse: str) -> None:
    with pytest.raises(ValueError, match="parse"):
        read_parse(parse)
