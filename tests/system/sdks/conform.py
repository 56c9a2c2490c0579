# SPDX-License-Identifier: ISC
"""Checks messages against the types of the libraries, which do not do it themselves."""
import json
import typing

import pydantic


def sent_conforms(kind, message):
    """Is a message as it was on the wire what a type says, without any conversion?"""
    conforms(kind.model_validate_json(json.dumps(message), strict=True))


def conforms(model, strangers=()):
    """
    Is a message exactly what the library's type says? The libraries themselves accept more: they
    build their types without checking. `strangers` are fields that another server adds.
    """
    name = type(model).__name__
    extra = set(model.model_extra or ()) - set(strangers)
    assert not extra, f"{name} has unknown fields: {extra}"
    for field, info in type(model).model_fields.items():
        value = getattr(model, field)
        assert value is not None or not info.is_required(), f"{name}.{field} is missing"
        if value is not None:
            _fits(value, info.annotation, f"{name}.{field}", strangers)


def _fits(value, annotation, where, strangers):
    if isinstance(value, pydantic.BaseModel):
        conforms(value, strangers)
    elif isinstance(value, list) and value and isinstance(value[0], pydantic.BaseModel):
        for each in value:
            conforms(each, strangers)
    elif typing.get_origin(annotation) is not None or annotation in (str, int, float, bool):
        try:
            pydantic.TypeAdapter(annotation).validate_python(value, strict=True)
        except pydantic.ValidationError as problem:
            raise AssertionError(f"{where} is {value!r}: {problem}") from None
